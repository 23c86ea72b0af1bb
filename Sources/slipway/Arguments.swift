import Foundation
import Model

/// Words after the command's name, told apart: `--option value`, `--option=value`, `--flag`, and the rest.
struct Arguments {
    let positionals: [String]
    private let options: [String: [String]]
    private let flags: Set<String>

    /// Options that may be given several times.
    static let repeated: Set = ["build-arg"]
    static let short = ["-n": "--limit", "-f": "--follow", "-w": "--watch"]

    init(_ words: [String], options known: Set<String>, flags knownFlags: Set<String>) throws(UsageError) {
        var (positionals, options, flags): ([String], [String: [String]], Set<String>) = ([], [:], [])
        var rest = words[...]
        while let written = rest.popFirst() {
            let word = Self.short[written] ?? written
            guard word.hasPrefix("--"), word.count > 2 else {
                if word.hasPrefix("-"), word.count > 1 { throw UsageError("\(written) is not known") }
                positionals.append(word)
                continue
            }
            let parts = word.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
                String.init)
            let name = parts[0]
            if knownFlags.contains(name), parts.count == 1 {
                flags.insert(name)
            } else if known.contains(name) {
                guard let value = parts.count == 2 ? parts[1] : rest.popFirst() else {
                    throw UsageError("--\(name) needs a value")
                }
                guard options[name] == nil || Self.repeated.contains(name) else {
                    throw UsageError("--\(name) is given twice")
                }
                options[name, default: []].append(value)
            } else {
                let hint = Nearest.word(to: name, in: known.union(knownFlags)).map { "; nearest is --\($0)" } ?? ""
                throw UsageError("--\(name) is not known\(hint)")
            }
        }
        self.positionals = positionals
        self.options = options
        self.flags = flags
    }

    subscript(option: String) -> String? { options[option]?.last }

    /// Every value of a repeated option, in order.
    func all(_ option: String) -> [String] { options[option] ?? [] }

    func has(_ flag: String) -> Bool { flags.contains(flag) }

    /// The value of an option that is a time, such as 90s, 30m or 1h30m.
    func duration(_ option: String) throws(UsageError) -> Duration? {
        guard let text = self[option] else { return nil }
        let form = /(?:([0-9]{1,6})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,6})s)?/
        guard let match = text.wholeMatch(of: form), !text.isEmpty else {
            throw UsageError("--\(option) \"\(text)\" is not a time, such as 90s, 30m or 1h30m")
        }
        let parts = zip([match.1, match.2, match.3], [3600, 60, 1])
        return .seconds(parts.reduce(0) { $0 + (Int($1.0 ?? "0") ?? 0) * $1.1 })
    }

    /// The one positional, of commands about a build.
    func build() throws(UsageError) -> Build.ID {
        let word = try positionals(1...1, "the number of the build")[0]
        guard let id = Build.ID(word) else { throw UsageError("\"\(word)\" is not the number of a build") }
        return id
    }

    /// The positionals, where there are as many as the command takes.
    func positionals(_ range: ClosedRange<Int>, _ what: String) throws(UsageError) -> [String] {
        guard range.contains(positionals.count) else {
            throw UsageError(
                positionals.count < range.lowerBound
                    ? "\(what) is missing" : "\"\(positionals[range.upperBound])\" is too much")
        }
        return positionals
    }
}

struct UsageError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
