/// Where the queue and the history are.
package enum DatabaseAddress: Sendable, Equatable {
    /// In the data directory, for one machine.
    case sqlite
    /// On a server, for as many machines as use it.
    case postgreSQL(PostgreSQLAddress)

    package var secrets: [Secret] {
        guard case .postgreSQL(let address) = self else { return [] }
        return address.password.map { [$0] } ?? []
    }
}

package struct PostgreSQLAddress: Sendable, Equatable {
    /// As libpq reads it: `postgresql://user@host:5432/name?sslmode=require` ("34.1.1.2. Connection URIs"). Several hosts
    /// are tried in turn until one takes changes.
    package var url: String
    /// Nil where the address holds it, or the server asks for none.
    package var password: Secret?
    /// How many connections are open at most, aside of the one that listens.
    package var connections: Int
    /// Whether a pooler stands between that gives each transaction another connection of the server: then nothing is
    /// kept from one transaction to the next, and others' changes are seen by looking.
    package var isPooled: Bool

    package init(url: String, password: Secret? = nil, connections: Int = 4, isPooled: Bool = false) {
        self.url = url
        self.password = password
        self.connections = connections
        self.isPooled = isPooled
    }
}
