/// What the command line asks for.
struct Options {
    var variants = 200_000
    var seed: UInt64 = 1
    var payloads: String?
    var replay: String?

    struct Wrong: Error, CustomStringConvertible {
        let description = """
            usage: Fuzz [--variants 200000] [--seed 1] [--payloads DIR] | Fuzz --replay FILE
              --payloads  real payloads, a folder for each Git host, to mutate beside the program's own
              --replay    sends what was found once more, and shows the answer
            """
    }

    /// - Throws: `Wrong`.
    init(_ words: [String]) throws {
        var words = words[...]
        while let word = words.popFirst() {
            switch (word, words.popFirst()) {
            case ("--variants", let value?): variants = try Self.number(value)
            case ("--seed", let value?): seed = UInt64(try Self.number(value))
            case ("--payloads", let value?): payloads = value
            case ("--replay", let value?): replay = value
            default: throw Wrong()
            }
        }
    }

    private static func number(_ text: String) throws -> Int {
        guard let number = Int(text), number > 0 else { throw Wrong() }
        return number
    }
}
