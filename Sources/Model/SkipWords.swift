/// Words in a commit's message that ask for its push not to be built.
package enum SkipWords {
    private static let all = ["[skip build]", "[build skip]", "[skip ci]", "[ci skip]"]

    /// - Returns: the words, in lower case; nil where the message holds none of them, in any case of letters.
    package static func found(in message: String) -> String? {
        let message = message.lowercased()
        return all.first { message.contains($0) }
    }
}
