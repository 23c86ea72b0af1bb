import Foundation
import HTTP
import Platform
import TestSupport
import Testing

@Suite struct StopTests {
    private let quiet = Log(threshold: .error)

    @Test func runningRequestsAreAnswered() async throws {
        let began = Signal()
        let go = Signal()
        let server = HTTPServer(host: "127.0.0.1", port: 0, log: quiet) { _ in
            began.fire()
            _ = await go.wait()
            return .text(200, "in time")
        }
        try await server.start()
        let port = await server.port
        let idle = try RawConnection(port: port)
        let busy = try RawConnection(port: port)
        await busy.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(await began.wait())
        async let stopped: Void = server.stop(grace: .seconds(20))
        // Whoever has nothing under way is closed first; after that nobody new is let in.
        #expect(try await idle.readToEnd() == "")
        #expect(throws: RawConnection.Failure.self) { try RawConnection(port: port) }
        go.fire()
        let answer = try await busy.readToEnd()
        #expect(answer.hasSuffix("in time"))
        #expect(answer.contains("Connection: close"))
        await stopped
        await server.stop(grace: .zero)
        #expect(server.load.connections == 0)
    }

    @Test func streamsAreToldAtOnce() async throws {
        let server = HTTPServer(host: "127.0.0.1", port: 0, log: quiet) { _ in
            HTTPResponse(
                status: 200,
                body: .stream {
                    _ = await Signal().wait(.seconds(60))
                    return nil
                })
        }
        try await server.start()
        let follower = try RawConnection(port: await server.port)
        await follower.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(try await follower.read(until: "\r\n\r\n") != "")
        async let stopped: Void = server.stop(grace: .seconds(60))
        // It ended well, because its source did.
        #expect(try await follower.readToEnd().hasSuffix("0\r\n\r\n"))
        await stopped
    }

    @Test func handlersThatDoNotListenAreLeft() async throws {
        let began = Signal()
        let go = Signal()
        let server = HTTPServer(host: "127.0.0.1", port: 0, log: quiet) { _ in
            began.fire()
            // A task of its own doesn't hear of the cancellation.
            _ = await Task { await go.wait() }.value
            return .text(200, "too late")
        }
        try await server.start()
        let raw = try RawConnection(port: await server.port)
        await raw.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(await began.wait())
        await server.stop(grace: .milliseconds(50))
        #expect(try await raw.readToEnd() == "")
        go.fire()
        #expect(await eventually { server.load.requests == 0 })
    }

    @Test func cancelledHandlersMayStillAnswer() async throws {
        let began = Signal()
        let server = HTTPServer(host: "127.0.0.1", port: 0, log: quiet) { _ in
            began.fire()
            _ = await Signal().wait(.seconds(60))
            return .text(200, "nothing yet")
        }
        try await server.start()
        let raw = try RawConnection(port: await server.port)
        await raw.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(await began.wait())
        await server.stop(grace: .seconds(1))
        #expect(try await raw.readToEnd().hasSuffix("nothing yet"))
    }

    @Test func stoppingUnderLoadLosesNoAnswerThatBegan() async throws {
        let server = HTTPServer(host: "127.0.0.1", port: 0, log: quiet, handler: echo)
        try await server.start()
        let port = await server.port
        let first = Signal()
        let clients = (0..<8).map { _ in
            Task {
                let raw = try RawConnection(port: port)
                while await raw.send("GET /x HTTP/1.1\r\nHost: x\r\n\r\n") {
                    guard let answer = try? await raw.read(until: "GET /x 0") else { return }
                    first.fire()
                    if answer.contains("Connection: close") { return }
                }
            }
        }
        #expect(await first.wait())
        async let one: Void = server.stop(grace: .seconds(20))
        async let other: Void = server.stop(grace: .seconds(20))
        _ = await (one, other)
        for client in clients { try await client.value }
        #expect(await eventually { server.load.requests == 0 })
        #expect(server.load.connections == 0)
    }

    @Test func addressesThatCannotBeTakenAreTold() async throws {
        let first = HTTPServer(host: "localhost", port: 0, log: quiet, handler: echo)
        try await first.start()
        let port = await first.port
        #expect(port != 0)
        let second = HTTPServer(host: "127.0.0.1", port: port, log: quiet, handler: echo)
        await #expect(throws: HTTPServerError.addressInUse("127.0.0.1:\(port)")) { try await second.start() }
        await #expect(throws: HTTPServerError.startedBefore("localhost:\(port)")) { try await first.start() }
        await first.stop(grace: .zero)
        // The address is free at once.
        try await second.start()
        await second.stop(grace: .zero)
        let elsewhere = HTTPServer(host: "192.0.2.1", port: 0, log: quiet, handler: echo)
        await #expect(throws: HTTPServerError.notOfThisMachine("192.0.2.1:0")) { try await elsewhere.start() }
        let nowhere = HTTPServer(host: "builds.example.com", port: 0, log: quiet, handler: echo)
        await #expect(throws: HTTPServerError.unknownHost("builds.example.com")) { try await nowhere.start() }
    }

    @Test(arguments: ["::", "0.0.0.0"])
    func wildcardsTakeIPv4(host: String) async throws {
        let server = HTTPServer(host: host, port: 0, log: quiet) { .text(200, $0.remoteAddress) }
        do {
            try await server.start()
        } catch HTTPServerError.system(_, "socket", _) where host == "::" {
            // A machine without IPv6 has nothing to show here.
            return
        }
        #expect(try await HTTPClient(port: await server.port).get("/").text == "127.0.0.1")
        await server.stop(grace: .zero)
    }
}
