import Foundation
import HTTP
import Synchronization
import TestSupport
import Testing

@Suite struct StreamTests {
    private let ask = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

    @Test func piecesComeAsTheyAreMade() async throws {
        let (pieces, source) = AsyncStream.makeStream(of: String.self)
        try await withServer(handler: { _ in .pieces(pieces) }) { _, port in
            let raw = try RawConnection(port: port)
            await raw.send(ask)
            // The head comes before the first piece.
            let head = try await raw.read(until: "\r\n\r\n")
            #expect(head.contains("Transfer-Encoding: chunked"))
            for piece in ["one", "two"] {
                source.yield(piece)
                #expect(try await raw.read(until: piece).contains("3\r\n\(piece)"))
            }
            source.yield("")
            source.finish()
            #expect(try await raw.readToEnd().hasSuffix("0\r\n\r\n"))
        }
    }

    @Test func bigPiecesComeWhole() async throws {
        let count = Atomic(0)
        let handler: @Sendable (HTTPRequest) async -> HTTPResponse = { _ in
            HTTPResponse(
                status: 200,
                body: .stream {
                    let number = count.add(1, ordering: .relaxed).newValue
                    return number > 20 ? nil : Data(repeating: UInt8(number), count: 200_000)
                })
        }
        try await withServer(handler: handler) { _, port in
            let answer = try await HTTPClient(port: port).get("/")
            #expect(answer.body == (1...20).reduce(into: Data()) { $0 += Data(repeating: UInt8($1), count: 200_000) })
        }
    }

    @Test func anErrorIsSeenByTheClient() async throws {
        struct Broken: Error {}
        let count = Atomic(0)
        let handler: @Sendable (HTTPRequest) async -> HTTPResponse = { _ in
            HTTPResponse(
                status: 200,
                body: .stream {
                    if count.add(1, ordering: .relaxed).newValue > 1 { throw Broken() }
                    return Data("start".utf8)
                })
        }
        try await withServer(handler: handler) { _, port in
            let raw = try RawConnection(port: port)
            await raw.send(ask)
            let answer = try await raw.readToEnd()
            #expect(answer.contains("start"))
            #expect(!answer.hasSuffix("0\r\n\r\n"))
        }
    }

    @Test func olderClientsReadUntilTheEnd() async throws {
        let (pieces, source) = AsyncStream.makeStream(of: String.self)
        source.yield("one")
        source.yield("two")
        source.finish()
        try await withServer(handler: { _ in .pieces(pieces) }) { _, port in
            let raw = try RawConnection(port: port)
            await raw.send("GET / HTTP/1.0\r\n\r\n")
            #expect(try await raw.readToEnd().hasSuffix("\r\n\r\nonetwo"))
        }
    }

    @Test func headAsksForNoPiece() async throws {
        let asked = Atomic(false)
        let handler: @Sendable (HTTPRequest) async -> HTTPResponse = { _ in
            HTTPResponse(
                status: 200,
                body: .stream {
                    asked.store(true, ordering: .relaxed)
                    return nil
                })
        }
        try await withServer(handler: handler) { _, port in
            let raw = try RawConnection(port: port)
            await raw.send("HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            #expect(try await raw.readToEnd().hasSuffix("\r\n\r\n"))
            let wasAsked = asked.load(ordering: .relaxed)
            #expect(!wasAsked)
        }
    }

    @Test func aClientThatGoesEndsAStreamWithNothingToSay() async throws {
        let ended = Signal()
        let handler: @Sendable (HTTPRequest) async -> HTTPResponse = { _ in
            HTTPResponse(
                status: 200,
                body: .stream {
                    // Nothing ever comes of it; only cancellation ends the wait.
                    _ = await Signal().wait(.seconds(60))
                    ended.fire()
                    return nil
                })
        }
        try await withServer(handler: handler) { server, port in
            let raw = try RawConnection(port: port)
            await raw.send(ask)
            #expect(try await raw.read(until: "\r\n\r\n") != "")
            await raw.close()
            #expect(await ended.wait())
            #expect(await eventually { server.load.requests == 0 && server.load.connections == 0 })
        }
    }

    @Test func aClientThatGoesCancelsItsHandler() async throws {
        let began = Signal()
        let cancelled = Signal()
        let handler: @Sendable (HTTPRequest) async -> HTTPResponse = { _ in
            began.fire()
            _ = await Signal().wait(.seconds(60))
            if Task.isCancelled { cancelled.fire() }
            return .text(200, "nobody reads this")
        }
        try await withServer(handler: handler) { server, port in
            let raw = try RawConnection(port: port)
            await raw.send(ask)
            #expect(await began.wait())
            await raw.close()
            #expect(await cancelled.wait())
            #expect(await eventually { server.load.requests == 0 && server.load.connections == 0 })
        }
    }
}
