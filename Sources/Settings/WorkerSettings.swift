/// What this machine's worker is to the others that share its queue.
package struct WorkerSettings: Sendable, Equatable {
    /// Nil is the host's name.
    package var name: String?
    /// What rules may ask for with `runs_on`, beside the engine and the platform, which each worker finds out itself.
    package var labels: Set<String>

    package init(name: String? = nil, labels: Set<String> = []) {
        self.name = name
        self.labels = labels
    }

    static let nameForm = "of letters, digits, \".\", \"_\", \"-\" and \"/\", 63 of them at most"

    package static func isName(_ text: String) -> Bool {
        text.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9._\/\-]{0,62}/) != nil
    }
}
