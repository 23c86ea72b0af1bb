import Foundation
import Synchronization
import TestSupport
import Testing

extension EndToEnd {
    /// Requests as no host sends them; `Tests/Fuzz/run.sh` sends more.
    @Suite struct FuzzTests {
        private static let program = URL(filePath: Service.program).deletingLastPathComponent().appending(path: "Fuzz")
            .path
        /// Beside the project, not within it.
        private static let payloads = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../../shared/webhooks").standardizedFileURL.path

        /// Through the intake in processes of their own, where a crash is seen as such.
        @Test(
            .enabled(if: FileManager.default.isExecutableFile(atPath: program), "the program Fuzz is not built"),
            .timeLimit(.minutes(25)))
        func theIntake() async throws {
            var payloads: [String] = []
            if FileManager.default.fileExists(atPath: Self.payloads) {
                payloads = ["--payloads", Self.payloads]
            } else {
                print("FuzzTests: \(Self.payloads) is missing, so only the project's own payloads are mutated")
            }
            // Two at a time: one keeps a core busy.
            try await withThrowingTaskGroup(of: Void.self) { group in
                for seed in ["3", "4"] {
                    group.addTask { [payloads] in
                        let folder = try TemporaryDirectory()
                        let said = try await Command.run(
                            Self.program, ["--variants", "100000", "--seed", seed] + payloads, in: folder.path)
                        let last = said.split(separator: "\n").last.map(String.init) ?? ""
                        #expect(last.hasPrefix("good: ") && last.contains(" 100000 variants: "), "\(said)")
                        print(said)
                    }
                }
                try await group.waitForAll()
            }
        }

        /// Over real sockets: heads with changed bytes, lengths that lie, and chunks that are none.
        @Test(.timeLimit(.minutes(6)))
        func theSocket() async throws {
            let folder = try TemporaryDirectory()
            let config = try folder.write(
                """
                listen: 127.0.0.1:0
                data: \(folder["data"])
                workers: 0
                limits: {delay: 0s, per_address: off, per_token: off}
                repositories:
                  acme/shop:
                    source: https://git.example.com/acme/shop.git
                    image: localhost:5000/acme/shop
                    webhook_secret: "\(OddRequests.secret)"
                    trigger_tokens: ["\(OddRequests.token)"]
                    rules: [{branch: main, tags: latest}]
                """, to: "slipway.yaml")
            let service = try await Service.start(config: config)
            let port = try #require(URL(string: service.url)?.port.flatMap { UInt16(exactly: $0) })
            let first = try await sendAll(250, lane: 0, to: port)
            let before = try Self.resident(service.pid)
            let tally = try await withThrowingTaskGroup(of: [Int: Int].self) { group in
                for lane in 1...8 { group.addTask { try await sendAll(500, lane: lane, to: port) } }
                return try await group.reduce(into: first) { $0.merge($1, uniquingKeysWith: +) }
            }
            print(
                "FuzzTests: \(tally.sorted { $0.key < $1.key }.map { "\($0.value) x \($0.key)" }.joined(separator: ", "))"
            )
            #expect(tally.values.reduce(0, +) == 4250)
            // 501 and 505 are what HTTP has for a coding and a version that a server doesn't know.
            #expect(tally.keys.filter { $0 >= 500 && $0 != 501 && $0 != 505 }.isEmpty, "\(tally)")
            // What is right still is: each kind of answer came.
            for status in [200, 202, 400, 401, 404] { #expect(tally[status, default: 0] > 0, "\(tally)") }
            // Of those whose answer nobody waited for too.
            #expect(!service.log.contains(" error "), "\(service.log)")
            #expect(service.process.isRunning)
            #expect(try await service.request("GET", "/healthz").status == 200)
            #expect(try await service.request("GET", "/readyz").status == 200)
            #expect(try Self.resident(service.pid) - before < 64, "in MB")
            #expect(await service.stop() == 0)
        }

        /// In MB.
        private static func resident(_ pid: Int32) throws -> Int {
            let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
            let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
            return try #require(line.flatMap { Int($0.split(whereSeparator: \.isWhitespace)[1]) }) >> 10
        }
    }
}

/// Sends requests one after the other, each on a connection of its own.
///
/// - Returns: how often each status came; 0 where the connection was closed without an answer, or the server could not
///   know that it must answer.
private func sendAll(_ count: Int, lane: Int, to port: UInt16) async throws -> [Int: Int] {
    var requests = OddRequests(seed: UInt64(lane))
    var tally: [Int: Int] = [:]
    for _ in 0..<count {
        let (bytes, isEnded) = requests.next()
        let connection = try RawConnection(port: port)
        await connection.send(bytes)
        var status = 0
        if isEnded {
            do {
                let answer = try await connection.readToEnd().replacing("HTTP/1.1 100 Continue\r\n\r\n", with: "")
                status = answer.isEmpty ? 0 : Int(answer.dropFirst(9).prefix(3)) ?? 999
            } catch {
                let request = String(decoding: bytes.prefix(4000), as: UTF8.self)
                throw Service.NotStarted(description: "\(error), to \(request.debugDescription)")
            }
        }
        await connection.close()
        tally[status, default: 0] += 1
    }
    return tally
}
