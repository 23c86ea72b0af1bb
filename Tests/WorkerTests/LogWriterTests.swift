import Foundation
import Model
import Platform
import Queue
import Settings
import TestSupport
import Testing

@testable import Worker

/// Over a real store.
@Suite struct LogWriterTests {
    private let folder: TemporaryDirectory
    private let store: DatabaseStore
    private let build: Build

    init() async throws {
        folder = try TemporaryDirectory()
        store = try await DatabaseStore.open(sqlite: folder["slipway.sqlite"], time: SystemTime())
        let name = try RepositoryName("acme/shop")
        let rule = Rule(
            number: 1, source: .branch(try Pattern("main")), tags: [try Template("latest")],
            commitTag: try Template("sha-{sha12}"))
        _ = try await store.accept(
            NewDelivery(
                repository: name, kind: .api, remoteAddress: "127.0.0.1", receivedAt: Date(),
                builds: [
                    NewBuild(
                        repository: name, push: Push(ref: try RefName(.branch, "main")), rule: rule, captures: ["main"],
                        image: try ImageName("localhost:5000/acme/shop"), names: nil)
                ]))
        build = try #require(try await store.claim(limit: 1, worker: "w", lease: .seconds(60)).first)
    }

    private func writer(secrets: [String] = [], length: Int = 0, limit: Int = LogWriter.limit) -> LogWriter {
        let secrets = secrets.map { Secret($0) }
        return LogWriter(store: store, hold: build.hold, secrets: { secrets }, length: length, limit: limit)
    }

    private func log() async throws -> String {
        String(decoding: try await store.log(build.id, offset: 0, limit: 10 << 20), as: UTF8.self)
    }

    @Test func everythingIsThereInOrder() async throws {
        let writer = writer()
        var expected = ""
        for n in 0..<5000 {
            let line = "line \(n) of a build that says a lot\n"
            expected += line
            try await writer.write(Data(line.utf8))
        }
        try await writer.finish()
        #expect(try await log() == expected)
    }

    /// Also where output is being stored at that very moment.
    @Test func theRestIsWhatIsNotStored() async throws {
        var expected = ""
        for n in 0..<40 {
            let writer = writer()
            expected += "line \(n)\n"
            try await writer.write(Data("line \(n)\n".utf8))
            // Around the time at which it is stored by itself.
            if n % 4 > 0 { try await Task.sleep(for: LogWriter.delay + .microseconds(n % 4 * 500 - 1000)) }
            let rest = try await writer.rest()
            #expect(try await log() + String(decoding: rest, as: UTF8.self) == expected)
            if !rest.isEmpty { try await store.append(build.hold, log: rest) }
        }
        #expect(try await log() == expected)
    }

    @Test func outputIsStoredWhileItComes() async throws {
        let writer = writer()
        var changes = store.changes(.build(build.id)).makeAsyncIterator()
        try await writer.write(Data("now\n".utf8))
        await changes.next()
        #expect(try await log() == "now\n")
    }

    @Test func secretsAreMaskedAcrossPieces() async throws {
        let writer = writer(secrets: ["hunter22"])
        for piece in ["the password is hun", "ter", "22\nand hunter", "2"] { try await writer.write(Data(piece.utf8)) }
        try await writer.finish()
        #expect(try await log() == "the password is ***\nand hunter2")
    }

    @Test func secretsOfSettingsThatAreReadAgainAreMaskedToo() async throws {
        let live = LiveSettings(Settings(webhookSecrets: [Secret("hunter22")]))
        let writer = LogWriter(store: store, hold: build.hold, secrets: { live.secrets }, length: 0)
        try await writer.write(Data("hunter22 swordfish hunt".utf8))
        _ = live.change(to: Settings(webhookSecrets: [Secret("swordfish")]))
        try await writer.write(Data("er22 hunter22 swordfish\n".utf8))
        try await writer.finish()
        #expect(try await log() == "*** swordfish *** *** ***\n")
    }

    @Test func theLogIsBoundedAndSaysSo() async throws {
        let writer = writer(limit: 1000)
        for _ in 0..<100 { try await writer.write(Data("0123456789abcdefghij".utf8)) }
        try await writer.finish()
        let log = try await log()
        #expect(log.hasPrefix("0123456789abcdefghij"))
        #expect(log.contains("the log ends here"))
        #expect(log.utf8.count < 1200)
        // A later attempt finds no room, and says nothing twice.
        let later = self.writer(length: log.utf8.count, limit: 1000)
        try await later.write(Data("more".utf8))
        try await later.finish()
        #expect(try await self.log() == log)
    }

    @Test func anAttemptThatLostItsBuildIsTold() async throws {
        let writer = writer()
        _ = try await store.rescue(all: true, tries: 9)
        await #expect(throws: LeaseLost.self) {
            try await writer.write(Data("late".utf8))
            try await writer.finish()
        }
    }
}
