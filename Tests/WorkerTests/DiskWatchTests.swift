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

    private func watch(_ yard: Yard, _ engine: StorageEngine, _ disks: Disks, budget: Int? = 1) async throws
        -> DiskWatch
    {
        let settings = Settings(disk: Disk(minimumFree: 1 << 30, cacheBudget: budget))
        return DiskWatch(
            tools: try yard.tools(settings), engine: try await yard.finder(engine),
            images: try await yard.cleaner(engine)
        ) { folder in
            disks.free.withLock { $0[folder] ?? 8 << 30 }
        }
    }

    @Test func buildsWaitForRoomOnEachDisk() async throws {
        let yard = try await Yard()
        let disks = Disks()
        let watch = try await watch(yard, StorageEngine(), disks)
        #expect(await watch.obstacle() == nil)
        for folder in [yard.folder.path, "/engine"] {
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
        #expect(yard.log.all.count { $0.contains("builds wait") } == 2)
        #expect(yard.log.all.count { $0.contains("there is room for builds again") } == 2)
    }

    @Test func cleaningComesFirst() async throws {
        let yard = try await Yard()
        try await yard.push(1)
        try await yard.end()
        let disks = Disks()
        disks.set("/engine", 0)
        let engine = StorageEngine([try yard.name(1)]) { _ in disks.set("/engine", 8 << 30) }
        let watch = try await watch(yard, engine, disks)
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
        let yard = try await Yard()
        try await yard.push(1)
        try await yard.end()
        let disks = Disks()
        disks.set("/engine", 0)
        let engine = StorageEngine([try yard.name(1)])
        let watch = try await watch(yard, engine, disks, budget: nil)
        #expect(await watch.obstacle() != nil)
        #expect(engine.left.count == 1 && engine.prunings.isEmpty)
    }
}
