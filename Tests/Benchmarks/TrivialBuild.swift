import Foundation
import Model
import Platform
import Queue

/// A build without sources, engine and registry: what is left is what the queue's database does for it, by the calls of
/// an attempt in their order.
struct TrivialBuild: Sendable {
    let store: any Store
    let build: Build

    private static let output = Data(repeating: UInt8(ascii: "x"), count: 2_000)

    /// Takes it to `finished`.
    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            let asked = store.changes(.stop(build.id))
            // As whoever attempts a build listens for who wants its end.
            group.addTask {
                _ = try await store.build(build.id)
                for await _ in asked { _ = try await store.build(build.id) }
            }
            try await attempt()
            group.cancelAll()
            while let ended = await group.nextResult() {
                if case .failure(let error) = ended, !(error is CancellationError) { throw error }
            }
        }
    }

    private func attempt() async throws {
        guard let commit = build.commit, let commitTag = build.commitTag else { return }
        let hold = build.hold
        _ = try await store.rivals(of: build)
        try await store.resolve(
            hold,
            Resolution(
                commit: commit, message: build.message ?? "", author: build.author ?? "",
                names: build.rule.names(
                    for: build.ref, captures: build.captures, commit: commit, acceptedAt: build.createdAt)))
        try await store.append(hold, log: Self.output)
        var inputs = BuildInputs()
        let key = try Digest("sha256:" + Crypto.sha256(Data("key of \(build.id)".utf8)).hex)
        // Before its turn with the engine, and in it.
        for _ in 1...2 { _ = try await store.reusable(key, in: build.image, within: nil) }
        try await store.inputs(hold, inputs, reuse: "no build had these inputs")
        try await store.append(hold, log: Self.output)
        try await store.startPushing(hold, commitTag: commitTag, built: "sha256:\(build.id)")
        inputs.key = key
        try await store.inputs(hold, inputs, reuse: "no build had these inputs")
        try await store.append(hold, log: Self.output)
        try await store.pushed(hold, digest: Digest("sha256:" + Crypto.sha256(Data(commit.text.utf8)).hex))
        _ = try await store.build(build.id)
        for tag in build.tags.map(\.name) {
            if let holder = try await right(to: tag) { _ = try await store.build(holder.build) }
            // Before the request to the registry anew.
            _ = try await store.startMoving(hold, tag: tag)
            try await store.moved(hold, tag: tag)
        }
        try await store.finish(hold, log: Self.output)
    }

    private func right(to tag: Tag) async throws -> TagHolder? {
        while true {
            switch try await store.startMoving(build.hold, tag: tag) {
            case .granted(let holder): return holder
            case .busy(let other):
                let changes = store.changes(.build(other))
                if case .granted(let holder) = try await store.startMoving(build.hold, tag: tag) { return holder }
                _ = await withDeadline(.seconds(2)) {
                    for await _ in changes { break }
                }
            }
        }
    }
}
