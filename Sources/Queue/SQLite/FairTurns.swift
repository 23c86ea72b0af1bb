import Model

/// Which repository's build is taken next: one of those that have the fewest running, so that none waits behind another's
/// long ones.
struct FairTurns {
    struct Turn {
        let repository: String
        let build: Build.ID
    }

    private var running: [String: Int]
    private var waiting: [String: Build.ID] = [:]

    /// - Parameter running: how many builds of each repository run; none of those left out.
    init(running: [String: Int]) {
        self.running = running
    }

    /// - Parameter build: the oldest of the repository that is due.
    mutating func waits(_ repository: String, with build: Build.ID) {
        waiting[repository] = build
    }

    /// Nil where nobody waits.
    func next() -> Turn? {
        let next = waiting.min { (running[$0.key] ?? 0, $0.value) < (running[$1.key] ?? 0, $1.value) }
        return next.map { Turn(repository: $0.key, build: $0.value) }
    }

    /// - Parameter behind: the next of the repository; nil where it has no more.
    mutating func took(_ turn: Turn, behind: Build.ID?) {
        running[turn.repository, default: 0] += 1
        waiting[turn.repository] = behind
    }
}
