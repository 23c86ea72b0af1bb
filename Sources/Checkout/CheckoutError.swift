import Model

/// Why a commit could not be fetched or written to a workspace.
package indirect enum CheckoutError: Error, Sendable, CustomStringConvertible {
    case refMissing(RefName, on: GitSource)
    case commitMissing(CommitID, RefName?, on: GitSource)
    /// A tag on a tree or a file.
    case notACommit(RefName, on: GitSource)
    case brokenTree(CommitID, String)
    /// A rule's path; the sentence says all.
    case badPath(String)
    case unsupported(String)
    case submodule(String, CheckoutError)
    /// What the repository itself says about a submodule is wrong.
    case badSubmodule(String)
    case unreachable(GitSource, String)
    case refused(GitSource, String)
    case hostKey(GitSource, String)
    case silent(GitSource, seconds: Double)
    /// The mirror's or the workspace's own files.
    case storage(String)

    /// Whose failure it is.
    package var fault: Failure.Kind {
        switch self {
        case .refMissing, .commitMissing, .notACommit, .brokenTree, .badPath, .unsupported, .badSubmodule: .build
        case .unreachable, .refused, .hostKey, .silent, .storage: .system
        case .submodule(_, let error): error.fault
        }
    }

    /// Whether the host answered 429 (RFC 6585): too many requests. libgit2 says so only in its sentence, and does not
    /// tell the `Retry-After`.
    package var isTooManyRequests: Bool {
        if case .unreachable(_, let why) = self { why.contains("status code: 429") } else { false }
    }

    package var failure: Failure {
        Failure(fault, .checkout, description)
    }

    package var description: String { sentence.visible }

    private var sentence: String {
        switch self {
        case .refMissing(let ref, let source):
            "\(ref.kind.rawValue) \"\(ref.name)\" is not on \(source): it may have been deleted since the push"
        case .commitMissing(let id, let ref?, let source):
            "commit \(id) is no longer on \(source): \(ref.kind.rawValue) \"\(ref.name)\" has moved on without it"
        case .commitMissing(let id, nil, let source):
            "commit \(id) is not on \(source), or can't be reached from any of its branches and tags"
        case .notACommit(let ref, let source):
            "\(ref.kind.rawValue) \"\(ref.name)\" on \(source) does not lead to a commit, so there is nothing to build"
        case .brokenTree(let id, let why): "the files of commit \(id) can't be written: \(why)"
        case .badPath(let sentence), .unsupported(let sentence), .badSubmodule(let sentence), .storage(let sentence):
            sentence
        case .submodule(let path, let error): "submodule \"\(path)\": \(error)"
        case .unreachable(let source, let why): "can't fetch from \(source): \(why)"
        case .refused(let source, let why): "\(source) refused: \(why)"
        case .hostKey(let source, let why): "can't trust the host of \(source): \(why)"
        case .silent(let source, let seconds):
            "\(source) said nothing for \(seconds.formatted(.number.precision(.fractionLength(0...1)))) s, so the connection was given up"
        }
    }
}

extension String {
    /// With control characters, and those that turn the direction of text, written out: names in a repository, and what
    /// its server says, come from strangers.
    var visible: String {
        guard unicodeScalars.contains(where: Self.isInvisible) else { return self }
        return unicodeScalars.reduce(into: "") { text, scalar in
            if Self.isInvisible(scalar) {
                text += scalar.escaped(asASCII: true)
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
    }

    private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0x200B...0x200F, 0x202A...0x202E, 0x2066...0x2069, 0xFEFF: true
        default: false
        }
    }
}
