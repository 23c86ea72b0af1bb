import CGit2
import Foundation
import Model
import Platform

extension Mirror {
    /// A source with more refs is asked each time, rather than remembered.
    private static let mostTold = 10_000

    /// Brings a branch or tag up to date, and nothing else.
    ///
    /// Needs no network where `commit` is in what came with this ref before, nor where the source was asked for its refs
    /// while this call waited and the mirror has what they name: the builds of one push share one conversation.
    ///
    /// - Parameter commit: the commit that was pushed; nil takes what the ref names now. Where the ref has moved on, the
    ///   commit is looked for in its history, then asked for by name.
    /// - Returns: the commit, which stays in the mirror.
    /// - Throws: `CheckoutError`; `CancellationError` when the task is cancelled, in the middle of a call too.
    package nonisolated func fetch(_ ref: RefName, commit: CommitID? = nil) async throws -> CommitInfo {
        try await fetch(ref, commit: commit, asked: .now)
    }

    /// - Parameter asked: an older answer of the source does not count.
    func fetch(_ ref: RefName, commit: CommitID?, asked: ContinuousClock.Instant) async throws -> CommitInfo {
        try await withRepository { repository, call in
            if let commit, try self.holds(commit, from: ref, repository) {
                return try CommitInfo(commit, in: repository)
            }
            if let held = try self.held(ref, commit, asked, repository) {
                try self.set(self.mark(held, ref), to: held.text, repository)
                return try CommitInfo(held, in: repository)
            }
            // Before the conversation: some sources tell their refs as it begins.
            let now = ContinuousClock.now
            let session = try openSession(source, credentials, into: repository, call)
            let heads = try session.heads()
            self.told = heads.count > Self.mostTold ? nil : (now, heads)
            let head = heads.first { $0.name == ref.text }
            var tip: CommitID?
            if let head {
                _ = try session.download(.ref(ref))
                tip = try self.commit(head.id, of: ref, repository)
                try self.set(ref.text, to: head.id, repository)
            }
            guard let wanted = commit ?? tip else { throw CheckoutError.refMissing(ref, on: source) }
            let isInHistory = try tip.map { try self.isAncestor(wanted, $0, repository) ?? false } ?? false
            if !isInHistory {
                guard try session.download(.commit(wanted)), try self.holds(wanted, repository) else {
                    throw head == nil
                        ? CheckoutError.refMissing(ref, on: source)
                        : CheckoutError.commitMissing(wanted, ref, on: source)
                }
            }
            try self.set(self.mark(wanted, ref), to: wanted.text, repository)
            return try CommitInfo(wanted, in: repository)
        }
    }

    /// The wanted commit, where it is in the mirror and known to be the ref's; nil where the source must be asked.
    private func held(
        _ ref: RefName, _ commit: CommitID?, _ asked: ContinuousClock.Instant, _ repository: OpaquePointer
    ) throws -> CommitID? {
        var tips: [String] = []
        var own = git_oid()
        if commit != nil, git_reference_name_to_id(&own, repository, ref.text) == 0 { tips.append(own.hex) }
        if let told, told.at >= asked, let head = told.heads.first(where: { $0.name == ref.text }),
            try has(head.id, repository)
        {
            tips.append(head.id)
        }
        for id in tips {
            let tip = try self.commit(id, of: ref, repository)
            guard try isAncestor(commit ?? tip, tip, repository) == true else { continue }
            if id != own.hex { try set(ref.text, to: id, repository) }
            return commit ?? tip
        }
        return nil
    }

    private func has(_ id: String, _ repository: OpaquePointer) throws -> Bool {
        var oid = git_oid()
        try git("read the object name \(id)") { git_oid_fromstr(&oid, id) }
        let objects = try GitHandle("open the mirror's objects", free: git_odb_free) {
            git_repository_odb(&$0, repository)
        }
        return git_odb_exists(objects.pointer, &oid) == 1
    }

    /// Brings over a commit by its name alone, or with the branches and tags that lead to it.
    ///
    /// - Returns: the commit, which stays in the mirror.
    /// - Throws: as `fetch(_:commit:)`.
    package func fetch(commit: CommitID) async throws -> CommitInfo {
        try await withRepository { repository, call in
            try self.bring(commit, repository, call)
            return try CommitInfo(commit, in: repository)
        }
    }

