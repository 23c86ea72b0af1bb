import Model

/// Where the queue is, and what this machine is to the others that share it.
extension SettingsReader {
    /// `sqlite`, the address of a PostgreSQL server, or that with more about it.
    func database(_ node: Node) -> DatabaseAddress? {
        guard case .mapping = node.content else {
            guard let text = text(node, "database"), text != "sqlite" else { return .sqlite }
            guard isPostgreSQL(text) else {
                report.error(
                    node.position,
                    "database \"\(text.excerpt())\" is not known; \"sqlite\" is, and postgresql://user@host/name")
                return nil
            }
            warnOfPassword(text, node)
            return .postgreSQL(PostgreSQLAddress(url: text))
        }
        guard let fields = Fields(node, "database", keys: ["url", "password", "connections", "pooler"], report) else {
            return nil
        }
        guard let place = fields.required("url", report), let url = text(orKept: place, "url") else { return nil }
        guard isPostgreSQL(url) else {
            report.error(place.position, "url must be like postgresql://user@host/name")
            return nil
        }
        if case .text = place.content { warnOfPassword(url, place) }
        var address = PostgreSQLAddress(url: url)
        if let node = fields["password"] { address.password = secret(node, "password") }
        if let node = fields["connections"], let number = integer(node, "connections", 1...100) {
            address.connections = number
        }
        if let node = fields["pooler"] { address.isPooled = choice(node, "pooler", Pooler.self) == .transaction }
        return .postgreSQL(address)
    }

    /// What stands between here and the server: nothing, or what gives each transaction another connection.
    private enum Pooler: String, CaseIterable {
        case none, transaction
    }

    private func isPostgreSQL(_ text: String) -> Bool {
        text.hasPrefix("postgresql://") || text.hasPrefix("postgres://")
    }

    private func warnOfPassword(_ url: String, _ node: Node) {
        guard url.firstMatch(of: /\/\/[^\/@:]*:[^\/@]+@|[?&]password=/) != nil else { return }
        report.warn(
            node.position,
            "the database's password can be read by whoever reads this file; {url: …, password: {env: NAME}} hides it")
    }

    func worker(_ node: Node) -> WorkerSettings {
        var worker = WorkerSettings()
        guard let fields = Fields(node, "worker", keys: ["name", "labels"], report) else { return worker }
        if let node = fields["name"], let name = text(node, "name") {
            if WorkerSettings.isName(name) {
                worker.name = name
            } else {
                report.error(node.position, "worker name \"\(name.excerpt())\" must be \(WorkerSettings.nameForm)")
            }
        }
        if let node = fields["labels"] { worker.labels = labels(node, "labels") }
        return worker
    }

    /// Words by which rules and workers find each other.
    func labels(_ node: Node, _ name: String) -> Set<String> {
        var labels: Set<String> = []
        for item in oneOrMore(node) {
            guard let label = text(item, name) else { continue }
            if WorkerSettings.isName(label) {
                labels.insert(label)
            } else {
                report.error(item.position, "label \"\(label.excerpt())\" must be \(WorkerSettings.nameForm)")
            }
        }
        return labels
    }
}
