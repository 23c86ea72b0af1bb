import Foundation
import Model
import Platform
import Queue

/// A queue's history, made by the queue's own calls.
struct Past: Sendable {
    /// Builds that have ended: of twenty 13 finished, 5 failed, one cancelled and one superseded.
    let ended: Int
    /// Builds that wait, half of them for another attempt.
    let pending: Int

    private static let repositories = 10
    private static let batch = 500

    /// A repository whose builds are the oldest.
    static func few() throws -> RepositoryName { try RepositoryName("bench/few") }

    /// A store of this history. It is made in memory, where nothing waits for a disk, and copied to `path`.
    func store(at path: String) async throws -> DatabaseStore {
        let memory = FileManager.default.fileExists(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory()
        let folder = memory + "/slipway-bench-" + Crypto.randomBytes(4).hex
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        do {
            let store = try await DatabaseStore.open(sqlite: folder + "/slipway.db", time: SystemTime())
            try await fill(store)
            try await store.backup(to: path)
            await store.close()
        } catch {
            try FileManager.default.removeItem(atPath: folder)
            throw error
        }
        try FileManager.default.removeItem(atPath: folder)
        return try await DatabaseStore.open(sqlite: path, time: SystemTime())
    }

    private func fill(_ store: DatabaseStore) async throws {
        try await end(accept(0..<5, store, repository: { _ in try Self.few() }), store)
        var made = 5
        while made < ended {
            if made % 10_000 < Self.batch { Benchmarks.say("history: \(made) of \(ended) builds made") }
            let numbers = made..<min(made + Self.batch, ended)
            try await end(accept(numbers, store), store)
            made = numbers.upperBound
        }
        try await wait(store)
    }

    private func wait(_ store: DatabaseStore) async throws {
        let middle = ended + pending / 2
        _ = try await accept(ended..<middle, store)
        for build in try await store.claim(limit: .max, worker: "bench", lease: .seconds(3600)) {
            try await store.retry(
                build.hold, Failure(.system, .push, "the registry answered 503"), after: .seconds(3600))
        }
        _ = try await accept(middle..<(ended + pending), store)
    }

    private func accept(
        _ numbers: Range<Int>, _ store: DatabaseStore,
        repository: (Int) throws -> RepositoryName = { try Self.repository($0 / 20 % Self.repositories) }
    ) async throws -> [Build] {
        let deliveries = try numbers.map { number in
            // The last of twenty takes the place of the one before it.
            try Self.delivery(
                in: repository(number), commit: number,
                before: number < ended && number % 20 == 19 ? number - 1 : 50_000_000 + number)
        }
        return try await store.accept(deliveries, room: Room()).flatMap(\.builds)
    }

    /// Brings each to the end that its place among twenty tells.
    private func end(_ builds: [Build], _ store: DatabaseStore) async throws {
        for build in builds where build.id % 20 == 17 { _ = try await store.cancel(build.id, reason: "by bench") }
        for build in try await store.claim(limit: builds.count, worker: "bench", lease: .seconds(3600)) {
            let hold = build.hold
            try await store.append(hold, log: Data(repeating: UInt8(ascii: "x"), count: 400))
            if (12...16).contains(build.id % 20) {
                try await store.fail(hold, Failure(.build, .build, "it did not compile"))
                continue
            }
            guard let commitTag = build.commitTag, let name = build.tags.first?.name, let commit = build.commit else {
                continue
            }
            try await store.startPushing(hold, commitTag: commitTag)
            try await store.pushed(hold, digest: Digest("sha256:" + commit.text + String(commit.text.prefix(24))))
            _ = try await store.startMoving(hold, tag: name)
            try await store.moved(hold, tag: name)
            try await store.finish(hold)
        }
    }

    static func repository(_ number: Int) throws -> RepositoryName { try RepositoryName("bench/shop-\(number)") }

    static func delivery(repository number: Int, commit: Int, before: Int) throws -> NewDelivery {
        try delivery(in: repository(number), commit: commit, before: before)
    }

    /// A webhook's push of a commit that this number stands for.
    private static func delivery(in repository: RepositoryName, commit: Int, before: Int) throws -> NewDelivery {
        let rule = Rule(
            number: 1, source: .branch(try Pattern("main")), tags: [try Template("latest")],
            commitTag: try Template("sha-{sha12}"))
        let (ref, now) = (try RefName("refs/heads/main"), Date())
        let id = try self.commit(commit)
        let push = Push(
            ref: ref, commit: id, before: try self.commit(before), message: "Sell more of number \(commit)",
            author: "Ada")
        let build = NewBuild(
            repository: repository, push: push, rule: rule, captures: ["main"],
            image: try ImageName("registry.example.com/\(repository)"),
            names: try rule.names(for: ref, captures: ["main"], commit: id, acceptedAt: now))
        return NewDelivery(
            repository: repository, kind: .webhook, host: "github", senderID: "\(commit)", event: "push",
            remoteAddress: "127.0.0.1", headers: [Header(name: "User-Agent", value: "bench")],
            body: Data(repeating: UInt8(ascii: "x"), count: 1000), receivedAt: now, builds: [build])
    }

    /// Numbers that lie far from each other, as commits do.
    private static func commit(_ number: Int) throws -> CommitID {
        try CommitID(String(Crypto.sha256(Data("\(number)".utf8)).hex.prefix(40)))
    }
}
