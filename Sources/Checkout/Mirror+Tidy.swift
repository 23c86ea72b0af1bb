import CGit2
import Foundation
import Platform

extension Mirror {
    /// So many notes of commits are kept; what no branch or tag leads to any more goes with its note.
    static let mostNotes = 1000
    /// With more packs or more loose objects the mirror is packed anew.
    static let mostPacks = 50
    static let mostLoose = 5000

    /// Removes what broken fetches left, and packs the objects into one file where they are in many; a mirror that can't
    /// be packed for what is in it is removed, and fetched anew when it is needed.
    ///
    /// - Throws: `CheckoutError`; `CancellationError` when the task is cancelled, which leaves the mirror as it was.
    package func tidy() async throws {
        if files.exist {
            // Nothing else runs on this lane, so no file is in use.
            files.sweep(log)
            try dropNotes()
            if files.packs > Self.mostPacks || files.looseObjects > Self.mostLoose { try await pack() }
        }
        for module in submodules.values { try await module.tidy() }
    }

    /// Removes all files of the mirror, and of the repository's submodules; the next fetch makes it anew.
    func discard() throws {
        submodules = [:]
        try MirrorFiles.remove(home)
    }

    private func dropNotes() throws {
        let notes = files.notes
        guard notes.count > Self.mostNotes else { return }
        for note in notes.prefix(notes.count - Self.mostNotes) {
            try MirrorFiles.remove(note)
            // Its folder, unless the commit came with another ref too.
            rmdir((note as NSString).deletingLastPathComponent)
        }
    }

    private func pack() async throws {
        let (packs, loose) = (files.packs, files.looseObjects)
        try await withRepository { repository, _ in try self.packed(repository) }
        log.info("a mirror was packed", ["source": source, "path": files.path, "packs": packs, "loose": loose])
    }

    /// Writes all that refs lead to into one pack, and removes every other file of objects.
    private func packed(_ repository: OpaquePointer) throws {
        let builder = try GitHandle("pack the mirror of \(source)", free: git_packbuilder_free) {
            git_packbuilder_new(&$0, repository)
        }
        // The machine has builds to do.
        git_packbuilder_set_threads(builder.pointer, 1)
        git_packbuilder_set_callbacks(builder.pointer, { _, _, _, _ in NetworkCall.current?.end == nil ? 0 : -1 }, nil)
        try insertAll(repository, into: builder.pointer)
        let folder = files.path + "/objects/pack"
        try git("write a pack of \(source)") { git_packbuilder_write(builder.pointer, folder, 0, nil, nil) }
        try files.removeObjects(exceptPack: git_packbuilder_name(builder.pointer).map { String(cString: $0) })
    }

    private func insertAll(_ repository: OpaquePointer, into builder: OpaquePointer) throws {
        let walk = try GitHandle("go through the commits of \(source)", free: git_revwalk_free) {
            git_revwalk_new(&$0, repository)
        }
        let references = try GitHandle("list the mirror's refs", free: git_reference_iterator_free) {
            git_reference_iterator_new(&$0, repository)
        }
        while true {
            var reference: OpaquePointer?
            let code = git_reference_next(&reference, references.pointer)
            if code == GIT_ITEROVER.rawValue { break }
            guard code >= 0 else { throw GitFault(code, "list the mirror's refs") }
            defer { git_reference_free(reference) }
            // A symbolic ref names one that is among them itself.
            guard let id = git_reference_target(reference) else { continue }
            let object = try GitHandle("read object \(id.pointee.hex)", free: git_object_free) {
                git_object_lookup(&$0, repository, id, GIT_OBJECT_ANY)
            }
            if git_object_type(object.pointer) == GIT_OBJECT_COMMIT {
                try git("go through the commits of \(source)") { git_revwalk_push(walk.pointer, id) }
            } else {
                try insertTag(id, repository, into: builder, walk.pointer)
            }
        }
        try git("pack the mirror of \(source)") { git_packbuilder_insert_walk(builder, walk.pointer) }
    }

    /// An annotated tag, what it names, and the history behind it.
    private func insertTag(
        _ id: UnsafePointer<git_oid>, _ repository: OpaquePointer, into builder: OpaquePointer, _ walk: OpaquePointer
    ) throws {
        try git("pack object \(id.pointee.hex)") { git_packbuilder_insert_recur(builder, id, nil) }
        let object = try GitHandle("read object \(id.pointee.hex)", free: git_object_free) {
            git_object_lookup(&$0, repository, id, GIT_OBJECT_ANY)
        }
        var commit: OpaquePointer?
        // A tag on a tree or a file has no history.
        guard git_object_peel(&commit, object.pointer, GIT_OBJECT_COMMIT) == 0 else { return }
        defer { git_object_free(commit) }
        try git("go through the commits of \(source)") { git_revwalk_push(walk, git_object_id(commit)) }
    }
}
