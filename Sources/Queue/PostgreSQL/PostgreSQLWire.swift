import CPostgreSQL
import Foundation
import Model

/// What goes over a connection to a PostgreSQL server, without a wait that has no bound.
final class PostgreSQLWire {
    private let handle: OpaquePointer
    private var words: [String: String] = [:]

    init(_ handle: OpaquePointer) {
        self.handle = handle
    }

    var message: String { Self.message(handle) }

    static func message(_ handle: OpaquePointer) -> String {
        String(cString: PQerrorMessage(handle)).split(separator: "\n").joined(separator: "; ")
    }

    // MARK: Sending

    func prepare(_ statement: PostgreSQLStatement, as name: String) -> Bool {
        let types = statement.types.map(\.number)
        return PQsendPrepare(handle, name, words(of: statement), Int32(types.count), types) == 1
    }

    func send(named name: String, _ arguments: [any Storable]) -> Bool {
        withValues(arguments) { PQsendQueryPrepared(handle, name, Int32(arguments.count), $0, $1, $2, 0) == 1 }
    }

    func send(_ statement: PostgreSQLStatement, _ arguments: [any Storable]) -> Bool {
        let types = statement.types.map(\.number)
        return withValues(arguments) {
            PQsendQueryParams(handle, words(of: statement), Int32(arguments.count), types, $0, $1, $2, 0) == 1
        }
    }

    private func words(of statement: PostgreSQLStatement) -> String {
        if let words = words[statement.sql] { return words }
        words[statement.sql] = statement.words
        return statement.words
    }

    /// libpq copies the values before `body` returns.
    private func withValues(
        _ arguments: [any Storable],
        _ body: (UnsafePointer<UnsafePointer<CChar>?>, UnsafePointer<Int32>, UnsafePointer<Int32>) -> Bool
    ) -> Bool {
        // All of them one after the other, and where each begins.
        var bytes: [UInt8] = []
        var starts: [Int?] = []
        var lengths: [Int32] = []
        var formats: [Int32] = []
        for argument in arguments {
            let stored = argument.stored
            starts.append(stored == .null ? nil : bytes.count)
            switch stored {
            case .null: break
            case .integer(let number): bytes += Array("\(number)".utf8)
            // No text of PostgreSQL's holds a zero ("8.3. Character Types").
            case .text(let text) where text.utf8.contains(0):
                bytes += Array(text.replacing("\0", with: "\u{FFFD}").utf8)
            case .text(let text): bytes += text.utf8
            case .blob(let data):
                bytes += data
                lengths.append(Int32(data.count))
                formats.append(1)
            }
            if lengths.count < starts.count {
                lengths.append(0)
                formats.append(0)
                bytes.append(0)
            }
        }
        // So that also an empty value at the end begins somewhere.
        bytes.append(0)
        return bytes.withUnsafeBytes { all in
            let values = starts.map { start in
                start.flatMap { all.baseAddress?.advanced(by: $0).assumingMemoryBound(to: CChar.self) }
            }
            return body(values, lengths, formats)
        }
    }

    // MARK: Receiving

    /// The next answer; nil where a statement has no more.
    func answer(within limit: Duration, _ isCancelled: () -> Bool) throws -> PostgreSQLResult? {
        let end = ContinuousClock.now + limit
        while true {
            let left = PQflush(handle)
            guard left >= 0 else { throw WireError(message) }
            if left == 0, PQisBusy(handle) == 0 { return PQgetResult(handle).map { PostgreSQLResult($0) } }
            try wait(Int16(POLLIN) | (left > 0 ? Int16(POLLOUT) : 0), until: end, isCancelled)
            guard PQconsumeInput(handle) == 1 else { throw WireError(message) }
        }
    }

    /// What other processes told; waits for at most `limit` where nothing is there.
    func notices(within limit: Duration) throws -> [String] {
        let end = ContinuousClock.now + limit
        while true {
            guard PQconsumeInput(handle) == 1 else { throw WireError(message) }
            var texts: [String] = []
            while let notice = PQnotifies(handle) {
                texts.append(String(cString: notice.pointee.extra))
                PQfreemem(notice)
            }
            if !texts.isEmpty || ContinuousClock.now >= end { return texts }
            _ = try? wait(Int16(POLLIN), until: end) { Task.isCancelled }
            if Task.isCancelled { return [] }
        }
    }

    /// Asks the server to end what it does for this connection.
    func cancel() {
        guard let cancel = PQgetCancel(handle) else { return }
        var error = [CChar](repeating: 0, count: 256)
        // Where it can't be asked, its own time limit ends it.
        PQcancel(cancel, &error, Int32(error.count))
        PQfreeCancel(cancel)
    }

    private func wait(_ events: Int16, until end: ContinuousClock.Instant, _ isCancelled: () -> Bool) throws {
        try Self.wait(for: PQsocket(handle), events, until: end, isCancelled)
    }

    static func wait(
        for socket: Int32, _ events: Int16, until end: ContinuousClock.Instant, _ isCancelled: () -> Bool
    ) throws {
        while true {
            let rest = end - .now
            guard rest > .zero else { throw WireError("no answer within its time") }
            var place = pollfd(fd: socket, events: events, revents: 0)
            // In parts, as nothing else ends the wait of a task that is cancelled.
            let part = Int32(min(250, max(1, (rest / .milliseconds(1)).rounded(.up))))
            let ready = poll(&place, 1, part)
            if ready > 0 { return }
            if ready < 0, errno != EINTR { throw WireError(String(cString: strerror(errno))) }
            // Only what takes long is given up: the connection is lost with it.
            if isCancelled() { throw CancellationError() }
        }
    }
}

/// The connection failed; the description is libpq's, or the system's.
struct WireError: Error, CustomStringConvertible {
    let description: String
    /// Whether it is the same however often it is tried.
    let isLasting: Bool

    init(_ description: String, isLasting: Bool = false) {
        self.description = description.isEmpty ? "the connection was lost" : description
        self.isLasting = isLasting
    }
}
