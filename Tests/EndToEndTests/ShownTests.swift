import Foundation
import Platform
import TestSupport
import Testing

/// What the program makes of a service's answers, for those that a real one gives only for moments.
@Suite struct ShownTests {
    private func slipway(_ server: ScriptedServer, _ arguments: String...) async throws -> ProgramRun {
        try await ProgramRun.slipway(arguments, environment: ["SLIPWAY_URL": "http://\(server.host)"])
    }

    private static func build(_ id: Int, _ state: String, _ more: [String: Any] = [:]) -> [String: Any] {
        [
            "id": id, "repository": "acme/shop", "state": state, "ref": "refs/heads/main", "rule": 1,
            "dockerfile": "Dockerfile", "context": "/", "image": "localhost:5000/acme/shop", "tags": [Any](),
            "cause": ["kind": "webhook", "host": "github"], "attempt": 2, "tries": 2,
            "created_at": "2026-11-21T02:43:08.120Z", "url": "http://x", "log_url": "http://x",
        ].merging(more) { $1 }
    }

    private static func json(_ value: Any) -> ScriptedServer.Reply {
        let data = (try? JSONSerialization.data(withJSONObject: value)) ?? Data()
        return .answer(200, [("Content-Type", "application/json")], String(decoding: data, as: UTF8.self))
    }

    private static let hostile = "\u{1b}]0;owned\u{7}\u{9b}2J\u{1b}[31mred"

    private static var builds: [[String: Any]] {
        let again = ["kind": "system", "stage": "push", "message": "registry answered 503\nand more"]
        return [
            build(
                1, "pending", ["retry_at": Timestamp.text(Date(timeIntervalSinceNow: 1000)), "error": again]),
            build(2, "building", ["stop": "cancelled", "reason": "cancelled by ops: the wrong branch"]),
            build(3, "pushing", ["stop": "superseded", "superseded_by": 4, "reason": "a newer push"]),
            build(4, "superseded", ["superseded_by": 43, "reason": "a newer push"]),
            build(5, "pending", ["error": again]),
            build(6, "cancelled", ["reason": hostile]),
        ]
    }

    private func server(tags: [[String: Any]]? = nil, waits: [String] = []) throws -> ScriptedServer {
        let repository = Self.json(tags.map { ["tags": $0] } ?? ["name": "acme/shop"])
        return try ScriptedServer { request in
            let path = request.target.split(separator: "?")[0]
            if let id = path.split(separator: "/").last.flatMap({ Int($0) }) { return Self.json(Self.builds[id - 1]) }
            switch path {
            case "/api/v1/builds": return Self.json(["builds": Array(Self.builds.reversed())])
            case "/api/v1/service":
                return Self.json([
                    "version": "1", "url": "http://x", "since": "2026-11-21T02:43:08.120Z", "pending": 2, "running": 2,
                    "retries": 5, "waits": waits,
                ])
            case "/api/v1/repositories/acme/shop": return repository
            default: return .answer(404)
            }
        }
    }

    @Test(.timeLimit(.minutes(6)))
    func whatBecomesOfBuilds() async throws {
        let server = try server(waits: ["builds wait: paused by ops\(Self.hostile)"])
        defer { server.stop() }
        let table = try await slipway(server, "status")
        #expect(table.status == 0 && table.errors == "builds wait: paused by ops\u{1b}[31mred\u{1b}[0m\n", "\(table)")
        let lines = table.output.split(separator: "\n").map(String.init)
        #expect(lines.count == 7, "\(table)")
        for (line, end) in zip(
            lines.dropFirst(),
            [
                "trying again in 16 min (2 of 5): registry answered 503",
                "stopping: cancelled by ops: the wrong branch", "stopping: superseded by 4", "superseded by 43",
                "trying again (2 of 5): registry answered 503", "  red",
            ])
        {
            #expect(line.hasSuffix(end), "\(line)")
        }
        let one = try await slipway(server, "status", "1")
        #expect(one.output.contains("pending (attempt 2), trying again in 16 min (2 of 5)\n"), "\(one)")
        #expect(one.output.contains("failed in push, by the system\n  registry answered 503\n  and more"), "\(one)")
        #expect(one.errors.contains("builds wait: paused by ops"), "\(one)")
        #expect(
            try await slipway(server, "status", "2").output.contains("building (attempt 2), stopping: cancelled by"))
        #expect(try await slipway(server, "status", "4").output.contains("superseded (attempt 2) by 43\n"))
        // A program gets every character, but none as a command.
        let json = try await slipway(server, "status", "6", "--json")
        #expect(json.output.contains(#"]0;owned\u0007\u009b2J"#) && !json.output.contains("\u{9b}"), "\(json)")
        let object = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
        #expect(object?["reason"] as? String == Self.hostile)
    }

    @Test(.timeLimit(.minutes(6)))
    func tagsThatSomebodyElseMoved() async throws {
        let since = "2026-11-21T02:43:08.120Z"
        let digest = "sha256:" + String(repeating: "ab", count: 32)
        let server = try server(tags: [
            ["name": "latest", "build": 12, "moved_elsewhere": ["digest": digest, "since": since]],
            ["name": "1.4", "build": 13, "moved_elsewhere": NSNull()],
            ["name": "1", "build": 14, "moved_elsewhere": ["digest": NSNull(), "since": since]],
        ])
        defer { server.stop() }
        let run = try await slipway(server, "status", "acme/shop")
        #expect(
            run.errors == """
                tag latest is at sha256:abababababab, which Slipway did not put there, since \(since); it was at build 12
                tag 1 is gone from the registry since \(since); it was at build 14

                """, "\(run)")
        #expect(try await slipway(server, "status", "acme/shop", "--json").errors.isEmpty)
        // A service that tells of no tags, and a repository that is in the settings no more.
        let silent = try self.server()
        defer { silent.stop() }
        #expect(try await slipway(silent, "status", "acme/shop").errors.isEmpty)
        let gone = try await slipway(silent, "status", "acme/gone")
        #expect(gone.status == 0 && gone.errors.isEmpty, "\(gone)")
    }

    @Test(.timeLimit(.minutes(6)))
    func aServiceThatAnswersWithCommands() async throws {
        let problem = String(
            decoding: try JSONSerialization.data(withJSONObject: ["title": "No\(Self.hostile)"]), as: UTF8.self)
        let server = try ScriptedServer { _ in .answer(500, [], problem) }
        defer { server.stop() }
        let run = try await slipway(server, "status")
        #expect(run.status == 2)
        #expect(run.errors.hasSuffix("answered 500: No\u{1b}[31mred\u{1b}[0m\n"), "\(run)")
    }

    /// A build that was faster than its cancel has ended otherwise.
    @Test(.timeLimit(.minutes(6)), arguments: [("cancelled", 0), ("superseded", 0), ("finished", 2)])
    func cancelWaitsForTheEnd(end: String, status: Int32) async throws {
        let server = try ScriptedServer { request in
            request.method == "POST"
                ? Self.json(Self.build(7, "building", ["stop": "cancelled", "reason": "cancelled"]))
                : Self.json(Self.build(7, end))
        }
        defer { server.stop() }
        #expect(try await slipway(server, "cancel", "7").status == 0)
        let run = try await slipway(server, "cancel", "7", "--wait")
        #expect(run.status == status && run.errors.contains("stopping: cancelled"), "\(run)")
        #expect(run.output.contains("build 7  \(end)"), "\(run)")
    }
}
