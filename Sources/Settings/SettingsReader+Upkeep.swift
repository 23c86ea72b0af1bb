import Model

/// `poll`, `base_poll`, `sweep`, `keep` and `disk`.
extension SettingsReader {
    /// - Returns: nil for `off`.
    func poll(_ node: Node, _ name: String) -> Duration? {
        unlessOff(node) { duration($0, name, 10...7 * 86400, examples: "30s, 5m or 1h, or off") }
            .map { .seconds($0) }
    }

    func sweep(_ node: Node) -> Sweep {
        var sweep = Sweep()
        guard let fields = Fields(node, "sweep", keys: ["every", "repair"], report) else { return sweep }
        if let node = fields["every"] {
            let every = unlessOff(node) { duration($0, "every", 1...30 * 86400, examples: "30m, 1h or 1d, or off") }
            sweep.every = every.map { .seconds($0) }
        }
        if let node = fields["repair"], let repairs = truth(node, "repair") { sweep.repairs = repairs }
        return sweep
    }

    func keep(_ node: Node) -> Keep {
        var keep = Keep()
        guard let fields = Fields(node, "keep", keys: ["builds", "logs", "deliveries"], report) else { return keep }
        if let node = fields["builds"] { keep.builds = bound(node, "builds", keep.builds) }
        if let node = fields["logs"] { keep.logs = bound(node, "logs", keep.logs) }
        if let node = fields["deliveries"] { keep.deliveries = bound(node, "deliveries", keep.deliveries) }
        return keep
    }

    /// - Parameter usual: what holds for a key that is left out.
    private func bound(_ node: Node, _ name: String, _ usual: Keep.Bound) -> Keep.Bound {
        if isOff(node) { return Keep.Bound() }
        var bound = usual
        guard let fields = Fields(node, name, keys: ["age", "count"], report) else { return bound }
        if let node = fields["age"] {
            let age = unlessOff(node) { duration($0, "age", 1...36500 * 86400, examples: "12h, 30d or 365d, or off") }
            bound.age = age.map { .seconds($0) }
        }
        if let node = fields["count"] { bound.count = unlessOff(node) { integer($0, "count", 1...10_000_000) } }
        return bound
    }

    func disk(_ node: Node) -> Disk {
        var disk = Disk()
        guard let fields = Fields(node, "disk", keys: ["min_free", "cache"], report) else { return disk }
        if let node = fields["min_free"], let size = size(node, "min_free", examples: "512MiB, 1GiB or 2GB") {
            disk.minimumFree = size
        }
        if let node = fields["cache"] {
            disk.cacheBudget = unlessOff(node) { size($0, "cache", examples: "512MiB, 20GiB or 50GB, or off") }
        }
        return disk
    }

    private func isOff(_ node: Node) -> Bool {
        if case .text("off", _) = node.content { true } else { false }
    }

    /// - Returns: nil for `off`; and for a fault, after which nobody asks for the settings.
    private func unlessOff<Value>(_ node: Node, _ read: (Node) -> Value?) -> Value? {
        isOff(node) ? nil : read(node)
    }
}
