/// The words after `run.sh`.
struct Options: Sendable {
    enum Case: String, CaseIterable {
        case memory, startup, start, src, empty, cold, mono, large, queue, overhead, intake, history
        // Of the queue in PostgreSQL.
        case workers, claims
        case intakePostgreSQL = "intake-postgresql"

        /// Whether it stands on a registry and an engine.
        var needsGround: Bool {
            switch self {
            case .intake, .history, .workers, .claims, .intakePostgreSQL: false
            default: true
            }
        }
    }

    /// The words were wrong; says which are right.
    struct Wrong: Error, CustomStringConvertible {
        let what: String

        var description: String {
            """
            \(what)
            usage: Tests/Benchmarks/run.sh [RUNS] [--cases LIST] [--engines LIST] [--phases] [--markdown]
              RUNS       how often each build is timed on each side (7)
              --cases    of \(Case.allCases.map(\.rawValue).joined(separator: ","))
              --engines  of \(Builder.allCases.map(\.rawValue).joined(separator: ",")) (all but classic)
              --phases   shows where the time of whole builds goes, and that of PostgreSQL under "workers"
              --markdown prints the table as README.md shows it
            """
        }
    }

    private(set) var runs = 7
    private(set) var cases = Set(Case.allCases)
    private(set) var builders: [Builder] = [.buildkit, .buildah]
    private(set) var showsPhases = false
    private(set) var isMarkdown = false

    init(_ words: ArraySlice<String>) throws {
        var words = words
        while let word = words.popFirst() {
            switch word {
            case "--cases": cases = Set(try Self.list(words.popFirst(), of: word))
            case "--engines": builders = try Self.list(words.popFirst(), of: word)
            case "--phases": showsPhases = true
            case "--markdown": isMarkdown = true
            default:
                guard let number = Int(word), number > 0 else { throw Wrong(what: "what is \"\(word)\"?") }
                runs = number
            }
        }
    }

    private static func list<Word: RawRepresentable<String>>(_ text: String?, of option: String) throws -> [Word] {
        guard let text else { throw Wrong(what: "\(option) needs a list") }
        return try text.split(separator: ",").map { name in
            guard let word = Word(rawValue: String(name)) else { throw Wrong(what: "\(option) knows no \"\(name)\"") }
            return word
        }
    }
}
