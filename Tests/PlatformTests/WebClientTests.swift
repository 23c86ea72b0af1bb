import Foundation
import FoundationNetworking
import Platform
import TestSupport
import Testing

struct WebClientTests {
    private static func request(_ server: ScriptedServer, _ path: String, _ body: String? = nil) throws -> URLRequest {
        var request = URLRequest(
            url: try #require(URL(string: "http://\(server.host)/\(path)")), timeoutInterval: 30)
        request.httpMethod = body == nil ? "GET" : "PUT"
        request.httpBody = body.map { Data($0.utf8) }
        return request
    }

    @Test func manyAtOnceShareConnections() async throws {
        let server = try ScriptedServer { .answer(200, [], "\($0.target) \(String(decoding: $0.body, as: UTF8.self))") }
        defer { server.stop() }
        let client = WebClient()
        for _ in 1...3 {
            try await withThrowingTaskGroup(of: (Int, String).self) { group in
                for number in 0..<100 {
                    let request = try Self.request(server, "\(number)", number % 2 == 0 ? nil : "body \(number)")
                    group.addTask {
                        let answer = try await client.send(request, limit: 1000)
                        return (number, String(decoding: answer.body, as: UTF8.self))
                    }
                }
                for try await (number, text) in group {
                    #expect(text == "/\(number) " + (number % 2 == 0 ? "" : "body \(number)"))
                }
            }
        }
        #expect(server.requests.count == 300)
        #expect(server.connections <= 16, "\(server.connections)")
    }

    @Test func whatIsCancelledKeepsNobody() async throws {
        let arrived = Signal()
        let server = try ScriptedServer { request in
            guard request.target == "/never" else { return .answer(204) }
            arrived.fire()
            return .hang
        }
        defer { server.stop() }
        let client = WebClient()
        let request = try Self.request(server, "never")
        let task = Task { try await client.send(request, limit: 1000) }
        #expect(await arrived.wait())
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try await client.send(Self.request(server, "other"), limit: 1000).status == 204)
    }

    @Test func whoWaitsForTheirTurnGetsItOrIsCancelled() async throws {
        let server = try ScriptedServer { $0.target == "/held" ? .hang : .answer(204) }
        defer { server.stop() }
        let client = WebClient()
        let held = (0..<16).map { _ in Task { try await client.send(Self.request(server, "held"), limit: 1000) } }
        #expect(await eventually { server.requests.count == 16 })
        let waiting = Task { try await client.send(Self.request(server, "waiting"), limit: 1000) }
        let cancelled = Task { try await client.send(Self.request(server, "cancelled"), limit: 1000) }
        cancelled.cancel()
        await #expect(throws: CancellationError.self) { try await cancelled.value }
        #expect(server.requests.count == 16)
        // Another host's does not wait for them.
        let other = try ScriptedServer { _ in .answer(200) }
        defer { other.stop() }
        #expect(try await client.send(Self.request(other, "free"), limit: 1000).status == 200)
        held[0].cancel()
        #expect(try await waiting.value.status == 204)
        for task in held { task.cancel() }
        for task in held { await #expect(throws: CancellationError.self) { try await task.value } }
    }

    @Test func anAnswerIsBoundedAndAnErrorCut() async throws {
        let server = try ScriptedServer { request in
            let text = String(repeating: "x", count: 100_000)
            return request.target == "/error"
                ? .answer(500, [], text) : .answer(200, [("X-A", "1"), ("x-a", "2")], text)
        }
        defer { server.stop() }
        let client = WebClient()
        let error = await #expect(throws: WebError.self) {
            try await client.send(Self.request(server, "long"), limit: 99_999)
        }
        #expect(error?.kind == .tooLong)
        let whole = try await client.send(Self.request(server, "long"), limit: 100_000)
        #expect(whole.body.count == 100_000 && whole.headers["x-a"] == "1, 2")
        let cut = try await client.send(Self.request(server, "error"), limit: 1_000_000)
        #expect(cut.status == 500 && cut.body.count == WebClient.errorBodyLimit)
    }

    /// A token that somebody else made up must not become a line of the head.
    @Test func aHeaderHoldsNoLines() async throws {
        let server = try ScriptedServer { _ in .answer(200) }
        defer { server.stop() }
        for value in ["a\r\nX-More: b", "a\nb", "a\u{0}"] {
            var request = try Self.request(server, "")
            request.setValue(value, forHTTPHeaderField: "Authorization")
            if request.value(forHTTPHeaderField: "Authorization") != value { continue }
            let error = await #expect(throws: WebError.self) { try await WebClient().send(request, limit: 10) }
            #expect(error?.kind == .unsendable)
        }
        #expect(server.requests.isEmpty)
    }

    @Test func clientsComeAndGo() async throws {
        let server = try ScriptedServer { _ in .answer(200) }
        defer { server.stop() }
        for _ in 1...200 { _ = try await WebClient().send(Self.request(server, ""), limit: 10) }
        #expect(server.connections == 200)
    }
}
