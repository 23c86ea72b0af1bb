import Model

/// Which repository's build is taken next: one of those that have the fewest running, so that none waits behind another's
/// long ones.
struct FairTurns {
    /// A repository, and the oldest of its builds that are due.
    struct Turn {
        let repository: String
        let build: Build.ID
        /// Whether it came so lately that it may be left to others.
        var isYoung = false
    }

    private var running: [String: Int]
    private var waiting: [String: Turn] = [:]

    /// - Parameter running: how many builds of each repository run; none of those left out.
    init(running: [String: Int]) {
        self.running = running
    }

    mutating func waits(_ turn: Turn) {
        waiting[turn.repository] = turn
    }

    /// Nil where nobody waits.
    func next() -> Turn? {
        waiting.values.min {
            (running[$0.repository] ?? 0, $0.build) < (running[$1.repository] ?? 0, $1.build)
        }
    }

    /// All of its builds are others'.
    mutating func leaves(_ turn: Turn) {
        waiting[turn.repository] = nil
    }

    /// - Parameter behind: the next of the repository; nil where it has no more.
    mutating func took(_ turn: Turn, behind: Turn?) {
        running[turn.repository, default: 0] += 1
        waiting[turn.repository] = behind
    }
}
