import Checkout
import Model
import Queue

/// The builds of other pushes to the same branch, by the same rule, that have not ended, as Git orders them: in what
/// order they were told of counts only where a forced push broke the line.
struct Rivals: Sendable {
    /// Of a newer push: takes the place of this one.
    private(set) var successor: Build.ID?
    /// Of older pushes; not those that somebody asked for by hand.
    private(set) var older: [Build.ID] = []

    /// None for Git tags, or where somebody asked for the build.
    init(of build: Build, at commit: CommitID, mirror: Mirror, store: any Store) async throws {
        // The newest first: it is the one that most likely takes the place.
        for rival in try await Self.all(of: build, store).reversed() {
            guard let other = rival.commit, other != commit else { continue }
            switch try await Self.order(build, commit, rival, other, mirror) {
            case .older: older.append(rival.id)
            case .newer:
                successor = rival.id
                return
            case nil: continue
            }
        }
    }

    /// The last build that was accepted after one whose commit the source no longer has.
    static func successor(ofVanished build: Build, store: any Store) async throws -> Build.ID? {
        try await all(of: build, store).last { $0.isTold && $0.id > build.id }?.id
    }

    private static func all(of build: Build, _ store: any Store) async throws -> [Build] {
        guard build.ref.kind == .branch, build.isTold else { return [] }
        return try await store.rivals(of: build).filter { $0.stop == nil }
    }

    private enum Order {
        case older, newer
    }

    /// - Returns: nil where the source knows nothing of the other commit, or nothing is to be built of it.
    private static func order(
        _ build: Build, _ commit: CommitID, _ rival: Build, _ other: CommitID, _ mirror: Mirror
    ) async throws -> Order? {
        let accepted: Order = rival.id < build.id ? .older : .newer
        do {
            if try await mirror.isAncestor(other, of: commit) == true { return rival.isTold ? .older : nil }
            let info = try await mirror.fetch(rival.ref, commit: other)
            let isNewer = try await mirror.isAncestor(commit, of: other) == true
            guard isNewer || rival.isTold else { return nil }
            let order = isNewer ? .newer : accepted
            return order == .newer && rival.isTold && SkipWords.found(in: info.message) != nil ? nil : order
        } catch is CheckoutError {
            // What can't be fetched takes nobody's place, and goes where it was accepted before: its commit is off the
            // branch, or its own attempt fails with more to say.
            return nil
        }
    }
}

extension Build {
    /// Whether it came of itself: somebody who asks for a build gets it.
    fileprivate var isTold: Bool { [.webhook, .poll, .base].contains(cause.kind) }
}
