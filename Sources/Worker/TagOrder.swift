import Checkout
import Model
import Queue

/// Which of two builds a movable tag is to point at.
///
/// For branches: a commit that comes after another in Git's history is newer; of two lines of history the one that was
/// told of later is; of two builds of one commit the one that was accepted later is. For Git tags whose rule follows
/// versions: the greater version.
struct TagOrder: Sendable {
    let build: Build
    let commit: CommitID
    let mirror: Mirror
    let store: any Store

    /// How many earlier builds are looked at to find out when a line of history was first told of.
    static let depth = 100

    /// Why the tag must not move from its holder to this build, or nil.
    ///
    /// - Throws: `Failure` where the mirror fails.
    func reasonToKeep(_ tag: Tag, at holder: TagHolder?) async throws -> String? {
        guard let holder, holder.build != build.id else { return nil }
        // It is kept as long as the tag is there.
        let theirs = try await store.build(holder.build)
        if let mine = version(of: build.ref), let version = theirs.flatMap({ self.version(of: $0.ref) }) {
            if mine.isBelow(version) {
                return "it is at build \(holder.build) (\(theirs?.ref.name ?? version.text)), "
                    + (mine.precedes(version)
                        ? "a later version than \(build.ref.name)"
                        : "a release, and \(build.ref.name) is a prerelease")
            }
            return version.isBelow(mine) ? nil : try await reasonInMoves(at: holder, theirs?.ref ?? build.ref)
        }
        return try await reasonInHistory(tag, at: holder)
    }

    /// Nil where versions don't count.
    private func version(of ref: RefName) -> Version? {
        build.rule.order == .version ? ref.tag.flatMap(Version.init(tag:)) : nil
    }

    /// The same version again: a Git tag that was moved. What was told last counts, not who asked for it to be built again.
    private func reasonInMoves(at holder: TagHolder, _ ref: RefName) async throws -> String? {
        let mine = try await told(commit, on: build.ref, by: build.id)
        let theirs = try await told(holder.commit, on: ref, by: holder.build)
        guard (theirs, holder.build) > (mine, build.id) else { return nil }
        return "it is at build \(holder.build) (\(ref.name)), the same version, which was accepted after build \(mine)"
    }

    /// The build of the last push that told of a commit until a build was accepted, else the build itself.
    private func told(_ commit: CommitID, on ref: RefName, by id: Build.ID) async throws -> Build.ID {
        let builds = try await store.builds(
            BuildQuery(repository: build.repository, ref: ref, commit: commit, before: id + 1, limit: Self.depth))
        return builds.first { [.webhook, .poll].contains($0.cause.kind) }?.id ?? id
    }

    // MARK: History

    private func reasonInHistory(_ tag: Tag, at holder: TagHolder) async throws -> String? {
        let theirs = "build \(holder.build) (\(holder.commit.prefix(12)))"
        guard holder.commit != commit else {
            return holder.build > build.id ? "it is at \(theirs), which was accepted after build \(build.id)" : nil
        }
        // As it mostly is: a mirror that holds the one holds the other.
        if try await isAncestor(holder.commit, of: commit) { return nil }
        try await bring(holder.commit)
        if try await isAncestor(commit, of: holder.commit) {
            return "it is at \(theirs), whose commit came after \(commit.prefix(12))"
        }
        if try await isAncestor(holder.commit, of: commit) { return nil }
        // Two lines of history. A push that is told late belongs to a line that may have been left long before.
        let mine = try await lineTold(commit, by: build.id, tag)
        let other = try await lineTold(holder.commit, by: holder.build, tag)
        guard (other, holder.build) > (mine, build.id) else { return nil }
        return mine == build.id
            ? "it is at \(theirs), which was accepted after build \(build.id)"
            : "it is at \(theirs), which was accepted after build \(mine), whose commit came after \(commit.prefix(12))"
    }

    /// The first build of this tag that told of a commit's line of history: the build itself, or an earlier one whose
    /// commit came after.
    private func lineTold(_ commit: CommitID, by build: Build.ID, _ tag: Tag) async throws -> Build.ID {
        var first = build
        let earlier = BuildQuery(repository: self.build.repository, before: build, limit: Self.depth)
        var seen: Set<CommitID> = [commit]
        for other in try await store.builds(earlier).reversed() {
            guard other.image == self.build.image, other.tags.contains(where: { $0.name == tag }),
                let later = other.commit, seen.insert(later).inserted
            else { continue }
            if try await isAncestor(commit, of: later) {
                first = other.id
                break
            }
        }
        return first
    }

    /// A mirror that was made anew doesn't hold what was built before, as long as nobody asks for it.
    private func bring(_ commit: CommitID) async throws {
        do {
            _ = try await mirror.fetch(commit: commit)
        } catch CheckoutError.commitMissing {
            // Its line was left by a forced push, and the source has forgotten it.
        } catch let error as CheckoutError {
            throw Failure(.system, .tag, error.failure.message)
        }
    }

    private func isAncestor(_ older: CommitID, of newer: CommitID) async throws -> Bool {
        do {
            return try await mirror.isAncestor(older, of: newer) ?? false
        } catch let error as CheckoutError {
            throw Failure(.system, .tag, error.failure.message)
        }
    }
}
