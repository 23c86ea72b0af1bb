import Foundation
import HTTP
import Synchronization
import TestSupport
import Testing

@Suite struct LimitTests {
    @Test func declaredBodiesOverTheLimitAreRefusedUnread() async throws {
        try await withServer(limits { $0.body = 1000 }, handler: echo) { _, port in
            let raw = try RawConnection(port: port)
            // Not a byte of the body was sent when the answer comes.
            await raw.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n")
            let answer = try await raw.readToEnd()
            #expect(answer.hasPrefix("HTTP/1.1 413 Content Too Large\r\n"))
            #expect(answer.contains("application/problem+json"))
            #expect(answer.contains("longer than 1000 bytes"))
        }
    }

    @Test func theLimitItselfIsTaken() async throws {
        try await withServer(limits { $0.body = 1000 }, handler: echo) { _, port in
            let answer = try await HTTPClient(port: port).request("POST", "/", body: Data(count: 1000))
            #expect(answer.text == "POST / 1000")
        }
    }

    @Test func clientsThatSendAnywayReadTheRefusal() async throws {
        try await withServer(handler: echo) { server, port in
            let raw = try RawConnection(port: port)
            await raw.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: \(26 << 20)\r\n\r\n")
            // A client that reads only when it has sent everything gets its answer too.
            #expect(await raw.send(Data(count: 26 << 20)))
            #expect(try await raw.read(until: "\r\n\r\n").hasPrefix("HTTP/1.1 413"))
            await raw.close()
            #expect(await eventually { server.load.connections == 0 })
        }
    }

    @Test func whoWaitsToContinueIsNotAskedTo() async throws {
        try await withServer(limits { $0.body = 10 }, handler: echo) { _, port in
            let raw = try RawConnection(port: port)
            await raw.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n")
            #expect(try await raw.readToEnd().hasPrefix("HTTP/1.1 413"))
        }
    }

    @Test func chunkedBodiesAreRefusedWhereTheyGoOver() async throws {
        try await withServer(limits { $0.body = 1000 }, handler: echo) { _, port in
            let raw = try RawConnection(port: port)
            let chunk = "1f4\r\n" + String(repeating: "x", count: 500) + "\r\n"
            await raw.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk + chunk)
            await raw.send(chunk)
            // The body has no end yet.
            #expect(try await raw.readToEnd().hasPrefix("HTTP/1.1 413"))
        }
        try await withServer(limits { $0.body = 1000 }, handler: echo) { _, port in
            let raw = try RawConnection(port: port)
            await raw.send(
                "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"
            )
            #expect(try await raw.readToEnd().hasSuffix("POST / 5"))
        }
    }

    @Test func headersOverTheLimitAreRefused() async throws {
        try await withServer(limits { $0.headers = 4096 }, handler: echo) { _, port in
            let raw = try RawConnection(port: port)
            await raw.send("GET / HTTP/1.1\r\nHost: x\r\nX-Long: \(String(repeating: "x", count: 8000))\r\n\r\n")
            #expect(try await raw.readToEnd().hasPrefix("HTTP/1.1 431"))
        }
        try await withServer(limits { $0.headers = 4096 }, handler: echo) { _, port in
            let raw = try RawConnection(port: port)
            await raw.send("GET /\(String(repeating: "x", count: 8000)) HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(try await raw.readToEnd().hasPrefix("HTTP/1.1 414"))
        }
    }

    @Test func bodiesOfAllTogetherAreBounded() async throws {
        let bounded = limits {
            $0.body = 1000
            $0.bodiesInMemory = 1500
        }
        let arrived = Signal()
        let go = Signal()
        let handler: @Sendable (HTTPRequest) async -> HTTPResponse = { request in
            if request.rawPath == "/first" {
                arrived.fire()
                _ = await go.wait()
            }
            return await echo(request)
        }
        try await withServer(bounded, handler: handler) { server, port in
            let client = HTTPClient(port: port)
            let first = Task { try await client.request("POST", "/first", body: Data(count: 1000)) }
            #expect(await arrived.wait())
            let refused = try await client.request("POST", "/second", body: Data(count: 1000))
            #expect(refused.status == 503)
            #expect(refused.header("Retry-After") == "1")
            #expect(try await client.request("POST", "/small", body: Data(count: 400)).status == 200)
            go.fire()
            let answer = try await first.value
            #expect(answer.text == "POST /first 1000")
            // What was held is free again, the refused one's too.
            #expect(await eventually { server.load.requests == 0 })
            #expect(try await client.request("POST", "/third", body: Data(count: 1000)).status == 200)
        }
    }

    @Test func slowRequestsAreCutOff() async throws {
        let hasty = limits { $0.wholeRequest = .milliseconds(500) }
        try await withServer(hasty, handler: echo) { server, port in
            // Some of the body, some of the headers, and some of the first line.
            let body = try RawConnection(port: port)
            await body.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")
            let headers = try RawConnection(port: port)
            await headers.send("POST / HTTP/1.1\r\nHost:")
            #expect(try await body.readToEnd().hasPrefix("HTTP/1.1 408"))
            #expect(try await headers.readToEnd().hasPrefix("HTTP/1.1 408"))
            #expect(await eventually { server.load.connections == 0 && server.load.requests == 0 })
        }
        let silent = limits {
            $0.wholeRequest = .milliseconds(500)
            $0.idle = .seconds(1)
        }
        try await withServer(silent, handler: echo) { _, port in
            let line = try RawConnection(port: port)
            await line.send("POS")
            // Nothing was asked yet, so nothing is answered.
            #expect(try await line.readToEnd() == "")
        }
    }

    @Test func idleConnectionsAreClosed() async throws {
        try await withServer(limits { $0.idle = .seconds(1) }, handler: echo) { _, port in
            let raw = try RawConnection(port: port)
            await raw.send("GET /kept HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(try await raw.readToEnd().hasSuffix("GET /kept 0"))
        }
    }

    @Test func connectionsOverTheLimitWait() async throws {
        try await withServer(limits { $0.connections = 3 }, handler: echo) { server, port in
            var open: [RawConnection] = []
            for number in 0..<3 {
                let raw = try RawConnection(port: port)
                await raw.send("GET /\(number) HTTP/1.1\r\nHost: x\r\n\r\n")
                #expect(try await raw.read(until: "GET /\(number) 0") != "")
                open.append(raw)
            }
            let fourth = try RawConnection(port: port)
            await fourth.send("GET /fourth HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            await open[1].close()
            #expect(try await fourth.readToEnd().hasSuffix("GET /fourth 0"))
            #expect(server.load.mostConnections == 3)
        }
    }

    @Test func oneAddressHasNoMoreThanItsShare() async throws {
        try await withServer(limits { $0.perAddress = 2 }, handler: echo) { server, port in
            let first = try RawConnection(port: port)
            let second = try RawConnection(port: port)
            for raw in [first, second] {
                await raw.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                #expect(try await raw.read(until: "GET / 0") != "")
            }
            #expect(try await RawConnection(port: port).readToEnd() == "")
            await first.close()
            #expect(await eventually { server.load.connections == 1 })
            let third = try RawConnection(port: port)
            await third.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(try await third.read(until: "GET / 0") != "")
            await second.close()
        }
    }
}
