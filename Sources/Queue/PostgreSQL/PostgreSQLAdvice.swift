/// What to do about it where a server can't be reached.
enum PostgreSQLAdvice {
    private static let known = [
        ("password authentication failed", "set the user's \"password\" under \"database\""),
        ("no password supplied", "set the user's \"password\" under \"database\""),
        (
            "server does not support SSL",
            "turn TLS on at the server (ssl = on), or, on a network that you trust, take \"sslmode\" out of the address"
        ),
        ("certificate verify failed", "name the authority of its certificate with \"sslrootcert\" in the address"),
        ("no pg_hba.conf entry", "let this machine in with a line of the server's pg_hba.conf"),
        ("does not exist", "create it (createuser, createdb), or correct the address"),
        ("session is read-only", "it is a standby: name the primary in the address, or both, separated by a comma"),
        ("could not translate host name", "correct the host in the address"),
        ("Connection refused", "start the server, or correct the host and port in the address"),
        ("too many", "raise the server's max_connections, or lower \"connections\" under \"database\""),
        (
            "remaining connection slots",
            "raise the server's max_connections, or lower \"connections\" under \"database\""
        ),
        ("the database system is", "it is tried again by itself"),
    ]

    static func about(_ message: String) -> String {
        known.first { message.contains($0.0) }.map { "\(message); \($0.1)" } ?? message
    }
}
