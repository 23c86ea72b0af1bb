/// What every transaction is to know of the server, and the server of it.
extension PostgreSQLSession {
    /// Sets, until the end of the transaction or of the connection, what the server's own settings may have otherwise.
    static func parameters(areLocal: Bool) -> String {
        """
        set_config('timezone', 'UTC', \(areLocal)), set_config('datestyle', 'ISO', \(areLocal)),
            set_config('statement_timeout', '25s', \(areLocal)), set_config('lock_timeout', '10s', \(areLocal)),
            set_config('idle_in_transaction_session_timeout', '10s', \(areLocal)),
            -- What is told to be kept is kept.
            set_config('synchronous_commit', CASE current_setting('synchronous_commit')
                WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, \(areLocal))
        """
    }

    static let localParameters = ", " + parameters(areLocal: true)

    /// Another server that took the database's place counts on from a number of its own, on another timeline
    /// ("26.3.5. Timelines").
    static let timeline = "substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)"
    /// For servers that keep their log of changes to themselves, as some that are rented do: another server began at
    /// another moment, but so did this one where it was restarted.
    static let sinceStart = "extract(epoch FROM pg_postmaster_start_time())::text"
}
