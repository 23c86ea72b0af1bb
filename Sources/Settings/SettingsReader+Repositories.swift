import Foundation
import Model

/// `repositories`, without their rules.
extension SettingsReader {
    private static let keys = [
        "source", "credentials", "image", "webhook_secret", "sns_topic", "verify_webhooks", "trigger_tokens",
        "poll", "commit_tag", "rules",
    ]

    /// - Parameter poll: of those that don't say.
    func repositories(_ node: Node, poll: Duration?) -> [Repository] {
        guard case .mapping(let entries) = node.content else {
            report.error(node.position, "repositories must be a mapping of <namespace>/<name>, not \(node.kind)")
            return []
        }
        var repositories: [Repository] = []
        var tokenOwners: [Data: String] = [:]
        for entry in entries {
            guard let repository = repository(entry, poll: poll, &tokenOwners) else { continue }
            warnOfSharedImage(repository, repositories, at: entry.position)
            repositories.append(repository)
        }
        return repositories
    }

    /// - Parameter tokenOwners: the hashes of the trigger tokens so far, and whose they are.
    private func repository(
        _ entry: Node.Entry, poll: Duration?, _ tokenOwners: inout [Data: String]
    ) -> Repository? {
        let name = value(entry.key, at: entry.position, RepositoryName.self)
        let what = "repository \"\(entry.key.excerpt())\""
        guard let fields = Fields(entry.value, what, keys: Self.keys, at: entry.position, report) else { return nil }
        let source = fields.required("source", report).flatMap { value($0, "source", GitSource.self) }
        let credentials = fields["credentials"].flatMap { self.credentials($0) }
        if let source, let node = fields["source"] {
            check(source, at: node.position, fields["credentials"], credentials)
        }
        let image = fields.required("image", report).flatMap { value($0, "image", ImageName.self) }
        let webhookSecrets = self.webhookSecrets(fields["webhook_secret"])
        let snsTopics = self.snsTopics(fields["sns_topic"])
        let verifiesWebhooks = self.verifiesWebhooks(fields)
        let rules = self.rules(fields["rules"], commitTag: fields["commit_tag"])
        // Faulty rules count too: what is said of them is enough.
        let count = fields["rules"].map { oneOrMore($0).count } ?? rules.count
        let triggerTokens = self.triggerTokens(fields["trigger_tokens"], of: entry.key, rules: count, &tokenOwners)
        var poll = poll
        if let node = fields["poll"] { poll = self.poll(node, "poll") }
        guard let name, let source, let image else { return nil }
        return Repository(
            name: name, source: source, credentials: credentials, image: image, webhookSecrets: webhookSecrets,
            snsTopics: snsTopics, verifiesWebhooks: verifiesWebhooks, triggerTokens: triggerTokens, poll: poll,
            rules: rules)
    }

    private func credentials(_ node: Node) -> GitCredentials? {
        let keys = ["username", "password", "ssh_key", "passphrase", "known_hosts"]
        guard let fields = Fields(node, "credentials", keys: keys, report) else { return nil }
        let hasLogin = keys[..<2].contains { fields[$0] != nil }
        let hasKey = keys[2...].contains { fields[$0] != nil }
        if hasLogin == hasKey {
            // A key that is misspelt or blank has been told already.
            if hasLogin || isEmpty(node) {
                report.error(node.position, "credentials are either username and password, or ssh_key")
            }
            return nil
        }
        if hasLogin { return login(fields).map(GitCredentials.login) }
        let key = fields.required("ssh_key", report).flatMap { privateKey($0, "ssh_key") }
        let passphrase = fields["passphrase"].flatMap { secret($0, "passphrase") }
        let knownHosts = fields["known_hosts"].flatMap { text(orKept: $0, "known_hosts") }
        return key.map { .ssh(GitCredentials.SSHKey(privateKey: $0, passphrase: passphrase, knownHosts: knownHosts)) }
    }

    private func isEmpty(_ node: Node) -> Bool {
        if case .mapping(let entries) = node.content { entries.isEmpty } else { false }
    }

    /// Whether the credentials are of the kind that the source asks for.
    private func check(_ source: GitSource, at position: Position, _ node: Node?, _ credentials: GitCredentials?) {
        switch (source.transport, credentials) {
        case (.ssh, nil) where node == nil:
            report.error(position, "an ssh source needs \"credentials\" with \"ssh_key\"")
        case (.ssh, .login):
            report.error(node?.position ?? position, "an ssh source is opened with \"ssh_key\", not with a password")
        case (.https, .ssh), (.http, .ssh):
            report.error(
                node?.position ?? position,
                "\"ssh_key\" is for ssh sources; an \(source.transport.rawValue) source takes username and password")
        case (.git, _?), (.path, _?):
            let kind = source.transport == .git ? "a git:// source" : "a local path"
            report.error(node?.position ?? position, "\(kind) takes no credentials; leave them out")
        default: break
        }
    }

    /// A commit tag names one image for ever, which two repositories can't promise to each other.
    private func warnOfSharedImage(_ repository: Repository, _ others: [Repository], at position: Position) {
        let commitTags = Set(repository.rules.map(\.commitTag))
        guard
            let other = others.first(where: {
                $0.image == repository.image && !commitTags.isDisjoint(with: $0.rules.map(\.commitTag))
            })
        else { return }
        report.warn(
            position,
            "\"\(repository.name)\" and \"\(other.name)\" push to the same image under the same commit tags; "
                + "give one of them a \"commit_tag\" of its own")
    }
}
