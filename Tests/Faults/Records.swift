import Foundation
import TestSupport

/// What the servers say of builds, held against what the database holds.
struct Records {
    let fleet: Fleet
    private var world: World { fleet.world }

    /// Every build is told as it is stored, by each server, and every log is whole.
    func check(_ builds: [Ledger.Build]) async throws {
        for server in fleet.servers { try await checkStates(builds, by: server) }
        try await checkLogs(builds)
    }

    private func checkStates(_ builds: [Ledger.Build], by server: FleetMember) async throws {
        struct List: Decodable {
            struct Build: Decodable {
                var id: Int
                var state: String
                var digest: String?
            }
            var builds: [Build]
        }
        let said = try await said(by: server, "status", "--json", "-n", "\(builds.count + 1)")
        let shown = try JSONDecoder().decode(List.self, from: Data(said.utf8)).builds
        let stored = builds.map { "\($0.id) \($0.state) \($0.digest ?? "")" }
        if shown.map({ "\($0.id) \($0.state) \($0.digest ?? "")" }).sorted() != stored.sorted() {
            world.findings.add(
                "\(server.host.name) tells \(shown.count) builds otherwise than the \(stored.count) stored")
        }
    }

    /// What `slipway` says where it is asked for a server; one that has lost its database finds it again in a while.
    private func said(by server: FleetMember, _ words: String...) async throws -> String {
        let environment = [
            "SLIPWAY_URL": await server.keeper.running().url, "SLIPWAY_TOKEN": Desk.token + "-ops",
        ]
        let end = ContinuousClock.now + .seconds(60)
        while true {
            do {
                return try await fleet.hosts["sender"].run(Service.program, words, environment: environment)
            } catch {
                guard ContinuousClock.now < end else { throw error }
                try await Task.sleep(for: .seconds(1))
            }
        }
    }

    private func checkLogs(_ builds: [Ledger.Build]) async throws {
        struct Torn: Decodable { var id: Int }
        let torn: [Torn] = try await world.ledger.rows(
            """
            SELECT id FROM builds LEFT JOIN (
                SELECT build, sum(length(bytes)) AS bytes, bool_and("offset" = before) AS is_whole FROM (
                    SELECT build, "offset", bytes,
                        coalesce(sum(length(bytes)) OVER (PARTITION BY build ORDER BY "offset"), 0) - length(bytes) AS before
                    FROM log_chunks) AS chunks
                GROUP BY build) AS logs ON build = id
            WHERE coalesce(bytes, 0) <> log_length OR is_whole = false
            """)
        for build in torn { world.findings.add("the log of build \(build.id) has a gap, or lacks its end") }
        for build in builds where build.state == "finished" {
            let reply = await world.send("GET", "/api/v1/builds/\(build.id)/log", [:], nil)
            world.counts.add("logs read")
            let last = reply?.text.split(separator: "\n").last ?? "no answer"
            guard reply?.text.contains("slipway: fetching") == true, last.contains("finished: "),
                last.hasSuffix(build.digest ?? "no digest")
            else {
                world.findings.add("\(build.shown) has no whole log: \(last)")
                continue
            }
        }
    }
}
