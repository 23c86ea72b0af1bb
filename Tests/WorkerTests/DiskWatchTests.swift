import Engine
import Foundation
import Model
import Platform
import Queue
import Settings
import Synchronization
import TestSupport
import Testing

@testable import Worker

@Suite struct DiskWatchTests {
    /// The bytes that are free, by folder.
    private final class Disks: Sendable {
        let free = Mutex<[String: Int]>([:])

        func set(_ folder: String, _ bytes: Int) { free.withLock { $0[folder] = bytes } }
    }

    private func watch(_ cellar: Cellar, _ engine: StorageEngine, _ disks: Disks, budget: Int? = 1) async throws
        -> DiskWatch
    {
        let settings = Settings(disk: Disk(minimumFree: 1 << 30, cacheBudget: budget))
        return DiskWatch(
            tools: try cellar.tools(settings), engine: try await cellar.finder(engine),
            images: try await cellar.cleaner(engine)
        ) { folder in
            disks.free.withLock { $0[folder] ?? 8 << 30 }
        }
    }

    @Test func buildsWaitForRoomOnEachDisk() async throws {
        let cellar = try await Cellar()
        let disks = Disks()
        let watch = try await watch(cellar, StorageEngine(), disks)
        #expect(await watch.obstacle() == nil)
        for folder in [cellar.folder.path, "/engine"] {
            disks.set(folder, 200 << 20)
            let sentence =
                "builds wait: 200 MiB are free on \(folder), less than disk.min_free, 1 GiB; free some, or set a smaller disk.min_free"
            for _ in 0..<3 { #expect(await watch.obstacle() == sentence) }
            #expect(await watch.shortage() == sentence)
            disks.set(folder, 1 << 30)
            #expect(await watch.obstacle() == nil)
            #expect(await watch.shortage() == nil)
        }
        // Said once each time.
        #expect(cellar.log.all.count { $0.contains("builds wait") } == 2)
        #expect(cellar.log.all.count { $0.contains("there is room for builds again") } == 2)
    }

    @Test func cleaningComesFirst() async throws {
        let cellar = try await Cellar()
        try await cellar.push(1)
        try await cellar.end()
        let disks = Disks()
        disks.set("/engine", 0)
        let engine = StorageEngine([try cellar.name(1)]) { _ in disks.set("/engine", 8 << 30) }
        let watch = try await watch(cellar, engine, disks)
        #expect(await watch.shortage() != nil)
        #expect(await watch.obstacle() == nil)
        #expect(engine.left.isEmpty)
        #expect(engine.prunings == [0])
        // Not again and again.
        disks.set("/engine", 0)
        #expect(await watch.obstacle() != nil)
        #expect(engine.prunings.count == 1)
    }

    @Test func aStorageThatIsLeftAloneStaysAsItIs() async throws {
        let cellar = try await Cellar()
        try await cellar.push(1)
        try await cellar.end()
        let disks = Disks()
        disks.set("/engine", 0)
        let engine = StorageEngine([try cellar.name(1)])
        let watch = try await watch(cellar, engine, disks, budget: nil)
        #expect(await watch.obstacle() != nil)
        #expect(engine.left.count == 1 && engine.prunings.isEmpty)
    }
}
