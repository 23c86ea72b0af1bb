import Foundation
import Model
import Platform

/// Keeps the mirrors of a data directory from growing without end.
package actor MirrorKeeper {
    private let executor = QueueExecutor(label: "slipway.mirrors")
    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private let mirrors: Mirrors

    package init(_ mirrors: Mirrors) {
        self.mirrors = mirrors
    }

    /// Tidies these mirrors, and removes those of other repositories and sources.
    ///
    /// What fails is logged, and tried again the next time; a cancelled task ends it.
    package func tidy(_ wanted: [Mirror]) async {
        let homes = Set(wanted.map(\.home))
        for (path, mirror) in mirrors.homes() where !homes.contains(path) && !Task.isCancelled {
            await attempt("a mirror that is no longer needed could not be removed", path) {
                // One that is in use meanwhile finds itself damaged and is made anew.
                if let mirror { try await mirror.discard() } else { try MirrorFiles.remove(path) }
                mirrors.log.info("a mirror that is no longer needed was removed", ["path": path])
            }
            removeEmpty((path as NSString).deletingLastPathComponent)
        }
        for mirror in wanted where !Task.isCancelled {
            await attempt("a mirror could not be tidied", mirror.home) { try await mirror.tidy() }
        }
    }

    private func attempt(_ fault: String, _ path: String, _ body: () async throws -> Void) async {
        do {
            try await body()
        } catch is CancellationError {
            return
        } catch {
            mirrors.log.warning("\(fault)", ["path": path, "error": error])
        }
    }

    /// The folders of a repository and of its namespace, where nothing is left in them.
    private func removeEmpty(_ repository: String) {
        if rmdir(repository) == 0 { rmdir((repository as NSString).deletingLastPathComponent) }
    }
}
