extension Version {
    /// Whether a tag that follows versions goes from this one to the other: a release is above every prerelease, else
    /// precedence decides.
    package func isBelow(_ other: Version) -> Bool {
        if (prerelease == nil) != (other.prerelease == nil) { return prerelease != nil }
        return precedes(other)
    }

    /// semver.org, 11; missing parts are 0. Neither of two versions that differ only in how they are written precedes
    /// the other.
    package func precedes(_ other: Version) -> Bool {
        for (mine, theirs) in zip(numbers, other.numbers) where mine != theirs { return mine.isLess(than: theirs) }
        switch (prerelease, other.prerelease) {
        case (nil, _): return false
        case (.some, nil): return true
        case (let mine?, let theirs?): return Self.precedes(mine, theirs)
        }
    }

    private var numbers: [Digits] { [major, minor ?? "0", patch ?? "0"].map { Digits($0[...]) } }

    private static func precedes(_ mine: String, _ theirs: String) -> Bool {
        let (mine, theirs) = (identifiers(mine), identifiers(theirs))
        for (a, b) in zip(mine, theirs) {
            switch (Digits(number: a), Digits(number: b)) {
            case (let a?, let b?): if a != b { return a.isLess(than: b) }
            case (.some, nil): return true
            case (nil, .some): return false
            // By bytes: Swift's own order of strings is another.
            case (nil, nil): if a != b { return a.utf8.lexicographicallyPrecedes(b.utf8) }
            }
        }
        return mine.count < theirs.count
    }

    private static func identifiers(_ prerelease: String) -> [Substring] {
        prerelease.split(separator: ".", omittingEmptySubsequences: false)
    }
}

/// A whole number of any length.
private struct Digits: Equatable {
    private let text: Substring

    init(_ text: Substring) {
        self.text = text.drop { $0 == "0" }
    }

    /// Nil for what is not digits alone.
    init?(number text: Substring) {
        guard !text.isEmpty, text.utf8.allSatisfy(\.isASCIIDigit) else { return nil }
        self.init(text)
    }

    func isLess(than other: Digits) -> Bool {
        let (mine, theirs) = (text.utf8, other.text.utf8)
        return mine.count == theirs.count ? mine.lexicographicallyPrecedes(theirs) : mine.count < theirs.count
    }
}
