import Foundation

/// What to do about it where a server can't be reached, or lets nobody in.
enum PostgreSQLAdvice {
    /// By words of the message. Until somebody does what is advised of these, it is of no use to try again.
    private static let lasting = [
        ("password authentication failed", "set the user's \"password\" under \"database\""),
        ("no password supplied", "set the user's \"password\" under \"database\""),
        (
            "server does not support SSL",
            "turn TLS on at the server (ssl = on), or, on a network that you trust, take \"sslmode\" out of the address"
        ),
        ("certificate verify failed", "name the authority of its certificate with \"sslrootcert\" in the address"),
        ("no pg_hba.conf entry", "let this machine in with a line of the server's pg_hba.conf"),
        ("does not exist", "create it (createuser, createdb), or correct the address"),
    ]
    private static let passing = [
        (
            "session is read-only",
            "it is a standby, or takes no changes: name the primary in the address, or both, separated by a comma"
        ),
        ("could not translate host name", "correct the host in the address"),
        ("Connection refused", "start the server, or correct the host and port in the address"),
        ("no answer within", "see to the server and the way to it, or correct the host and port in the address"),
        ("too many", "raise the server's max_connections, or lower \"connections\" under \"database\""),
        (
            "remaining connection slots",
            "raise the server's max_connections, or lower \"connections\" under \"database\""
        ),
        ("the database system is", "it is tried again by itself"),
    ]

    /// By the error's code, of statements.
    private static let states = [
        // Insufficient privilege.
        "42501": "make the user the owner of the database (ALTER DATABASE … OWNER TO …)",
        // A prepared statement of another connection.
        "26000":
            "where PgBouncer or the like stands before the server, set \"pooler: transaction\" under \"database\"",
    ]

    static func about(_ message: String, state: String) -> String {
        states[state].map { "\(message); \($0)" } ?? message
    }

    static func about(_ message: String) -> String {
        (lasting + passing).first { message.contains($0.0) }.map { "\(message); \($0.1)" } ?? message
    }

    /// Of one that libpq can't read, whose message may have the whole of it at its end, with the password.
    static func aboutAddress(_ message: String) -> String {
        let words = message.trimmingCharacters(in: .whitespacesAndNewlines)
        let isHarmless = ["invalid URI query parameter", "invalid sslmode value"].contains { words.hasPrefix($0) }
        let shown = isHarmless ? words : words.replacing(/: ".*"$/, with: "")
        return "\(shown); correct the address"
    }

    /// Whether each of the servers that were asked refuses, by libpq's message of several lines.
    static func isLasting(_ message: String) -> Bool {
        let answers = message.split(separator: "\n").filter {
            $0.contains("connection to server") || $0.contains("could not translate host name")
        }
        return !answers.isEmpty && answers.allSatisfy { answer in lasting.contains { answer.contains($0.0) } }
    }
}
