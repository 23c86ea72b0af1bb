import CGit2
import Foundation
import Model

extension Mirror {
    /// The deepest nesting of submodules that is followed.
    private static let deepest = 16

    /// Writes a commit's files, and its submodules', to a directory that is empty or not there yet.
    ///
    /// Files are 0644 or 0755 whatever the umask. No filter, hook or line-end conversion is applied, and there is no
    /// `.git`. A submodule is fetched with the same credentials only where its host is the same.
    ///
    /// - Parameter paths: the files and directories to write, from the repository's root; nil is everything. A link is
    ///   written as it is, wherever it leads. A submodule is written whole where one of them lies in it.
    /// - Throws: `CheckoutError`; `CancellationError` when the task is cancelled, in the middle of a call too. What was
    ///   written until then is left for the caller to remove.
    package func checkOut(_ commit: CommitID, into workspace: String, only paths: [String]? = nil) async throws {
        try await checkOut(commit, into: workspace, only: paths, depth: 0)
    }

    private func checkOut(_ commit: CommitID, into workspace: String, only paths: [String]?, depth: Int) async throws {
        let links = try await withRepository(
            repair: { repository, call in
                try self.bring(commit, repository, call)
                try Self.empty(workspace)
            },
            { repository, call in
                try self.write(commit, into: workspace, only: paths, repository, call)
            })
        guard !links.isEmpty else { return }
        guard depth < Self.deepest else {
            throw CheckoutError.badSubmodule("submodules are nested more than \(Self.deepest) deep in \(source)")
        }
        let modules = try GitModules(of: commit, in: workspace)
        for link in links {
            guard let module = try modules.module(at: link.path) else { continue }
            try await checkOut(module, at: link, in: workspace, depth: depth)
        }
    }

    private func checkOut(_ module: GitModules.Module, at link: TreeWriter.Link, in workspace: String, depth: Int)
        async throws
    {
        let address = try SubmoduleAddress(module, of: source)
        let mirror = submodule(address.source, credentials: address.credentials(credentials, of: source))
        do {
            _ = try await mirror.fetch(commit: link.commit)
            try await mirror.checkOut(link.commit, into: "\(workspace)/\(link.path)", only: nil, depth: depth + 1)
        } catch let error as CheckoutError {
            throw CheckoutError.submodule(link.path, error)
        }
    }

    private func write(
        _ commit: CommitID, into workspace: String, only paths: [String]?, _ repository: OpaquePointer,
        _ call: NetworkCall
    ) throws -> [TreeWriter.Link] {
        let tree = try tree(of: commit, repository)
        // Submodules are found through .gitmodules, wherever they lie.
        var writer = TreeWriter(
            repository: repository, commit: commit, call: call, only: paths.map { $0 + [".gitmodules"] })
        try writer.write(tree.pointer, to: workspace)
        return writer.links
    }

    private static func empty(_ directory: String) throws {
        do {
            guard FileManager.default.fileExists(atPath: directory) else { return }
            for name in try FileManager.default.contentsOfDirectory(atPath: directory) {
                try FileManager.default.removeItem(atPath: "\(directory)/\(name)")
            }
        } catch {
            throw CheckoutError.storage("can't empty the workspace \(directory): \(error.localizedDescription)")
        }
    }
}
