import Model
import Platform

/// Turns the tree of a settings file into settings; what is wrong goes to the report, and the reading goes on.
struct SettingsReader {
    let report: Report
    let environment: [String: String]
    /// The settings file's folder: relative paths begin there.
    let folder: String

    private static let keys = [
        "listen", "url", "data", "database", "engine", "workers", "worker", "access", "trusted_proxies", "limits",
        "retries",
        "poll", "base_poll", "sweep", "keep", "disk", "webhook_secret", "sns_topic", "registries", "repositories",
    ]

    /// - Parameter root: nil for a file without content.
    func settings(_ root: Node?) -> Settings {
        var settings = Settings()
        guard let root, !root.isNull else {
            report.warn(Position(line: 1, column: 1), "there are no repositories, so nothing can be built")
            return settings
        }
        guard let fields = Fields(root, "settings", keys: Self.keys, blank: ["registries", "repositories"], report)
        else {
            return settings
        }
        if let node = fields["listen"], let listen = listen(node) { settings.listen = listen }
        if let node = fields["url"] { settings.url = url(node) }
        if let node = fields["data"], let data = text(node, "data") { settings.data = absolute(data) }
        if let node = fields["database"], let database = database(node) { settings.database = database }
        if let node = fields["worker"] { settings.worker = worker(node) }
        if let node = fields["engine"], let engine = choice(node, "engine", EngineChoice.self) {
            settings.engine = engine
        }
        if let node = fields["workers"], let workers = integer(node, "workers", 0...256) { settings.workers = workers }
        if let node = fields["access"] { settings.access = access(node) }
        if let node = fields["trusted_proxies"] { settings.trustedProxies = trustedProxies(node) }
        if let node = fields["limits"] { settings.limits = limits(node) }
        if let node = fields["retries"], let retries = integer(node, "retries", 0...100) { settings.retries = retries }
        if let node = fields["base_poll"] { settings.basePoll = poll(node, "base_poll") }
        if let node = fields["sweep"] { settings.sweep = sweep(node) }
        if let node = fields["keep"] { settings.keep = keep(node) }
        if let node = fields["disk"] { settings.disk = disk(node) }
        settings.webhookSecrets = webhookSecrets(fields["webhook_secret"])
        settings.snsTopics = snsTopics(fields["sns_topic"])
        if let node = fields["registries"] { settings.registries = registries(node) }
        var poll: Duration? = Repository.usualPoll
        if let node = fields["poll"] { poll = self.poll(node, "poll") }
        if let node = fields["repositories"] { settings.repositories = repositories(node, poll: poll) }
        checkAccess(fields, settings)
        if fields["repositories"] == nil {
            report.warn(fields.position, "there are no repositories, so nothing can be built")
        }
        return settings
    }

    private func listen(_ node: Node) -> ListenAddress? {
        guard let text = text(node, "listen") else { return nil }
        guard let address = ListenAddress(text) else {
            report.error(
                node.position,
                "listen \"\(text.excerpt())\" is not an IP address or \"localhost\", a colon and a port; 127.0.0.1:8080 is"
            )
            return nil
        }
        return address
    }

    private func url(_ node: Node) -> String? {
        guard let text = text(node, "url") else { return nil }
        let form = /https?:\/\/(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.\-]+)(:[0-9]{1,5})?(\/[^?#\s]*)?/
        guard text.wholeMatch(of: form) != nil else {
            // Not shown: it may hold a password.
            report.error(node.position, "url must be http:// or https:// and a host, without user, query or fragment")
            return nil
        }
        return text.replacing(/\/+$/, with: "")
    }

    /// Whoever can reach the address may ask the API, so others than this machine need tokens.
    private func checkAccess(_ fields: Fields, _ settings: Settings) {
        if case .list(let items)? = fields["access"]?.content, !items.isEmpty { return }
        guard !settings.listen.isLoopback, let node = fields["listen"] else { return }
        report.error(
            node.position,
            "listen \(settings.listen) can be reached from other machines, so \"access\" must list a token at least")
    }
}

extension ListenAddress {
    /// - Returns: nil where the text is not `<IP address or localhost>:<port>`.
    fileprivate init?(_ text: String) {
        guard let match = text.wholeMatch(of: /(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+|localhost)):([0-9]{1,5})/),
            let port = UInt16(match.3)
        else { return nil }
        if match.2 == "localhost" {
            self.init(host: "localhost", port: port)
        } else if let host = IPNetwork(String(match.1 ?? match.2 ?? "")), host.isAddress {
            self.init(host: host.description, port: port)
        } else {
            return nil
        }
    }
}
