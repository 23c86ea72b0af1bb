import Foundation
import Model
import Queue
import Synchronization
import TestSupport
import Testing

/// What the store promises of copies, on every kind of database.
@Suite struct StoreBehaviourBackup {
    /// The builds that were accepted so far, as those know who were answered.
    private final class Accepted: Sendable {
        let ids = Mutex<Set<Build.ID>>([])

        var count: Int { ids.withLock(\.count) }
    }

    /// Accepts, claims and ends builds until it is cancelled.
    private static func write(_ digit: Int, _ fixture: Fixture, _ accepted: Accepted) async throws {
        while !Task.isCancelled {
            let build = try await fixture.push(digit)
            accepted.ids.withLock { _ = $0.insert(build.id) }
            for build in try await fixture.claim() {
                try await fixture.store.append(build.hold, log: Data("log of \(build.id)".utf8))
                try await fixture.store.fail(build.hold, Failure(.build, .build, "no"))
            }
        }
    }

    @Test(arguments: [StoreFactory.sqlite])
    func aCopyMadeWhileManyWriteIsAStateThatWas(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let accepted = Accepted()
            let copied = try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<8 { group.addTask { try await Self.write(writer, fixture, accepted) } }
                #expect(await eventually { accepted.count >= 40 })
                let copied = try await copyUntilSomebodyWroteMeanwhile(fixture, accepted)
                group.cancelAll()
                try await group.waitForAll()
                return copied
            }
            let (folder, before, after) = try #require(copied)

            let copy = try await factory.open(folder, fixture.time)
            let builds = try await copy.builds(BuildQuery(limit: .max))
            let ids = Set(builds.map(\.id))
            #expect(ids.isSuperset(of: before))
            #expect(ids == Set(1...Build.ID(builds.count)), "none is left out")
            // One that was accepted and not told yet for each writer.
            #expect(builds.count <= after + 8)
            var (pending, running) = (0, 0)
            for build in builds {
                switch build.state {
                case .pending: pending += 1
                case .building: running += 1
                default:
                    #expect(try await fixture.store.build(build.id) == build)
                    #expect(try await copy.log(build.id, offset: 0, limit: 99) == Data("log of \(build.id)".utf8))
                }
                #expect(try await copy.delivery(#require(build.cause.delivery))?.built.map(\.build) == [build.id])
            }
            #expect(try await copy.load() == QueueLoad(pending: pending, running: running))
            // It goes on where the other was.
            #expect(try await copy.rescue(all: true, tries: 9).count == running)
            #expect(try await copy.claim(limit: .max, worker: "w", lease: Fixture.lease).count == pending + running)
            await copy.close()
        }
    }

    /// - Returns: the folder of the copy, what was accepted before it began, and how many when it was made.
    private func copyUntilSomebodyWroteMeanwhile(
        _ fixture: Fixture, _ accepted: Accepted
    ) async throws -> (String, before: Set<Build.ID>, after: Int)? {
        for number in 1...100 {
            let folder = fixture.folder + "/copy-\(number)"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let before = accepted.ids.withLock(\.self)
            try await fixture.store.backup(to: folder + "/slipway.db")
            let after = accepted.count
            if after > before.count { return (folder, before, after) }
        }
        return nil
    }

    @Test(arguments: [StoreFactory.sqlite])
    func aFileThatIsThereIsLeftAlone(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let path = fixture.folder + "/kept"
            try Data("precious".utf8).write(to: URL(fileURLWithPath: path))
            let error = await #expect(throws: StoreError.self) { try await fixture.store.backup(to: path) }
            #expect(error?.description.contains("\(path): File exists") == true)
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data("precious".utf8))
            let nowhere = fixture.folder + "/none/copy"
            let missing = await #expect(throws: StoreError.self) { try await fixture.store.backup(to: nowhere) }
            #expect(missing?.description.contains("\(nowhere): No such file or directory") == true)
        }
    }
}
