import CPostgreSQL
import Foundation
import Model

/// What goes over a connection to a PostgreSQL server, without a wait that has no bound.
final class PostgreSQLWire {
    private let handle: OpaquePointer
    private var texts: [String: String] = [:]

    init(_ handle: OpaquePointer) {
        self.handle = handle
    }

    var message: String { Self.message(handle) }

    static func message(_ handle: OpaquePointer) -> String {
        String(cString: PQerrorMessage(handle)).split(separator: "\n").joined(separator: "; ")
    }

    // MARK: Sending

    func prepare(_ statement: PostgreSQLStatement, as name: String) -> Bool {
        let types = statement.types.map(Self.number)
        return PQsendPrepare(handle, name, text(statement.sql), Int32(types.count), types) == 1
    }

    func send(named name: String, _ arguments: [any Storable]) -> Bool {
        withValues(arguments) { PQsendQueryPrepared(handle, name, Int32(arguments.count), $0, $1, $2, 0) == 1 }
    }

    func send(_ statement: PostgreSQLStatement, _ arguments: [any Storable]) -> Bool {
        let types = statement.types.map(Self.number)
        return withValues(arguments) {
            PQsendQueryParams(handle, text(statement.sql), Int32(arguments.count), types, $0, $1, $2, 0) == 1
        }
    }

    /// As pg_type has them; what is a text may be of other types that are written so, which the server finds itself.
    private static func number(_ type: SQLType) -> Oid {
        switch type {
        case .integer: 20
        case .boolean: 16
        case .text: 0
        case .time: 1184
        case .blob: 17
        }
    }

    /// libpq copies the values before `body` returns.
    private func withValues(
        _ arguments: [any Storable],
        _ body: (UnsafePointer<UnsafePointer<CChar>?>, UnsafePointer<Int32>, UnsafePointer<Int32>) -> Bool
    ) -> Bool {
        var values: [UnsafePointer<CChar>?] = []
        var lengths: [Int32] = []
        var formats: [Int32] = []
        defer { for value in values { free(UnsafeMutableRawPointer(mutating: value)) } }
        for argument in arguments {
            switch argument.stored {
            case .null:
                values.append(nil)
                lengths.append(0)
                formats.append(0)
            case .integer(let number):
                values.append(strdup("\(number)"))
                lengths.append(0)
                formats.append(0)
            case .text(let text):
                // No text of PostgreSQL's holds it ("8.3. Character Types").
                values.append(strdup(text.contains("\0") ? text.replacing("\0", with: "\u{FFFD}") : text))
                lengths.append(0)
                formats.append(0)
            case .blob(let data):
                let bytes = UnsafeMutableRawPointer.allocate(byteCount: max(1, data.count), alignment: 1)
                data.withUnsafeBytes {
                    if let start = $0.baseAddress { bytes.copyMemory(from: start, byteCount: $0.count) }
                }
                values.append(UnsafePointer(bytes.assumingMemoryBound(to: CChar.self)))
                lengths.append(Int32(data.count))
                formats.append(1)
            }
        }
        return body(values, lengths, formats)
    }

