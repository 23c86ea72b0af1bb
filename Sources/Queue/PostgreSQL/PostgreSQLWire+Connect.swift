import CPostgreSQL
import Foundation
import Model

/// How a connection begins.
extension PostgreSQLWire {
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
