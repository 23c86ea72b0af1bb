import Model

/// The pushes of a batch that no build is of yet, asked for together: of those nothing more is to be looked for.
///
/// Only where each question takes a way over a network.
struct NewPushes {
    private struct Place: Hashable {
        let repository: RepositoryName
        let ref: RefName
        let commit: CommitID
    }

    private let known: Later<Int>?
    private let places: [Place]
    /// Without those of which builds are there; nil until the answer is looked at.
    private var new: Set<Place>?
    /// The builds that the batch itself has made.
    private var made: [Place: [NewBuild]] = [:]

    /// - Parameter builds: all of the batch.
    init(_ builds: [NewBuild], in database: Database) throws {
        guard database.dialect == .postgreSQL, !builds.isEmpty else {
            (known, places) = (nil, [])
            return
        }
        var places: Set<Place> = []
        for build in builds {
            for commit in [build.push.commit, build.push.before] {
                if let commit { places.insert(Self.place(build, commit)) }
            }
        }
        self.places = Array(places)
        // The first at or behind each in the order of one index: of a new table, nobody can say by which it is quick to
        // look for equals.
        known = try database.ask(
            """
            SELECT place FROM json_array_elements(?::json) WITH ORDINALITY AS keys (key, place)
            WHERE (SELECT repository = key->>0 AND ref = key->>1 AND "commit" = key->>2 FROM builds
                WHERE (repository, ref, "commit") >= (key->>0, key->>1, key->>2)
                ORDER BY repository, ref, "commit" LIMIT 1)
            """, JSON(self.places.map { [$0.repository.text, $0.ref.text, $0.commit.text] })
        ) { try $0.get("place", as: Int.self) - 1 }
    }

    /// Whether surely no build is of the same push, rule and image.
    mutating func isNew(_ build: NewBuild) throws -> Bool {
        guard let commit = build.push.commit else { return false }
        return try isNew(build, at: commit)
    }

    /// Whether surely no build of the same repository, ref, rule and image is of this commit.
    mutating func isNew(_ build: NewBuild, at commit: CommitID) throws -> Bool {
        guard let known else { return false }
        if new == nil {
            let found = Set(try known.rows)
            new = Set(places.indices.filter { !found.contains($0) }.map { places[$0] })
        }
        let place = Self.place(build, commit)
        guard new?.contains(place) == true else { return false }
        return made[place]?.contains { $0.image == build.image && $0.rule.isSame(as: build.rule) } != true
    }

    mutating func make(_ build: NewBuild) {
        if known != nil, let commit = build.push.commit { made[Self.place(build, commit), default: []].append(build) }
    }

    private static func place(_ build: NewBuild, _ commit: CommitID) -> Place {
        Place(repository: build.repository, ref: build.push.ref, commit: commit)
    }
}
