import Model

/// How many builds are pending, while a batch of deliveries adds to them: read once, and written once at its end
/// or where a build of the batch takes the place of others.
struct PendingBuilds {
    private let database: Database
    /// By repository; the empty name is all.
    private var counts: [String: Int] = [:]
    private var added: [String: Int] = [:]

    private var asked: [String: Later<Int>] = [:]

    init(_ database: Database, of repositories: [RepositoryName]) throws {
        self.database = database
        if repositories.isEmpty { return }
        for name in Set(repositories.map(\.text) + [""]) { asked[name] = try ask(name) }
    }

    /// - Throws: `QueueFull` where one more is too many.
    mutating func add(_ repository: RepositoryName, room: Room) throws {
        if try count(repository.text) >= room.perRepository {
            throw QueueFull(repository: repository, limit: room.perRepository)
        }
        if try count("") >= room.inAll { throw QueueFull(repository: nil, limit: room.inAll) }
        for name in [repository.text, ""] { added[name, default: 0] += 1 }
    }

    /// Notes what was added; to be called before one of those builds changes, which counts itself.
    mutating func write() throws {
        for (name, number) in added.sorted(by: { $0.key < $1.key }) {
            try database.run(database.dialect.countPending, name, number)
        }
        (asked, counts, added) = ([:], [:], [:])
    }

    private mutating func count(_ name: String) throws -> Int {
        let found = try counts[name] ?? (asked.removeValue(forKey: name) ?? ask(name)).first ?? 0
        counts[name] = found
        return found + (added[name] ?? 0)
    }

    private func ask(_ name: String) throws -> Later<Int> {
        try database.ask("SELECT builds FROM pending WHERE repository = ?", name) { try $0.get("builds") }
    }
}
