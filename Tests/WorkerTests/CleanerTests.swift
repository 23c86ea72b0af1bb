import Foundation
import Model
import Platform
import Queue
import Settings
import TestSupport
import Testing

@testable import Worker

@Suite struct CleanerTests {
    private func cleaner(_ cellar: Cellar, _ settings: Settings, _ engine: StorageEngine = StorageEngine()) async throws
        -> Cleaner
    {
        Cleaner(tools: try cellar.tools(settings), images: try await cellar.cleaner(engine))
    }

    /// In many steps, and what is accepted in between stays.
    @Test func oldHistoryGoesWhileIntakeGoesOn() async throws {
        let cellar = try await Cellar()
        let count = 3 * Retention.step + 1
        for number in 1...count {
            try await cellar.push(number)
            try await cellar.end()
        }
        cellar.time.advance(by: .seconds(400 * 86400))
        let pruning = Task {
            try await Retention(store: cellar.store, time: SystemTime()).prune(Keep())
        }
        for number in 1...20 { try await cellar.push(count + number) }
        let pruned = try await pruning.value
        #expect(pruned == Pruned(builds: count, logs: 0, deliveries: count))
        #expect(try await cellar.store.builds(BuildQuery(limit: 500)).count == 20)
        #expect(try await cellar.store.load() == QueueLoad(pending: 20, running: 0))
    }

    @Test func aCancelledPruningStops() async throws {
        let cellar = try await Cellar()
        for number in 1...(Retention.step + 1) {
            try await cellar.push(number)
            try await cellar.end()
        }
        cellar.time.advance(by: .seconds(400 * 86400))
        // Its first pause has no end but that.
        let pruning = Task { try await Retention(store: cellar.store, time: cellar.time).prune(Keep()) }
        while try await cellar.store.builds(BuildQuery(limit: 500)).count > 1 { await Task.yield() }
        pruning.cancel()
        await #expect(throws: CancellationError.self) { try await pruning.value }
        #expect(try await cellar.store.builds(BuildQuery(limit: 500)).count == 1)
    }

    @Test func worksUntilItIsCancelled() async throws {
        let cellar = try await Cellar()
        try await cellar.push(1)
        try await cellar.end()
        let engine = StorageEngine([try cellar.name(1)])
        let cleaner = try await cleaner(cellar, Settings(disk: Disk(cacheBudget: 5)), engine)
        let stray = cellar.folder["mirrors/gone/old/source"]
        try FileManager.default.createDirectory(atPath: stray, withIntermediateDirectories: true)
        let running = Task { await cleaner.run() }
        func sleeping() async { while cellar.time.sleepers < 3 { await Task.yield() } }
        await sleeping()
        // Nothing at once, as builds wait after a start.
        #expect(engine.prunings.isEmpty && FileManager.default.fileExists(atPath: stray))
        cellar.time.advance(by: .seconds(600))
        await sleeping()
        #expect(engine.prunings == [5])
        #expect(!FileManager.default.fileExists(atPath: stray))
        cellar.time.advance(by: .seconds(600))
        await sleeping()
        #expect(engine.prunings == [5, 5])
        running.cancel()
        await running.value
    }

    /// Neither of the two folders is left where there is room for one alone.
    @Test func aWorkspaceThatCanNotBeMadeLeavesNothing() async throws {
        let folder = try TemporaryDirectory()
        let path = folder["work/1-1"]
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        // In the place of its second folder.
        #expect(FileManager.default.createFile(atPath: path + "/scratch", contents: nil))
        await #expect(throws: (any Error).self) {
            _ = try await Workspaces(data: folder.path).make(for: Hold(build: 1, attempt: 1))
        }
        #expect(!FileManager.default.fileExists(atPath: path))
    }
}
