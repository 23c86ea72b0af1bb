import Foundation
import Model
import Synchronization
import TestSupport
import Testing

@testable import Queue

/// What calls share that wait for the writer at the same moment.
@Suite struct WriteLineTests {
    private static let factory = StoreFactory.sqlite

    /// How many transactions the log of a database holds: their last frames tell the size of the file ("WAL File
    /// Format").
    private func transactions(_ fixture: Fixture) throws -> Int {
        let log = try Data(contentsOf: URL(fileURLWithPath: fixture.folder + "/slipway.db-wal"))
        return stride(from: 32, to: log.count, by: 24 + 4096).filter { log[($0 + 4)..<($0 + 8)].contains { $0 > 0 } }
            .count
    }

    /// Appends to several logs at the same moment, while the database does something else.
    private func append(_ holds: [Hold], to fixture: Fixture) async throws -> [Result<Void, any Error>] {
        let store = try #require(fixture.store as? DatabaseStore)
        let (isBusy, release) = (Signal(), DispatchSemaphore(value: 0))
        let busy = Task {
            try await store.write("busy") { _ in
                isBusy.fire()
                release.wait()
            }
        }
        #expect(await isBusy.wait())
        let calls = holds.map { hold in
            Task { try await store.append(hold, log: Data("log of \(hold.build)".utf8)) }
        }
        #expect(await eventually { store.appends.count == holds.count })
        release.signal()
        try await busy.value
        var results: [Result<Void, any Error>] = []
        for call in calls { results.append(await call.result) }
        return results
    }

    @Test func logsThatWaitAreWrittenInOneTransactionAndALostLeaseIsItsOwn() async throws {
        try await Fixture.with(Self.factory) { fixture in
            for digit in 1...4 { try await fixture.push(digit) }
            var holds = try await fixture.claim(4).map(\.hold)
            try await fixture.store.giveBack(holds[1])
            holds.append(Hold(build: 9, attempt: 1))
            let before = try transactions(fixture)
            let told = [1, 3, 4, 9].map { ($0, fixture.store.changes(.build($0))) }
            let results = try await append(holds, to: fixture)
            #expect(try transactions(fixture) == before + 1)
            for (build, changes) in told where build != 9 { for await _ in changes { break } }
            for (hold, result) in zip(holds, results) {
                let log = try await fixture.store.log(hold.build, offset: 0, limit: 99)
                switch result {
                case .success: #expect(log == Data("log of \(hold.build)".utf8))
                case .failure(let error):
                    #expect(error as? LeaseLost == LeaseLost(hold, "append"))
                    #expect([2, 9].contains(hold.build) && log.isEmpty)
                }
            }
        }
    }

    @Test func whatCannotBeKeptFailsAlone() async throws {
        try await Fixture.with(Self.factory) { fixture in
            for digit in 1...3 { try await fixture.push(digit) }
            let holds = try await fixture.claim(3).map(\.hold)
            try Database(path: fixture.folder + "/slipway.db", access: .readWrite).script(
                "CREATE TRIGGER refuse BEFORE INSERT ON log_chunks WHEN NEW.build = 2 BEGIN SELECT RAISE (ABORT, 'no'); END"
            )
            let results = try await append(holds, to: fixture)
            let errors = results.map { result -> StoreError? in
                guard case .failure(let error) = result else { return nil }
                return error as? StoreError
            }
            #expect(errors.map { $0?.operation } == [nil, "append", nil])
            #expect(try await fixture.store.log(1, offset: 0, limit: 99) == Data("log of 1".utf8))
            #expect(try await fixture.store.logLength(2) == 0)
            #expect(try await fixture.store.log(3, offset: 0, limit: 99) == Data("log of 3".utf8))
        }
    }

    @Test func manyWritersKeepTheOrderOfTheirOwn() async throws {
        try await Fixture.with(Self.factory) { fixture in
            for digit in 1...40 { try await fixture.push(digit) }
            let builds = try await fixture.claim(40)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for build in builds {
                    group.addTask {
                        for line in 0..<20 { try await fixture.store.append(build.hold, log: Data("\(line)\n".utf8)) }
                    }
                }
                try await group.waitForAll()
            }
            let whole = Data((0..<20).map { "\($0)\n" }.joined().utf8)
            for build in builds {
                #expect(try await fixture.store.log(build.id, offset: 0, limit: Int.max) == whole)
            }
        }
    }
}
