import Foundation
import TestSupport

/// A host with one program of the service, its settings and its data.
struct FleetMember: Sendable {
    let host: NetworkHost
    let folder: String
    let keeper: Keeper
    /// Nil where it has the machine's.
    let clock: FakeTime?

    /// In seconds: of the first server ahead, of the first worker behind.
    private static let shift = 600

    var isServer: Bool { Self.isServer(host) }
    private static func isServer(_ host: NetworkHost) -> Bool { host.name.hasPrefix("server") }

    /// Where a server listens.
    static func place(_ host: NetworkHost) -> String { "\(host.address):8080" }

    static func settings(_ host: NetworkHost, _ folder: String, _ database: String) -> String {
        """
        listen: \(place(host))
        data: "\(folder)/\(host.name)/data"
        database: "\(database)"
        workers: \(isServer(host) ? 0 : 2)
        poll: off
        access: [{name: ops, token: "\(Desk.token)-ops", role: admin}]
        """
    }

    static func make(
        _ host: NetworkHost, _ settings: String, _ engine: Options.Engine, in folder: String, counts: Counts,
        findings: Findings
    ) async throws -> FleetMember {
        let place = "\(folder)/\(host.name)"
        var environment = try prepare(place, of: engine, in: folder)
        var clock: FakeTime?
        if host.name.hasSuffix("1") { clock = try await FakeTime.make(in: place) }
        try clock?.step(by: isServer(host) ? shift : -shift)
        environment.merge(clock?.environment ?? [:]) { $1 }
        let config = place + "/slipway.yaml"
        try Data(settings.utf8).write(to: URL(filePath: config))
        let launcher = host.launcher + [Service.program]
        let keeper = Keeper(counts: counts, findings: findings) { [environment] in
            if isServer(host) {
                return try await Service.start(
                    config: config, environment: environment, grace: "2s", launcher: launcher)
            }
            return try await Service.startWorker(
                config: config, name: host.name, environment: environment, grace: "2s", launcher: launcher)
        }
        return FleetMember(host: host, folder: place, keeper: keeper, clock: clock)
    }

    /// The stand-ins of all machines note what they do in one journal, and see each other run.
    private static func prepare(
        _ place: String, of engine: Options.Engine, in folder: String
    ) throws -> [String: String] {
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: folder + "/running", withIntermediateDirectories: true)
        for name in ["running", "journal"] {
            try FileManager.default.createSymbolicLink(
                atPath: "\(place)/\(name)", withDestinationPath: "\(folder)/\(name)")
        }
        return try engine.prepare(in: place)
    }
}
