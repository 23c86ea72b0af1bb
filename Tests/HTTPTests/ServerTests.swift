import Foundation
import HTTP
import Platform
import Synchronization
import TestSupport
import Testing

@Suite struct ServerTests {
    @Test func requestsArriveWhole() async throws {
        let handler: @Sendable (HTTPRequest) async -> HTTPResponse = { request in
            let fields = request.headers("X-Repeated").joined(separator: ",")
            return .text(
                201,
                "\(request.method) \(request.path) \(request.query("q") ?? "") \(fields) \(request.remoteAddress) "
                    + String(decoding: request.body, as: UTF8.self))
        }
        try await withServer(handler: handler) { _, port in
            let raw = try RawConnection(port: port)
            await raw.send(
                "POST /a%20b?q=1+2 HTTP/1.1\r\nHost: x\r\nx-repeated: 1\r\nX-REPEATED: 2\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody"
            )
            let answer = try await raw.readToEnd()
            #expect(answer.hasPrefix("HTTP/1.1 201 Created\r\n"))
            #expect(answer.hasSuffix(#"POST ["a b"] 1 2 1,2 127.0.0.1 body"#))
        }
    }

    @Test func bigBodiesGoBothWays() async throws {
        let handler: @Sendable (HTTPRequest) async -> HTTPResponse = {
            HTTPResponse(status: 200, body: .data(Data($0.body.reversed())))
        }
        try await withServer(handler: handler) { _, port in
            let body = Data((0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
            let answer = try await HTTPClient(port: port).request("POST", "/", body: body)
            #expect(answer.body == Data(body.reversed()))
        }
    }

    @Test func manyAtOnceGetTheirOwnAnswers() async throws {
        try await withServer(handler: { .text(200, $0.path.joined(separator: "-")) }) { server, port in
            let right = try await withThrowingTaskGroup(of: Int.self) { group in
                for client in 0..<64 {
                    group.addTask {
                        let raw = try RawConnection(port: port)
                        var right = 0
                        for request in 0..<100 {
                            await raw.send("GET /\(client)/\(request)/end HTTP/1.1\r\nHost: x\r\n\r\n")
                            if try await raw.read(until: "-end").hasSuffix("\(client)-\(request)-end") { right += 1 }
                        }
                        await raw.close()
                        return right
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(right == 6400)
            // Nothing of a request is left once it was answered.
            #expect(await eventually { server.load.requests == 0 && server.load.connections == 0 })
        }
    }

    @Test func aHandlerMayTakeItsTime() async throws {
        let go = Signal()
        let handler: @Sendable (HTTPRequest) async -> HTTPResponse = { request in
            if request.rawPath == "/slow" { _ = await go.wait() }
            return .text(200, "done")
        }
        try await withServer(handler: handler) { _, port in
            let slow = Task { try await HTTPClient(port: port).get("/slow") }
            let quick = try await HTTPClient(port: port).get("/quick")
            #expect(quick.text == "done")
            go.fire()
            let answer = try await slow.value
            #expect(answer.text == "done")
        }
    }

    @Test func pipelinedRequestsAreAnsweredInOrder() async throws {
        try await withServer(handler: echo) { _, port in
            let raw = try RawConnection(port: port)
            await raw.send(
                "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nPOST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
                    + "GET /3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            let answers = try await raw.readToEnd()
            let bodies = answers.components(separatedBy: "HTTP/1.1 200 OK").dropFirst().compactMap {
                $0.components(separatedBy: "\r\n\r\n").last
            }
            #expect(bodies == ["GET /1 0", "POST /2 3", "GET /3 0"])
        }
    }

    @Test func olderClientsAreClosed() async throws {
        try await withServer(handler: echo) { _, port in
            let raw = try RawConnection(port: port)
            await raw.send("GET /old HTTP/1.0\r\n\r\n")
            #expect(try await raw.readToEnd().hasSuffix("GET /old 0"))
        }
    }

    @Test func headIsAnsweredWithoutABody() async throws {
        try await withServer(handler: { _ in .text(200, "twelve bytes") }) { _, port in
            let raw = try RawConnection(port: port)
            await raw.send("HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            let answer = try await raw.readToEnd()
            #expect(answer.contains("Content-Length: 12\r\n"))
            #expect(answer.hasSuffix("\r\n\r\n"))
        }
    }

    @Test func bodiesAreAskedForWhereTheClientWaits() async throws {
        try await withServer(handler: echo) { _, port in
            let raw = try RawConnection(port: port)
            await raw.send(
                "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n")
            #expect(try await raw.read(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
            await raw.send("ok")
            #expect(try await raw.readToEnd().hasSuffix("POST / 2"))
        }
    }

    @Test func aHeaderCannotBringAnother() async throws {
        let handler: @Sendable (HTTPRequest) async -> HTTPResponse = { _ in
            HTTPResponse(status: 200, headers: [("X-A", "1\r\nX-Evil: 1"), ("X-B", "2")])
        }
        let said = Mutex("")
        let log = Log(threshold: .error) { line in said.withLock { $0 += line } }
        let server = HTTPServer(host: "127.0.0.1", port: 0, log: log, handler: handler)
        try await server.start()
        let answer = try await HTTPClient(port: await server.port).get("/")
        await server.stop(grace: .zero)
        #expect(answer.header("X-Evil") == nil)
        #expect(answer.header("X-B") == "2")
        #expect(said.withLock { $0 }.contains("name=X-A"))
    }

    @Test func noAddressReachesTheLog() async throws {
        let said = Mutex("")
        let log = Log(threshold: .debug) { line in said.withLock { $0 += line } }
        let server = HTTPServer(host: "127.0.0.1", port: 0, limits: limits { $0.body = 10 }, log: log, handler: echo)
        try await server.start()
        let raw = try RawConnection(port: await server.port)
        // libmicrohttpd can't send its 100 after the refusal, and says so with the address.
        await raw.send(
            "POST /triggers/s3cret HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n")
        #expect(try await raw.readToEnd().hasPrefix("HTTP/1.1 413"))
        await server.stop(grace: .zero)
        let lines = said.withLock { $0 }
        #expect(lines.contains("request for"))
        #expect(!lines.contains("s3cret"))
    }

    // What comes, and how the first line of the answer begins; none means closed without an answer.
    @Test(arguments: [
        // Not HTTP, or half of it.
        ("\u{16}\u{3}\u{1}\u{2}\r\n\r\n", ""),
        ("GET\r\n\r\n", ""),
        ("GET / HTTP/9.9\r\nHost: x\r\n\r\n", "HTTP/1.1 505"),
        // HTTP/1.1 wants to know the host.
        ("GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400"),
        ("GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n", "HTTP/1.1 400"),
        // Addresses that can't be decoded.
        ("GET /%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 400"),
        ("GET nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 400"),
        ("POST /%ff HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\nab", "HTTP/1.1 400"),
        // Two opinions on where the body ends.
        ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc", "HTTP/1.1 400"),
        (
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "HTTP/1.1 400"
        ),
        ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", "HTTP/1.1 400"),
        ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 400"),
        ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9223372036854775808\r\n\r\n", "HTTP/1.1 413"),
        ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551615\r\n\r\n", "HTTP/1.1 413"),
        ("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", "HTTP/1.1 501"),
        ("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n", "HTTP/1.1 400"),
    ])
    func malformedInputIsRefused(input: String, answer: String) async throws {
        try await withServer(handler: echo) { server, port in
            let raw = try RawConnection(port: port)
            await raw.send(input)
            await raw.finishSending()
            let read = try await raw.readToEnd()
            #expect(answer.isEmpty ? read.isEmpty : read.hasPrefix(answer))
            // It goes on for others.
            #expect(try await HTTPClient(port: port).get("/ok").status == 200)
        }
    }
}
