import Foundation
import Model
import Platform
import Settings

/// When each repository's source is looked at next.
struct PollSchedule {
    enum Step {
        case look(Repository)
        case wait(Duration)
    }

    enum Outcome {
        case seen
        /// The source, or the way to it; with `isBusy` the host wants to be left alone.
        case silent(String, isBusy: Bool)
        /// The queue could not take what was found.
        case notKept(String)
        /// The look was ended before it had come to anything.
        case broken
    }

    private struct Turn {
        let source: GitSource
        let credentials: GitCredentials?
        var due: Date
        var isTaken = false
        var failures = 0
        var fault: String?
    }

    private struct Rest {
        var until: Date
        var failures: Int
    }

    /// The looks of a start begin within this time.
    static let spread: Duration = .seconds(30)
    /// The longest pause of a source that fails, unless it is looked at more seldom anyway.
    static let longestPause: Duration = .seconds(3600)
    /// The first pause of a host that answers 429.
    static let firstRest: Duration = .seconds(60)
    /// How old settings may be that a look goes by.
    static let longestWait: Duration = .seconds(10)

    private var turns: [RepositoryName: Turn] = [:]
    private var rests: [String: Rest] = [:]
    /// A factor near 1, so that repositories don't all come due together.
    private let jitter: @Sendable () -> Double

    init(jitter: @escaping @Sendable () -> Double = { .random(in: 0.9...1.1) }) {
        self.jitter = jitter
    }

    /// Gives the repository that is due first to whoever asks, until its look has ended.
    mutating func next(_ repositories: [Repository], now: Date) -> Step {
        let polled = repositories.filter { $0.poll != nil }
        add(polled, now)
        rests = rests.mapValues { Rest(until: min($0.until, now + Self.longestPause.seconds), failures: $0.failures) }
        var first: (repository: Repository, due: Date)?
        for repository in polled {
            guard let turn = turns[repository.name], !turn.isTaken else { continue }
            // Sooner than it was to be, where the settings or the clock were changed meanwhile.
            let latest = now.addingTimeInterval(pause(of: repository, turn.failures).seconds * 1.1)
            turns[repository.name]?.due = min(turn.due, latest)
            let due = max(min(turn.due, latest), rests[repository.source.host]?.until ?? .distantPast)
            if due < first?.due ?? .distantFuture { first = (repository, due) }
        }
        guard let first else { return .wait(Self.longestWait) }
        guard first.due <= now else { return .wait(min(.seconds(first.due.timeIntervalSince(now)), Self.longestWait)) }
        turns[first.repository.name]?.isTaken = true
        return .look(first.repository)
    }

    /// Notes how a look ended.
    ///
    /// - Returns: whether that is something else than how the look before ended, and what was wrong then.
    mutating func end(_ repository: Repository, _ outcome: Outcome, now: Date) -> (isNew: Bool, former: String?) {
        guard var turn = turns[repository.name] else { return (false, nil) }
        let former = turn.fault
        turn.isTaken = false
        switch outcome {
        case .broken: break
        case .seen: (turn.failures, turn.fault) = (0, nil)
        case .notKept(let fault): (turn.failures, turn.fault) = (0, fault)
        case .silent(let fault, let isBusy):
            turn.failures += 1
            turn.fault = fault
            if isBusy { rest(repository.source.host, now) }
        }
        if case .seen = outcome, let rest = rests[repository.source.host], rest.until <= now {
            rests[repository.source.host] = nil
        }
        turn.due = now.addingTimeInterval(pause(of: repository, turn.failures).seconds * jitter())
        turns[repository.name] = turn
        return (turn.fault != former, former)
    }

    private mutating func add(_ polled: [Repository], _ now: Date) {
        let known = Dictionary(polled.map { ($0.name, $0) }) { first, _ in first }
        // One that is being looked at keeps its turn, so that nobody begins another look.
        turns = turns.filter { name, turn in
            turn.isTaken
                || known[name].map { $0.source == turn.source && $0.credentials == turn.credentials } ?? false
        }
        let new = polled.filter { turns[$0.name] == nil }
        for (place, repository) in new.enumerated() {
            let wait = Self.spread.seconds * Double(place) / Double(new.count)
            turns[repository.name] = Turn(
                source: repository.source, credentials: repository.credentials, due: now.addingTimeInterval(wait))
        }
    }

    private mutating func rest(_ host: String, _ now: Date) {
        // Two looks at once are refused at once; that is one refusal.
        if let rest = rests[host], rest.until > now { return }
        let failures = (rests[host]?.failures ?? 0) + 1
        let pause = Self.firstRest.doubled(failures - 1, atMost: Self.longestPause)
        rests[host] = Rest(until: now.addingTimeInterval(pause.seconds * jitter()), failures: failures)
    }

    private func pause(of repository: Repository, _ failures: Int) -> Duration {
        let poll = repository.poll ?? Self.longestPause
        return poll.doubled(failures - 1, atMost: max(poll, Self.longestPause))
    }
}
