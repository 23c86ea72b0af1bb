import Checkout
import Model
import Queue

/// Whether a push is built at all: what its head commit's message says, and for branches which files changed.
struct Choosing: Sendable {
    let build: Build
    let commit: CommitInfo
    let mirror: Mirror
    let store: any Store
    let output: LogWriter

    /// Why there is nothing to build, or nil. What somebody asked for is built whatever changed.
    func reasonToSkip() async throws -> String? {
        switch build.cause.kind {
        case .webhook, .poll: break
        case .trigger, .api, .retry, .base: return nil
        }
        // Git's own message: senders leave it out, or cut it.
        if let words = SkipWords.found(in: commit.message) { return "the commit's message says \(words)" }
        guard build.ref.kind == .branch, build.rule.choosesFiles else { return nil }
        return try await reasonInFiles()
    }

    /// Since the last build that made an image, not the last push: what failed or was skipped since counts too.
    private func reasonInFiles() async throws -> String? {
        guard let last = try await store.lastFinished(before: build), let base = last.commit else { return nil }
        let before = "build \(last.id) (commit \(base.prefix(7)))"
        do {
            switch try await mirror.change(from: base, to: commit.id, where: build.rule.isAbout) {
            case .nothing:
                return "\(build.rule.filesMissed) changed since \(before)"
            case .file(let path):
                try await output.say("\(path.excerpt(200)) changed since \(before)")
            case .unrelated:
                try await output.say("every file counts as changed: this commit did not come after that of \(before)")
            }
        } catch let error as CheckoutError {
            try await output.say("every file counts as changed: \(before) can't be compared: \(error)")
        }
        return nil
    }
}

extension Rule {
    var choosesFiles: Bool { !paths.isEmpty || !pathsIgnored.isEmpty }

    /// Whether a change of this file is one to build.
    @Sendable func isAbout(_ path: String) -> Bool {
        (paths.isEmpty || paths.contains { $0.matches(path) }) && !pathsIgnored.contains { $0.matches(path) }
    }

    /// `no file of paths (src/**)`.
    fileprivate var filesMissed: String {
        func list(_ globs: [Glob]) -> String { globs.map(\.text).joined(separator: ", ") }
        let wanted = paths.isEmpty ? "no file" : "no file of paths (\(list(paths)))"
        return pathsIgnored.isEmpty ? wanted : "\(wanted) but those of paths_ignore (\(list(pathsIgnored)))"
    }
}
