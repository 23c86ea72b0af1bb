import Model

/// The variables that may stand in the names of images: what ARG declares before the first FROM, and the platform's.
///
/// Grammar: docs.docker.com/reference/dockerfile, "Environment replacement" and "Understand how ARG and FROM interact".
struct DockerfileVariables {
    /// Why a word can't be known.
    struct Doubt: Error {
        let reason: String

        init(_ reason: String) { self.reason = reason }
    }

    private enum Value {
        case known(String)
        /// The platform's, which buildah puts into `--platform=` only.
        case platform(String)
        case unset
        case doubtful(String)
    }

    /// Set by BuildKit and buildah, without ARG, before the first FROM.
    static let ofPlatforms: Set = [
        "BUILDPLATFORM", "BUILDOS", "BUILDARCH", "BUILDVARIANT", "TARGETPLATFORM", "TARGETOS", "TARGETARCH",
        "TARGETVARIANT",
    ]

    private let buildArgs: [String: String]
    private let engine: BuilderKind
    private var values: [String: Value]

    init(buildArgs: [String: String], engine: BuilderKind) {
        self.buildArgs = buildArgs
        self.engine = engine
        values = [:]
        for name in Self.ofPlatforms {
            values[name] = .doubtful("what $\(name) is, the builder decides")
            guard engine != .classic, buildArgs[name] == nil else { continue }
            if name.hasSuffix("OS") { values[name] = .platform("linux") }
            if name.hasSuffix("ARCH") { values[name] = .platform(Engines.architecture) }
            // Buildah adds a variant where the processor has one, as of ARM.
            if name.hasSuffix("PLATFORM"), engine == .buildKit || Engines.architecture == "amd64" {
                values[name] = .platform(Engines.platform)
            }
        }
    }

    /// Takes an ARG before the first FROM.
    ///
    /// - Parameter standard: its default as written; nil where it has none.
    mutating func declare(_ name: String, standard: String?) {
        if Self.ofPlatforms.contains(name) {
            values[name] = .doubtful("builders differ in what $\(name) is after ARG \(name)")
        } else if let given = buildArgs[name] {
            values[name] = .known(given)
        } else if let standard {
            do throws(Doubt) {
                values[name] = .known(try expand(standard))
            } catch {
                values[name] = .doubtful(error.reason)
            }
        } else if case .some = values[name] {
            values[name] = .doubtful("builders differ in what $\(name) is after a second ARG \(name) without a value")
        } else {
            values[name] = .unset
        }
    }

    /// The word with its variables replaced and its quotes taken away.
    ///
    /// - Parameter isPlatform: whether it is the value of `--platform=`.
    /// - Throws: `Doubt` where a variable's value is not certain, or the word has a form that not all builders know.
    func expand(_ word: String, isPlatform: Bool = false) throws(Doubt) -> String {
        var known = self
        if isPlatform {
            for (name, value) in values {
                if case .platform(let value) = value { known.values[name] = .known(value) }
            }
        }
        var rest = word[...]
        return try known.expand(&rest, upTo: nil)
    }

    private func expand(_ rest: inout Substring, upTo end: Character?) throws(Doubt) -> String {
        var result = ""
        while let next = rest.first, next != end {
            rest.removeFirst()
            switch next {
            case "$": result += try variable(&rest)
            case "'":
                guard let close = rest.firstIndex(of: "'") else { throw Doubt("a quote has no end") }
                result += rest[..<close]
                rest = rest[rest.index(after: close)...]
            case "\"":
                while let inner = rest.first, inner != "\"" {
                    rest.removeFirst()
                    result += try inner == "$" ? variable(&rest) : plain(inner)
                }
                guard rest.popFirst() != nil else { throw Doubt("a quote has no end") }
            default: result += try plain(next)
            }
        }
        return result
    }

    private func plain(_ character: Character) throws(Doubt) -> String {
        if character == "\\" || character == "`" { throw Doubt("a character is escaped") }
        return String(character)
    }

    /// What follows a `$`.
    private func variable(_ rest: inout Substring) throws(Doubt) -> String {
        let braced = rest.first == "{"
        if braced { rest.removeFirst() }
        let name = String(rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") })
        rest = rest.dropFirst(name.count)
        guard let first = name.first, !first.isNumber, braced || rest.first?.isLetter != true else {
            throw Doubt("a $ is followed by no variable's name")
        }
        if !braced { return try value(name) ?? "" }
        if rest.first == "}" {
            rest.removeFirst()
            return try value(name) ?? ""
        }
        let form = rest.prefix(2)
        guard form == ":-" || form == ":+" else { throw Doubt("${\(name)…} has a form that not all builders know") }
        rest = rest.dropFirst(2)
        let other = try expand(&rest, upTo: "}")
        guard rest.popFirst() == "}" else { throw Doubt("${\(name)\(form)…} has no end") }
        let value = try value(name) ?? ""
        if form == ":+" { return value.isEmpty ? "" : other }
        return value.isEmpty ? other : value
    }

    private func value(_ name: String) throws(Doubt) -> String? {
        switch values[name] {
        case .known(let value): return value
        case .platform(let value) where engine == .buildKit: return value
        case .platform: throw Doubt("\(engine.rawValue) may not know $\(name) there")
        case .unset: return nil
        case .doubtful(let reason): throw Doubt(reason)
        case nil: throw Doubt("no ARG before the first FROM declares $\(name)")
        }
    }
}
