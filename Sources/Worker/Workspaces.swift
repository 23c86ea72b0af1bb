import Foundation
import Model
import Platform
import Queue

/// The folders in which attempts check out and build: `<data>/work/<build>-<attempt>`, gone when the attempt ends.
package actor Workspaces {
    private let executor = QueueExecutor(label: "slipway.workspaces")
    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private let directory: String

    package init(data: String) {
        directory = data + "/work"
    }

    /// One attempt's folder.
    struct Workspace: Sendable {
        let directory: String
        /// The commit's tree.
        var tree: String { directory + "/tree" }
        /// For the owner's eyes only: temporary credentials.
        var scratch: String { directory + "/scratch" }
    }

    /// - Throws: a Cocoa error where the folder can't be made.
    func make(for hold: Hold) throws -> Workspace {
        let workspace = Workspace(directory: "\(directory)/\(hold.build)-\(hold.attempt)")
        do {
            for path in [workspace.tree, workspace.scratch] {
                try FileManager.default.createDirectory(
                    atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            }
        } catch {
            // A full disk may have had room for one of them.
            try? FileManager.default.removeItem(atPath: workspace.directory)
            throw error
        }
        return workspace
    }

    func remove(_ workspace: Workspace) throws {
        try FileManager.default.removeItem(atPath: workspace.directory)
    }

    /// Removes what a crash left behind; called before any attempt begins.
    package func removeAll() throws {
        guard FileManager.default.fileExists(atPath: directory) else { return }
        try FileManager.default.removeItem(atPath: directory)
    }
}
