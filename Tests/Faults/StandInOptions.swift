/// A command line of buildah: options before and after the command, and what it is on.
struct StandInOptions {
    let command: String
    let rest: [String]
    private let options: [(name: String, value: String)]

    /// Those that stand alone; every other is followed by its value.
    private static let flags: Set<String> = [
        "--layers", "--force-rm", "--no-cache", "--quiet", "--all", "--external", "--no-trunc", "--force", "--squash",
        "--pull", "--rm", "-q", "-a", "-f", "--json", "--volumes", "--disable-compression", "--noheading",
    ]

    init(_ words: [String]) {
        var (command, rest, options): (String?, [String], [(String, String)]) = (nil, [], [])
        var words = words[...]
        while let word = words.popFirst() {
            if word == "--version" {
                command = command ?? word
            } else if word.hasPrefix("-") {
                if let mark = word.firstIndex(of: "=") {
                    options.append((String(word[..<mark]), String(word[word.index(after: mark)...])))
                } else {
                    options.append((word, Self.flags.contains(word) ? "" : words.popFirst() ?? ""))
                }
            } else if command == nil {
                command = word
            } else {
                rest.append(word)
            }
        }
        self.command = command ?? ""
        self.rest = rest
        self.options = options
    }

    subscript(name: String) -> String? { options.first { $0.name == name }?.value }

    func all(_ name: String) -> [String] { options.filter { $0.name == name }.map(\.value) }
}
