import Foundation
import Model
import Queue

/// Reads a build's log piece by piece; with `follow`, to the end of the build.
actor LogReader {
    static let piece = 64 << 10

    private let store: any Store
    private let build: Build.ID
    private let follow: Bool
    private var offset: Int
    private var changes: AsyncStream<Void>.AsyncIterator
    private var ended = false

    init(store: any Store, build: Build.ID, offset: Int, follow: Bool) {
        self.store = store
        self.build = build
        self.offset = offset
        self.follow = follow
        changes = store.changes(.build(build)).makeAsyncIterator()
    }

    /// - Returns: nil at the end.
    func next() async throws -> Data? {
        while true {
            // Asked before the log is read: what was written before the end is in what is read after it.
            let over = follow ? try await store.build(build)?.state.isEnd ?? true : true
            let bytes = try await store.log(build, offset: offset, limit: Self.piece)
            offset += bytes.count
            if !bytes.isEmpty { return bytes }
            if over { return nil }
            // The iterator is taken out for the wait: an actor's own state can't be changed across one.
            var iterator = changes
            guard await iterator.next(isolation: self) != nil else { throw CancellationError() }
            changes = iterator
        }
    }

    /// The next piece as a server-sent event whose id is the offset after it; an event `end` is the last.
    func nextEvent() async throws -> Data? {
        if ended { return nil }
        guard let bytes = try await next() else {
            ended = true
            let state = try await store.build(build)?.state.rawValue ?? ""
            return Data("id: \(offset)\nevent: end\ndata: \(state)\n\n".utf8)
        }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        return Data("id: \(offset)\n\(lines.map { "data: \($0)\n" }.joined())\n".utf8)
    }
}
