import Foundation
import Model
import Platform
import Synchronization

/// All mirrors of one data directory: `<directory>/<namespace>/<name>/<source>/mirror.git`, and beside it the mirrors of
/// the repository's submodules.
///
/// The data directory is this process's alone.
package final class Mirrors: Sendable {
    /// How long a Git host may say nothing.
    package static let silence: Duration = .seconds(60)

    private struct Key: Hashable {
        let repository: RepositoryName
        let source: GitSource
    }

    private struct Entry {
        let mirror: Mirror
        let credentials: GitCredentials?
        let lane: QueueExecutor
    }

    private let directory: String
    let log: Log
    private let silence: Duration
    private let seenTrees = SeenTrees()
    private let entries = Mutex<[Key: Entry]>([:])

    package init(directory: String, log: Log, silence: Duration = Mirrors.silence) {
        GitLibrary.start()
        self.directory = directory
        self.log = log
        self.silence = silence
    }

    /// The mirror of a source: the same one for everybody, until source or credentials change.
    package func mirror(
        for repository: RepositoryName, source: GitSource, credentials: GitCredentials?
    ) -> Mirror {
        entries.withLock { entries in
            let key = Key(repository: repository, source: source)
            if let entry = entries[key], entry.credentials == credentials { return entry.mirror }
            // One directory is worked on by one lane, whatever the credentials: their actors never meet in it.
            let lane = entries[key]?.lane ?? QueueExecutor(label: "slipway.mirror.\(repository)")
            let home = "\(directory)/\(repository.namespace)/\(repository.name)"
            let mirror = Mirror(
                source: source, credentials: credentials, home: "\(home)/\(MirrorFiles.name(of: source))", log: log,
                silence: silence, lane: lane, seenTrees: seenTrees)
            // What an earlier source of the repository left behind; in this process it may still be in use.
            if !entries.keys.contains(where: { $0.repository == repository }) {
                MirrorFiles.removeAll(in: home, except: MirrorFiles.name(of: source), log)
            }
            entries[key] = Entry(mirror: mirror, credentials: credentials, lane: lane)
            return mirror
        }
    }

    /// The homes of all mirrors that are on the disk, with the actor of each that was used in this process.
    func homes() -> [(path: String, mirror: Mirror?)] {
        let used = entries.withLock { $0.values.map(\.mirror) }
        return MirrorFiles.homes(in: directory).map { home in (home, used.first { $0.home == home }) }
    }
}
