/// A way in which a version of an engine goes through the context with the patterns of its ignore file.
struct IgnoreReading: Sendable {
    enum Style: Sendable {
        /// Docker before 23: moby's `pkg/fileutils`.
        case early
        /// Docker from 23 on: `moby/patternmatcher`.
        case current
        /// `containers/storage/pkg/fileutils`.
        case buildah
    }

    let style: Style
    let patterns: [IgnorePattern]
    /// Whether a directory that is left out, but gone into for the sake of an exception, is there all the same.
    private let showsGoneInto: Bool
    private let goesEverywhere: Bool

    /// - Parameter isBuildKit: whether the walk is that of `tonistiigi/fsutil`.
    init(_ patterns: [IgnorePattern], style: Style, isBuildKit: Bool) {
        self.style = style
        self.patterns = patterns
        showsGoneInto = isBuildKit && style == .early
        goesEverywhere =
            isBuildKit && style == .current
            && patterns.contains {
                $0.isException && Self.beginning($0).contains { "*[]?^\\".unicodeScalars.contains($0) }
            }
    }

    /// What the walk finds of one entry.
    struct Visit {
        var isThere = false
        /// Whether it would go into it, if it were a directory.
        var isGoneInto = false
    }

    func visit(_ path: [Unicode.Scalar], isDirectory: Bool) -> Visit {
        let ends = path.indices.filter { path[$0] == "/" } + [path.endIndex]
        var above: [Bool] = []
        for (depth, end) in ends.enumerated() {
            let isLeftOut = isLeftOut(path[..<end], ends[..<depth], &above)
            let isGoneInto = !isLeftOut || goes(into: path[..<end])
            if end == path.endIndex {
                return Visit(
                    isThere: !isLeftOut || showsGoneInto && isDirectory && isGoneInto, isGoneInto: isGoneInto)
            }
            if !isGoneInto { return Visit() }
        }
        return Visit()
    }

    /// - Parameters:
    ///   - ends: where the paths of the directories above it end.
    ///   - above: which patterns matched the directory above; becomes what this path leaves to those below it.
    private func isLeftOut(_ path: ArraySlice<Unicode.Scalar>, _ ends: ArraySlice<Int>, _ above: inout [Bool]) -> Bool {
        var isLeftOut = false
        var matched = Array(repeating: false, count: patterns.count)
        for (i, pattern) in patterns.enumerated() {
            switch style {
            case .early:
                // Of the directories above, only the one with as many names as the pattern is looked at.
                matched[i] =
                    pattern.matches(path)
                    || pattern.depth <= ends.count && pattern.matches(path[..<ends[pattern.depth - 1]])
            case .current:
                // A pattern that would change nothing is not looked at, nor noted for what is below.
                matched[i] =
                    !above.isEmpty && above[i] || pattern.isException == isLeftOut && pattern.matches(path)
            case .buildah:
                matched[i] = !above.isEmpty && above[i] || pattern.matches(path)
            }
            if matched[i] { isLeftOut = !pattern.isException }
        }
        above = matched
        return isLeftOut
    }

    /// Whether an exception may be about something in a directory that is left out.
    private func goes(into directory: ArraySlice<Unicode.Scalar>) -> Bool {
        if goesEverywhere { return true }
        // Letter by letter, as if the exceptions had no wildcards; buildah asks for no slash behind the directory.
        let wanted = Array(directory) + (style == .buildah ? [] : ["/"])
        return patterns.contains { pattern in
            guard pattern.isException else { return false }
            return (pattern.text + ["/"]).starts(with: wanted)
        }
    }

    /// A pattern without the `/**` or `/*` at its end.
    private static func beginning(_ pattern: IgnorePattern) -> ArraySlice<Unicode.Scalar> {
        var text = pattern.text[...]
        for end in ["/**", "/*"] where text.suffix(end.unicodeScalars.count).elementsEqual(end.unicodeScalars) {
            text = text.dropLast(end.unicodeScalars.count)
        }
        return text
    }
}
