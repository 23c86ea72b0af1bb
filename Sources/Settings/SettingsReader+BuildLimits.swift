import Model

/// What one rule's builds may take of the machine.
extension SettingsReader {
    /// `memory`, `cpus`, `processes` and `network` of a rule.
    func buildLimits(_ fields: Fields) -> Rule.Limits {
        var limits = Rule.Limits()
        if let node = fields["memory"], let size = size(node, "memory", examples: "512MiB or 2GiB") {
            // Less than this no builder starts in.
            if size >= 32 << 20 {
                limits.memory = size
            } else {
                report.error(node.position, "memory is less than 32MiB, which no builder can run in")
            }
        }
        if let node = fields["cpus"] { limits.cpus = cpus(node) }
        if let node = fields["processes"] { limits.processes = integer(node, "processes", 16...4_194_304) }
        if let node = fields["network"], let network = choice(node, "network", Rule.Limits.Network.self) {
            limits.network = network
        }
        return limits
    }

    private func cpus(_ node: Node) -> Double? {
        guard let text = text(node, "cpus") else { return nil }
        guard text.wholeMatch(of: /[0-9]{1,4}(\.[0-9]{1,3})?/) != nil, let count = Double(text),
            (0.05...1024).contains(count)
        else {
            report.error(node.position, "cpus is \"\(text.excerpt())\"; a number from 0.05 to 1024 as 1.5 can be")
            return nil
        }
        return count
    }
}
