import Testing

/// What a payload that a Git host really sent must be read as.
struct PayloadRow: Sendable, CustomTestStringConvertible {
    /// `gitea/push-1.json`, under the folder of webhooks.
    var file: String
    /// What the host sends with it, beside signatures.
    var headers: [String: String]
    /// `gitea`.
    var host: String
    /// One of the addresses that the repository is told to be cloned from; nil where none is told.
    var address: String?
    /// `refs/heads/main <commit>`, or `refs/tags/v1 -` where the commit is not told.
    var pushes: [String] = []
    /// Parts of the reasons why it, or the rest of it, builds nothing.
    var reasons: [String] = []

    var testDescription: String { file }
}
