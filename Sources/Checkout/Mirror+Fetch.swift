import CGit2
import Foundation
import Model
import Platform

extension Mirror {
    /// Brings a branch or tag up to date, and nothing else; needs no network where `commit` came with this ref before.
    ///
    /// - Parameter commit: the commit that was pushed; nil takes what the ref names now. Where the ref has moved on, the
    ///   commit is looked for in its history, then asked for by name.
    /// - Returns: the commit, which stays in the mirror.
    /// - Throws: `CheckoutError`; `CancellationError` when the task is cancelled, in the middle of a call too.
    package func fetch(_ ref: RefName, commit: CommitID? = nil) async throws -> CommitInfo {
        try await withRepository { repository, call in
            if let commit, try self.holds(commit, from: ref, repository) {
                return try CommitInfo(commit, in: repository)
            }
            let session = try openSession(source, credentials, into: repository, call)
            let head = try session.heads().first { $0.name == ref.text }
            var tip: CommitID?
            if head != nil {
                _ = try session.download(.ref(ref))
            }
            if let head {
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
