import Foundation

/// The database's own account of the states that each build went through, kept by a trigger: no program can leave any out.
struct Witness {
    private struct Change: Decodable {
        var build: Int
        var old: String
        var new: String
        var attempt: Int
        var worker: String?
    }

    let world: World

    /// Once there are tables.
    static func install(in database: Replicated) async throws {
        try await database.current.sql(
            """
            CREATE TABLE witness (
                number bigint GENERATED ALWAYS AS IDENTITY, build bigint, old text, new text, attempt bigint, worker text
            );
            CREATE FUNCTION witness() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                INSERT INTO witness (build, old, new, attempt, worker)
                VALUES (NEW.id, OLD.state, NEW.state, NEW.attempt, coalesce(NEW.worker, OLD.worker));
                RETURN NULL;
            END $$;
            CREATE TRIGGER witness AFTER UPDATE ON builds
                FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION witness();
            """, in: "slipway")
    }

    /// No build ends twice, or changes after its end, and only its latest attempt brings one about.
    func check() async throws {
        let changes: [Change] = try await world.ledger.rows(
            "SELECT build, old, new, attempt, worker FROM witness ORDER BY number")
        let ends: Set<String> = ["finished", "failed", "cancelled", "superseded"]
        for (build, changes) in Dictionary(grouping: changes, by: \.build).sorted(by: { $0.key < $1.key }) {
            let states = changes.map { "\($0.old) to \($0.new) by \($0.worker ?? "nobody") in attempt \($0.attempt)" }
            if changes.count(where: { ends.contains($0.new) }) != 1
                || changes.contains(where: { ends.contains($0.old) })
            {
                world.findings.add("build \(build) did not end once: \(states)")
            }
            if changes.map(\.attempt) != changes.map(\.attempt).sorted() {
                world.findings.add("build \(build) was changed by an attempt before its last: \(states)")
            }
            let workers = Set(changes.filter { $0.new == "building" }.compactMap(\.worker))
            if workers.count > 1 { world.counts.add("builds tried by several workers") }
        }
        world.counts.add("changes of state", changes.count)
    }
}