    /// The statement as PostgreSQL writes it: places for arguments by number, and no word of an index to take.
    private func text(_ sql: String) -> String {
        if let text = texts[sql] { return text }
        var text = ""
        var next = 0
        var rest = sql[...]
        while let place = rest.firstIndex(of: "?") {
            text += rest[..<place]
            rest = rest[rest.index(after: place)...]
            let digits = rest.prefix(while: \.isWholeNumber)
            rest = rest.dropFirst(digits.count)
            next += 1
            text += "$" + (digits.isEmpty ? "\(next)" : digits)
        }
        text += rest
        text = text.replacing(/INDEXED BY [a-z_]+/, with: "").replacing("CROSS JOIN", with: "JOIN")
        texts[sql] = text
        return text
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

    private static func wait(
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

    // MARK: Connecting

    /// So long it may take to connect to one host, and to be let in.
    private static let connectLimit = Duration.seconds(5)

    /// Tries the hosts of an address in turn. libpq does so too, but not where one is silent: it keeps no time limit of
    /// its own here ("34.1. Database Connection Control Functions", PQconnectPoll).
    ///
    /// - Returns: the connection, and where it leads.
    static func connect(_ address: PostgreSQLAddress) throws -> (OpaquePointer, place: String) {
        let known = try parse(address)
        let lists = ["host", "hostaddr", "port"].map { name in
            (name, (known[name] ?? "").split(separator: ",", omittingEmptySubsequences: false).map(String.init))
        }
        let count = lists.map(\.1.count).max() ?? 1
        var failures: [WireError] = []
        for index in 0..<count {
            let only = lists.compactMap { name, values in
                // One port is that of all hosts.
                values.count > 1 ? (name, values[index % values.count]) : nil
            }
            do {
                return (try connect(address, only), place(known))
            } catch let error as WireError {
                failures.append(error)
            }
        }
        let told = failures.map(\.description).joined(separator: "; ")
        throw StoreError(
            failures.allSatisfy(\.isLasting) ? .refused : .unreachable, PostgreSQLAdvice.about(told),
            operation: "connect", database: place(known))
    }

    /// - Parameter only: the one host of the address.
    private static func connect(_ address: PostgreSQLAddress, _ only: [(String, String)]) throws -> OpaquePointer {
        // Those before the address are for what it leaves open, those after it stand in its place.
        var words = [
            ("application_name", "slipway"), ("target_session_attrs", "read-write"),
            ("keepalives_idle", "5"), ("keepalives_interval", "2"), ("keepalives_count", "3"),
            ("tcp_user_timeout", "10000"), ("dbname", address.url),
        ]
        words += only
        if let password = address.password { words.append(("password", password.value)) }
        words.append(("client_encoding", "UTF8"))
        let (names, values) = (words.map(\.0), words.map(\.1))
        let handle = withStrings(names) { names in
            withStrings(values) { values in PQconnectStartParams(names, values, 1) }
        }
        guard let handle else { throw WireError("there is no memory") }
        // What an address asks for that there is not; hosts are looked up here too.
        guard PQstatus(handle) != CONNECTION_BAD || message(handle).contains("could not translate host name") else {
            let told = message(handle)
            PQfinish(handle)
            throw WireError(PostgreSQLAdvice.aboutAddress(told), isLasting: true)
        }
        do {
            try finish(handle)
        } catch {
            let told = join(message(handle), "\(error)")
            let isLasting = PostgreSQLAdvice.isLasting(String(cString: PQerrorMessage(handle)))
            PQfinish(handle)
            throw WireError(told, isLasting: isLasting)
        }
        PQsetNoticeReceiver(handle, { _, _ in }, nil)
        return handle
    }

    /// libpq's words, which end with "failed:" where it was not libpq that gave up, and what was met.
    private static func join(_ message: String, _ met: String) -> String {
        let message = message.trimmingCharacters(in: .whitespaces)
        return message.contains(met) ? message : message.isEmpty ? met : "\(message) \(met)"
    }

    private static func finish(_ handle: OpaquePointer) throws {
        guard PQstatus(handle) != CONNECTION_BAD else { throw WireError(message(handle)) }
        let end = ContinuousClock.now + connectLimit
        var state = PGRES_POLLING_WRITING
        while true {
            switch state {
            case PGRES_POLLING_OK: return
            case PGRES_POLLING_FAILED: throw WireError(message(handle))
            default:
                let events = Int16(state == PGRES_POLLING_READING ? POLLIN : POLLOUT)
                try wait(for: PQsocket(handle), events, until: end) { false }
                state = PQconnectPoll(handle)
            }
        }
    }

    /// What an address says, by libpq's names.
    ///
    /// - Throws: `StoreError` where it can't be read.
    private static func parse(_ address: PostgreSQLAddress) throws -> [String: String] {
        var message: UnsafeMutablePointer<CChar>?
        guard let options = PQconninfoParse(address.url, &message) else {
            defer { PQfreemem(message) }
            throw StoreError(
                .refused, PostgreSQLAdvice.aboutAddress(message.map { String(cString: $0) } ?? "no word"),
                operation: "connect", database: "of the settings")
        }
        defer { PQconninfoFree(options) }
        var known: [String: String] = [:]
        var option = options
        while let name = option.pointee.keyword {
            if let value = option.pointee.val { known[String(cString: name)] = String(cString: value) }
            option += 1
        }
        return known
    }

    /// Where an address leads, without secrets; as the database is called before it was reached.
    static func place(of address: PostgreSQLAddress) -> String {
        (try? parse(address)).map(place) ?? "a PostgreSQL server"
    }

    private static func place(_ known: [String: String]) -> String {
        let host = known["host"] ?? known["hostaddr"] ?? "localhost"
        let port = known["port"].map { ":\($0)" } ?? ""
        return "postgresql://\(host)\(port)/\(known["dbname"] ?? known["user"] ?? "")"
    }

    private static func withStrings<Result>(
        _ texts: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Result
    ) -> Result {
        let copies = texts.map { UnsafePointer(strdup($0)) } + [nil]
        defer { for copy in copies { free(UnsafeMutableRawPointer(mutating: copy)) } }
        return body(copies)
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
