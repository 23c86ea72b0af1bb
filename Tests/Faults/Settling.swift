import Foundation

/// The time after the last fault: everything is told, and everything comes to an end.
struct Settling {
    let world: World
    /// Whether every head has to be built, also one that nobody could tell of.
    var wantsHeads = true

    private var ledger: Ledger { world.ledger }

    /// Comes back when no build is open and every head was built, or nothing happens any more.
    func run() async throws {
        try await world.desk.settle()
        var (last, seen) = (ContinuousClock.now, "")
        while ContinuousClock.now - last < world.patience {
            let open = try await ledger.open()
            let unseen = open.count == 0 && wantsHeads ? try await unbuilt() : []
            if open.count == 0 && unseen.isEmpty { return }
            let now = "\(open.count) \(open.first?.id ?? 0) \(open.first?.state ?? "") \(unseen.count)"
            if now != seen { (last, seen) = (.now, now) }
            if let first = open.first {
                let path = "/api/v1/builds/\(first.id)?wait=5s&seen=\(first.state)"
                if await world.send("GET", path, [:], nil)?.status == 200 { continue }
            }
            // Nobody tells of what a look at the sources will find.
            try await Task.sleep(for: .seconds(1))
        }
        world.findings.add("for \(world.patience) nothing happened, and this is left: \(seen) \(try await unbuilt())")
    }

    /// Refs whose commit no build is of.
    private func unbuilt() async throws -> [String] {
        let built = Set(try await ledger.builds().map { "\($0.repository) \($0.ref) \($0.commit ?? "")" })
        var unbuilt: [String] = []
        for origin in world.origins {
            for (ref, commit) in await origin.heads where !built.contains("\(origin.name) \(ref) \(commit)") {
                unbuilt.append("\(origin.name) \(ref) \(commit.prefix(12))")
            }
        }
        return unbuilt.sorted()
    }
}