    func bring(_ commit: CommitID, _ repository: OpaquePointer, _ call: NetworkCall) throws {
        if try holds(commit, from: nil, repository) { return }
        let session = try openSession(source, credentials, into: repository, call)
        if try session.download(.commit(commit)), try holds(commit, repository) {
            return try set(mark(commit, nil), to: commit.text, repository)
        }
        // The default branch first: it has most commits, and other refs may be many.
        if let branch = try session.defaultBranch(), let ref = try? RefName(.branch, branch) {
            // Some transports serve one download a connection.
            try download(.ref(ref), repository, call)
        }
        if try !holds(commit, repository) { try download(.allRefs, repository, call) }
        guard try holds(commit, repository) else { throw CheckoutError.commitMissing(commit, nil, on: source) }
        try set(mark(commit, nil), to: commit.text, repository)
    }

    private func download(_ want: Want, _ repository: OpaquePointer, _ call: NetworkCall) throws {
        let session = try openSession(source, credentials, into: repository, call)
        let heads = try session.heads()
        _ = try session.download(want)
        for head in heads {
            guard let ref = try? RefName(head.name), want == .allRefs || want == .ref(ref) else { continue }
            try set(ref.text, to: head.id, repository)
        }
    }

    // The mirror's own refs

    /// `refs/slipway/commits/<id>/<what it came with>` keeps a commit, and remembers the ref that was asked for.
    private func mark(_ commit: CommitID, _ ref: RefName?) -> String {
        // A hash, since `a` and `a/b` may both be refs in the course of time, and files and folders can't share a name.
        "refs/slipway/commits/\(commit)/"
            + (ref.map { String(Crypto.sha256(Data($0.text.utf8)).hex.prefix(16)) } ?? "alone")
    }

    private func set(_ name: String, to id: String, _ repository: OpaquePointer) throws {
        var oid = git_oid()
        try git("read the object name \(id)") { git_oid_fromstr(&oid, id) }
        let reference = try? GitHandle("set \(name)", free: git_reference_free) {
            git_reference_create(&$0, repository, name, &oid, 1, nil)
        }
        if reference != nil { return }
        // A branch `a` that became `a/b` on the source, or the other way round: the old one makes room.
        try makeRoom(for: name, repository)
        _ = try GitHandle("set \(name)", free: git_reference_free) {
            git_reference_create(&$0, repository, name, &oid, 1, nil)
        }
    }

    private func makeRoom(for name: String, _ repository: OpaquePointer) throws {
        var list = git_strarray()
        try git("list the mirror's refs") { git_reference_list(&list, repository) }
        defer { git_strarray_dispose(&list) }
        for i in 0..<list.count {
            guard let other = list.strings[i].map({ String(cString: $0) }) else { continue }
            if other.hasPrefix(name + "/") || name.hasPrefix(other + "/") {
                try git("remove \(other)") { git_reference_remove(repository, other) }
            }
        }
    }

    /// Whether the commit came before with this ref, or was asked for by its name alone where `ref` is nil.
    private func holds(_ commit: CommitID, from ref: RefName?, _ repository: OpaquePointer) throws -> Bool {
        var marked = git_oid()
        let code = git_reference_name_to_id(&marked, repository, mark(commit, ref))
        if code == GIT_ENOTFOUND.rawValue { return false }
        guard code == 0 else { throw GitFault(code, "read the mirror's note of commit \(commit)") }
        // A note without its commit: the objects are damaged, which reading the commit tells.
        _ = try CommitInfo(commit, in: repository)
        return true
    }

    func holds(_ commit: CommitID, _ repository: OpaquePointer) throws -> Bool {
        var oid = try git_oid(commit)
        var found: OpaquePointer?
        let code = git_commit_lookup(&found, repository, &oid)
        if code == GIT_ENOTFOUND.rawValue { return false }
        guard code == 0 else { throw GitFault(code, "read commit \(commit)") }
        git_commit_free(found)
        return true
    }

    /// The commit that a ref's object is or leads to.
    private func commit(_ id: String, of ref: RefName, _ repository: OpaquePointer) throws -> CommitID {
        var oid = git_oid()
        try git("read the object name \(id)") { git_oid_fromstr(&oid, id) }
        let object = try GitHandle("read \(ref) of \(source)", free: git_object_free) {
            git_object_lookup(&$0, repository, &oid, GIT_OBJECT_ANY)
        }
        var peeled: OpaquePointer?
        let code = git_object_peel(&peeled, object.pointer, GIT_OBJECT_COMMIT)
        defer { git_object_free(peeled) }
        if code == GIT_EPEEL.rawValue || code == GIT_EINVALIDSPEC.rawValue {
            throw CheckoutError.notACommit(ref, on: source)
        }
        guard code == 0, let found = git_object_id(peeled) else { throw GitFault(code, "follow \(ref) of \(source)") }
        return try CommitID(found.pointee.hex)
    }
}
