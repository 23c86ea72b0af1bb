import Engine
import Foundation
import Platform
import Settings

/// Whether the disks have the room that a build needs: those of the data directory and of the engine's storage.
package actor DiskWatch {
    private let executor = QueueExecutor(label: "slipway.disk")
    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// While room is short, the engine's storage is cleaned this often.
    private static let pause = Duration.seconds(60)

    private let tools: Tools
    private let engine: EngineFinder
    private let images: ImageCleaner
    private let free: @Sendable (String) throws -> Int
    private var storage: String?
    private var cleaned: ContinuousClock.Instant?
    private var said: String?

    package init(tools: Tools, engine: EngineFinder, images: ImageCleaner) {
        self.init(tools: tools, engine: engine, images: images, free: FreeSpace.bytes)
    }

    /// - Parameter free: tells the bytes that are free where a folder is.
    init(
        tools: Tools, engine: EngineFinder, images: ImageCleaner, free: @escaping @Sendable (String) throws -> Int
    ) {
        self.tools = tools
        self.engine = engine
        self.images = images
        self.free = free
    }

    /// Why no build is to begin, after what can be spared was removed; nil where there is room. Is logged once.
    package func obstacle() async -> String? {
        guard await shortage() != nil else {
            if said != nil { tools.log.info("there is room for builds again") }
            said = nil
            return nil
        }
        await clean()
        let reason = await shortage()
        if let reason, said == nil { tools.log.error("\(reason)") }
        if reason == nil, said != nil { tools.log.info("there is room for builds again") }
        said = reason
        return reason
    }

    /// Why builds wait, as it is now; nil where there is room.
    package func shortage() async -> String? {
        let minimum = tools.settings.disk.minimumFree
        for folder in await folders() {
            do {
                let free = try free(folder)
                guard free < minimum else { continue }
                return "builds wait: \(free.bytesShown) are free on \(folder), less than disk.min_free, "
                    + "\(minimum.bytesShown); free some, or set a smaller disk.min_free"
            } catch {
                // A build that finds no room there fails by itself, and says more.
                tools.log.debug("the room on a disk can't be seen", ["folder": folder, "error": error])
            }
        }
        return nil
    }

    private func folders() async -> [String] {
        if storage == nil, let known = await engine.known as? any ImageStorage {
            do {
                storage = try await known.folder() ?? ""
            } catch {
                tools.log.debug("the engine does not tell where its images are", ["error": error])
            }
        }
        return [tools.settings.data] + (storage.map { $0.isEmpty ? [] : [$0] } ?? [])
    }

    private func clean() async {
        let clock = ContinuousClock()
        guard tools.settings.disk.cacheBudget != nil, cleaned.map({ clock.now - $0 >= Self.pause }) ?? true else {
            return
        }
        cleaned = clock.now
        do {
            try await images.clean(cache: 0, keepsNewest: false)
        } catch {
            tools.log.warning("the engine's storage could not be cleaned", ["error": error])
        }
    }
}
