import Foundation
import Model
import Platform

/// The queue and its history in one SQLite file.
///
/// Changes go through one connection and reads through another, which never wait for each other (write-ahead log).
/// Whoever opens it holds the `DataLock` of its directory: `changes` tells only of what this store did.
package final class SQLiteStore: Store {
    let writer: Connection
    let reader: Connection
    private let accepts = WriteLine<AcceptCall>(limit: 256)
    private let appends = WriteLine<AppendCall>(limit: 64)
    let bell = Bell()
    let time: any TimeSource

    /// Opens the database, makes it where there is none, and brings its schema to this version.
    ///
    /// - Throws: `StoreError`, also for a database that a newer Slipway has written.
    package static func open(path: String, time: any TimeSource) async throws -> SQLiteStore {
        try await open(path: path, time: time, maximumPages: nil)
    }

    /// - Parameter maximumPages: the greatest size of the file, in pages of 4 KiB, for tests of a full database.
    static func open(path: String, time: any TimeSource, maximumPages: Int?) async throws -> SQLiteStore {
        let store = SQLiteStore(path: path, time: time)
        try await store.writer.openWriter(maximumPages: maximumPages, migrations: Migration.all)
        try await store.reader.openReader()
        return store
    }

    private init(path: String, time: any TimeSource) {
        writer = Connection(path: path, label: "slipway.store.writer")
        reader = Connection(path: path, label: "slipway.store.reader")
        self.time = time
    }

    package func accept(_ deliveries: [NewDelivery], room: Room) async throws -> [Acceptance] {
        try await withCheckedThrowingContinuation { answer in
            let first = accepts.add(AcceptCall(deliveries: deliveries, room: room, answer: answer))
            if first { Task { await acceptWaiting() } }
        }
    }

    /// One transaction after the other while calls wait; what others asked of the writer meanwhile comes in between.
    private func acceptWaiting() async {
        while await writer.accept(accepts, time: time, made: ring) {}
    }

    private func ring(_ acceptances: [Acceptance]) {
        let superseded = acceptances.flatMap(\.superseded)
        if !superseded.isEmpty { bell.ring(superseded.map { .build($0) }) }
        if acceptances.contains(where: { !$0.builds.isEmpty }) { bell.ring([.pending]) }
    }

    package func claim(limit: Int, worker: String, lease: Duration) async throws -> [Build] {
        let builds = try await writer.write("claim") { [time] in
            let now = time.now
            return try $0.claim(limit: limit, worker: worker, until: now.addingTimeInterval(lease.seconds), now: now)
        }
        bell.ring(builds.map { .build($0.id) })
        return builds
    }

    package func renew(_ hold: Hold, lease: Duration) async throws {
        try await writer.write("renew") { [time] in
            try $0.renew(hold, until: time.now.addingTimeInterval(lease.seconds))
        }
    }

    package func resolve(_ hold: Hold, _ found: Resolution) async throws {
        try await change(hold, "resolve") { database, _ in try database.resolve(hold, found) }
    }

    package func append(_ hold: Hold, log: Data) async throws {
        try await withCheckedThrowingContinuation { answer in
            let first = appends.add(AppendCall(hold: hold, log: log, answer: answer))
            if first { Task { await appendWaiting() } }
        }
    }

    private func appendWaiting() async {
        while await writer.append(appends, made: { bell.ring($0.map { .build($0) }) }) {}
    }

    package func inputs(_ hold: Hold, _ inputs: BuildInputs, reuse: String) async throws {
        try await change(hold, "inputs") { database, _ in try database.inputs(hold, inputs, reuse: reuse) }
    }

    package func reusable(_ key: Digest, in image: ImageName, since: Date?) async throws -> Build? {
        try await reader.read("reusable") { try $0.reusable(key, in: image, since: since) }
    }

    package func startPushing(
        _ hold: Hold, commitTag: Tag, built: String?, reusing reused: Build.ID?
    ) async throws {
        try await change(hold, "startPushing") {
            try $0.startPushing(hold, commitTag: commitTag, built: built, reusing: reused, now: $1)
        }
    }

    package func ownsCommitTag(_ hold: Hold, _ commitTag: Tag) async throws -> Bool {
        try await reader.read("ownsCommitTag") { try $0.commitTagOwner(commitTag, of: hold.build) == hold.build }
    }

    package func freeCommitTag(_ commitTag: Tag, of build: Build.ID) async throws {
        try await writer.write("freeCommitTag") { try $0.freeCommitTag(commitTag, of: build) }
    }

    package func pushed(_ hold: Hold, digest: Digest) async throws {
        try await change(hold, "pushed") { database, _ in try database.pushed(hold, digest: digest) }
    }

    package func startMoving(_ hold: Hold, tag: Tag) async throws -> MoveRight {
        try await writer.write("startMoving") { [time] in try $0.startMoving(hold, tag: tag, now: time.now) }
    }

    package func moved(_ hold: Hold, tag: Tag) async throws {
        try await change(hold, "moved") { try $0.moved(hold, tag: tag, now: $1) }
    }

    package func kept(_ hold: Hold, tag: Tag, reason: String) async throws {
        try await change(hold, "kept") { database, _ in try database.kept(hold, tag: tag, reason: reason) }
    }

    package func finish(_ hold: Hold, log: Data) async throws {
        try await change(hold, "finish") { try $0.finish(hold, log: log, now: $1) }
    }

    package func skip(_ hold: Hold, reason: String) async throws {
        try await change(hold, "skip") { try $0.skip(hold, reason: reason, now: $1) }
    }

    package func fail(_ hold: Hold, _ failure: Failure) async throws {
        try await change(hold, "fail") { try $0.fail(hold, failure, now: $1) }
    }

    package func retry(_ hold: Hold, _ failure: Failure, after pause: Duration) async throws {
        try await change(hold, "retry") {
            try $0.retry(hold, failure, at: $1.addingTimeInterval(pause.seconds), now: $1)
        }
        bell.ring([.pending])
    }

    package func stop(_ hold: Hold) async throws {
        try await change(hold, "stop") { try $0.stop(hold, now: $1) }
    }

    package func giveBack(_ hold: Hold) async throws {
        try await change(hold, "giveBack") { try $0.giveBack(hold, now: $1) }
        bell.ring([.pending])
    }

    package func rescue(all: Bool, tries: Int) async throws -> [Build.ID] {
        let builds = try await writer.write("rescue") { [time] in
            let now = time.now
            return try $0.rescue(overdue: all ? nil : now, tries: tries, now: now)
        }
        if !builds.isEmpty { bell.ring(builds.map { .build($0) } + [.pending]) }
        return builds
    }

    package func build(_ id: Build.ID) async throws -> Build? {
        try await reader.read("build") { try $0.build(id) }
    }

    package func builds(_ query: BuildQuery) async throws -> [Build] {
        try await reader.read("builds") { try $0.builds(query) }
    }

    package func lastFinished(before build: Build) async throws -> Build? {
        try await reader.read("lastFinished") { try $0.lastFinished(before: build) }
    }

    package func delivery(_ id: String) async throws -> Delivery? {
        try await reader.read("delivery") { try $0.delivery(id) }
    }

    package func deliveries(_ query: DeliveryQuery) async throws -> [Delivery] {
        try await reader.read("deliveries") { try $0.deliveries(query) }
    }

    package func log(_ id: Build.ID, offset: Int, limit: Int) async throws -> Data {
        try await reader.read("log") { try $0.log(id, offset: offset, limit: limit) }
    }

    package func logLength(_ id: Build.ID) async throws -> Int {
        try await reader.read("logLength") { try $0.logLength(id) }
    }

    package func load() async throws -> QueueLoad {
        try await reader.read("load") { try $0.load() }
    }

    package func tag(_ name: Tag, of image: ImageName) async throws -> TagHolder? {
        try await reader.read("tag") { try $0.holder(of: name, image: image) }
    }

    package func probe() async throws {
        try await writer.write("probe") { try $0.probe() }
    }

    package func changes(_ topic: ChangeTopic) -> AsyncStream<Void> {
        bell.listen(topic)
    }

    package func close() async {
        bell.close()
        // The writer last: whoever closes last writes the log back into the file, which the reader may not.
        await reader.close()
        await writer.close()
    }

    /// A change of one build by a worker, told to who listens once it is on the disk.
    private func change(_ hold: Hold, _ operation: String, _ body: @Sendable (Database, Date) throws -> Void)
        async throws
    {
        try await writer.write(operation) { [time] in try body($0, time.now) }
        bell.ring([.build(hold.build)])
    }
}
