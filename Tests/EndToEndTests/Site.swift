import Foundation
import Platform
import TestSupport
import Testing

/// Several machines with one queue in PostgreSQL: each a process with a data directory of its own, all on one bed's
/// registry and repository.
final class Site: Sendable {
    let bed: Bed
    private let database: String

    static let isPossible = PostgreSQLServer.programs != nil && Machine.has("buildah", "docker-registry", "git")

    init(rules: String = "", poll: String = "off", more: String = "") async throws {
        let server = try #require(try await PostgreSQLServer.shared())
        bed = try await Bed(workers: 0, rules: rules, poll: poll, start: false)
        database = URL(fileURLWithPath: bed.path).lastPathComponent
        // Where all tests run on PostgreSQL, the bed's database is this one.
        try bed.replace("database: sqlite", "database: \(try await server.database(database))")
        try bed.append(settings: more)
    }

    private func folder(_ name: String) -> String { "\(bed.path)/\(name.replacing("/", with: "-"))" }

    /// The settings of a machine.
    private func settings(_ name: String, workers: Int, labels: [String]) throws -> String {
        let folder = folder(name)
        let config = "\(folder).yaml"
        let text = try String(contentsOfFile: bed.config, encoding: .utf8)
            .replacing("data: \(bed.path)/data", with: "data: \(folder)")
            .replacing("workers: 0", with: "workers: \(workers)")
        let worker = "worker: {name: \(name), labels: [\(labels.joined(separator: ", "))]}\n"
        try (text + "\n" + worker).write(toFile: config, atomically: true, encoding: .utf8)
        return config
    }

    /// Each machine has an engine storage of its own.
    private func environment(_ name: String) throws -> [String: String] {
        let storage = """
            [storage]
            driver = "overlay"
            graphroot = "\(folder(name))-storage"
            runroot = "\(folder(name))-run"
            """
        let file = folder(name) + "-storage.conf"
        try storage.write(toFile: file, atomically: true, encoding: .utf8)
        return ["CONTAINERS_STORAGE_CONF": file]
    }

    /// A machine that receives, and builds nothing.
    func serve(_ name: String) async throws -> Service {
        try await Service.start(
            config: settings(name, workers: 0, labels: []), environment: environment(name), grace: "1s")
    }

    func work(_ name: String, _ labels: String...) async throws -> Service {
        let config = try settings(name, workers: 2, labels: labels)
        // Its earlier lives wrote to the same log.
        let lives =
            (try? String(contentsOfFile: config + ".log", encoding: .utf8))?.ranges(of: "info working").count ?? 0
        let worker = try await Service.startWorker(config: config, environment: environment(name))
        try await worker.waitUntilItSays("info working", times: lives + 1)
        return worker
    }

    /// What the program says of a service, where it ends well.
    func slipway(_ service: Service, _ arguments: String...) async throws -> String {
        try await Command.run(Service.program, arguments, environment: ["SLIPWAY_URL": service.url])
    }

    /// A commit with these files, on a branch, that nobody is told of.
    func commit(_ text: String, to branch: String, dockerfile: String? = nil) throws -> String {
        try bed.write(text, dockerfile)
        let commit = try bed.git.commit("Say \(text)")
        try bed.git.push("refs/heads/\(branch)", force: true)
        return commit
    }

    /// A webhook, as the Git host sends it.
    func tell(
        _ service: Service, _ branch: String, _ commit: String, sender: String = UUID().uuidString,
        secret: String = Bed.secret
    ) async throws -> Service.Reply {
        let body = Webhook(ref: "refs/heads/\(branch)", commit: commit, secret: Bed.secret).body
        return try await service.request(
            "POST", "/webhooks/acme/shop",
            headers: [
                "Content-Type": "application/json", "X-GitHub-Event": "push", "X-GitHub-Delivery": sender,
                "X-Hub-Signature-256": "sha256=" + Crypto.hmacSHA256(key: Data(secret.utf8), body).hex,
            ], body: body)
    }

    func stop(_ machines: Service...) async throws {
        for machine in machines { await machine.stop() }
        await bed.stop()
        try await PostgreSQLServer.shared()?.drop(database)
    }
}
