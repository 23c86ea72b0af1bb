import CGit2
import Synchronization

/// What engines see of directories that were read before, so that a new commit costs what it changed.
final class SeenTrees: Sendable {
    /// A directory as far as an engine sees it.
    struct Seen: Sendable {
        /// The object id that Git would give it if it held nothing else.
        let id: git_oid
        /// The greatest sight of anything in it.
        let sight: IgnoreFile.Sight
        /// Whether what is seen of it, or of something in it, depends on the patterns themselves.
        let isUnsure: Bool
    }

    private struct State {
        var young: [[UInt8]: Seen] = [:]
        var old: [[UInt8]: Seen] = [:]
    }

    private let most: Int
    private let state = Mutex(State())

    /// - Parameter most: so many directories are kept, of those that were asked for last.
    init(most: Int = 20_000) {
        self.most = most
    }

    subscript(key: [UInt8]) -> Seen? {
        get {
            state.withLock { state in
                if let seen = state.young[key] { return seen }
                guard let seen = state.old[key] else { return nil }
                keep(seen, key, &state)
                return seen
            }
        }
        set {
            guard let newValue else { return }
            state.withLock { keep(newValue, key, &$0) }
        }
    }

    /// Two generations: the older goes when the younger is full.
    private func keep(_ seen: Seen, _ key: [UInt8], _ state: inout State) {
        if state.young.count >= most / 2 { state = State(old: state.young) }
        state.young[key] = seen
    }
}
