extension Rule {
    /// What a build may take of the machine while its image is built; its time is limited by `timeout`.
    package struct Limits: Sendable, Codable, Equatable {
        /// What the steps of a Dockerfile reach.
        package enum Network: String, Sendable, Codable, CaseIterable {
            /// What the engine gives them by itself.
            case `default`
            /// Nothing but a loopback of their own; base images are fetched all the same.
            case none
        }

        /// Bytes; nil is no limit.
        package var memory: Int?
        /// Processors' worth of time: 1.5 is one and a half.
        package var cpus: Double?
        /// Processes and threads at once.
        package var processes: Int?
        package var network: Network

        package init(
            memory: Int? = nil, cpus: Double? = nil, processes: Int? = nil, network: Network = .default
        ) {
            self.memory = memory
            self.cpus = cpus
            self.processes = processes
            self.network = network
        }

        /// The keys of those that are set, as in the settings.
        package var names: [String] {
            (memory == nil ? [] : ["memory"]) + (cpus == nil ? [] : ["cpus"])
                + (processes == nil ? [] : ["processes"]) + (network == .default ? [] : ["network"])
        }

        /// Bytes as people write them: `512 MiB`.
        package static func shown(bytes: Int) -> String {
            let units = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)]
            guard let unit = units.first(where: { bytes >= $0.1 && bytes % $0.1 == 0 }) else { return "\(bytes) bytes" }
            return "\(bytes / unit.1) \(unit.0)"
        }
    }
}
