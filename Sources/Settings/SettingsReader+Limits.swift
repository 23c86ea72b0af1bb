import Model
import Platform

/// `limits` and `trusted_proxies`.
extension SettingsReader {
    private static let keys = ["per_token", "per_address", "delay", "pending", "pending_per_repository"]

    func limits(_ node: Node) -> Limits {
        var limits = Limits()
        guard let fields = Fields(node, "limits", keys: Self.keys, report) else { return limits }
        if let node = fields["per_token"] { limits.perToken = rate(node, "per_token") }
        if let node = fields["per_address"] { limits.perAddress = rate(node, "per_address") }
        if let node = fields["delay"], let delay = milliseconds(node, "delay", 0...60) { limits.delay = delay }
        let pending = 1...10_000_000
        if let node = fields["pending"], let number = integer(node, "pending", pending) { limits.pending = number }
        if let node = fields["pending_per_repository"], let number = integer(node, "pending_per_repository", pending) {
            limits.pendingPerRepository = number
        }
        return limits
    }

    /// - Returns: nil for `off`.
    private func rate(_ node: Node, _ name: String) -> Rate? {
        guard let text = text(node, name), text != "off" else { return nil }
        do throws(InvalidText) {
            return try Rate(text)
        } catch {
            report.error(node.position, "\(name): \(error), and off is no limit")
            return nil
        }
    }

    func trustedProxies(_ node: Node) -> [IPNetwork] {
        oneOrMore(node).compactMap { item in
            guard let text = text(item, "a trusted proxy") else { return nil }
            guard let network = IPNetwork(text) else {
                report.error(
                    item.position,
                    "\"\(text.excerpt())\" is not an IP address or a network: 10.0.0.1, 10.0.0.0/8 and fd00::/8 are")
                return nil
            }
            if network.bits == 0 {
                report.warn(item.position, "\(network) is every address, so that anybody can pretend to be another")
            }
            return network
        }
    }
}
