import CGit2
import Foundation
import Model

/// A conversation with a repository on this machine.
///
/// libgit2's own transport for paths copies every ref's objects at each fetch, and of a tag only its last commit.
final class PathSession: SourceSession {
    private let source: GitSource
    private let repository: GitHandle
    private let mirror: OpaquePointer?
    private let call: NetworkCall

    init(_ source: GitSource, path: String, into mirror: OpaquePointer?, _ call: NetworkCall) throws {
        self.source = source
        self.mirror = mirror
        self.call = call
        do {
            repository = try GitHandle("open \(source)", free: git_repository_free) { git_repository_open(&$0, path) }
        } catch {
            throw CheckoutError.unreachable(source, error.message)
        }
    }

    func heads() throws -> [RemoteHead] {
        try ofSource {
            let iterator = try GitHandle("list the refs of \(source)", free: git_reference_iterator_free) {
                git_reference_iterator_new(&$0, repository.pointer)
            }
            var heads: [RemoteHead] = []
            while true {
                var reference: OpaquePointer?
                let code = git_reference_next(&reference, iterator.pointer)
                if code == GIT_ITEROVER.rawValue { return heads }
                guard code >= 0 else { throw GitFault(code, "list the refs of \(source)") }
                defer { git_reference_free(reference) }
                guard let name = git_reference_name(reference) else { continue }
                var id = git_oid()
                // A symbolic ref that leads nowhere is no head.
                guard git_reference_name_to_id(&id, repository.pointer, name) == 0 else { continue }
                heads.append(RemoteHead(name: String(cString: name), id: id.hex, peeled: try peeled(&id)))
            }
        }
    }

    /// What an annotated tag leads to; nil for other objects.
    private func peeled(_ id: inout git_oid) throws -> String? {
        var object: OpaquePointer?
        try git("read object \(id.hex) of \(source)") {
            git_object_lookup(&object, repository.pointer, &id, GIT_OBJECT_ANY)
        }
        defer { git_object_free(object) }
        guard git_object_type(object) == GIT_OBJECT_TAG else { return nil }
        let target = try GitHandle("follow tag \(id.hex) of \(source)", free: git_object_free) {
            git_tag_peel(&$0, object)
        }
        return git_object_id(target.pointer)?.pointee.hex
    }

    func defaultBranch() throws -> String? {
        try ofSource {
            let head = try GitHandle("read HEAD of \(source)", free: git_reference_free) {
                git_reference_lookup(&$0, repository.pointer, "HEAD")
            }
            guard let target = git_reference_symbolic_target(head.pointer) else { return nil }
            return (try? RefName(String(cString: target)))?.branch
        }
    }

    func download(_ want: Want) throws -> Bool {
        guard let mirror else { return false }
        var ids: [git_oid] = []
        switch want {
        case .ref(let ref):
            var id = git_oid()
            guard git_reference_name_to_id(&id, repository.pointer, ref.text) == 0 else {
                throw CheckoutError.refMissing(ref, on: source)
            }
            ids = [id]
        case .commit(let commit):
            var id = try git_oid(commit)
            guard holds(&id) else { return false }
            ids = [id]
        case .allRefs:
            for head in try heads() {
                var id = git_oid()
                if git_oid_fromstr(&id, head.id) == 0 { ids.append(id) }
            }
        }
        try copy(ids, to: mirror)
        return true
    }

    private func holds(_ id: inout git_oid) -> Bool {
        var object: OpaquePointer?
        guard git_object_lookup(&object, repository.pointer, &id, GIT_OBJECT_COMMIT) == 0 else { return false }
        git_object_free(object)
        return true
    }

    /// Packs what is reachable from `ids` and not from the mirror's refs, and adds the pack to the mirror.
    private func copy(_ ids: [git_oid], to mirror: OpaquePointer) throws {
        let database = try GitHandle("open the mirror's objects", free: git_odb_free) {
            git_repository_odb(&$0, mirror)
        }
        let missing = ids.filter { id in withUnsafePointer(to: id) { git_odb_exists(database.pointer, $0) } == 0 }
        if missing.isEmpty { return }
        let known = try mirroredCommits(mirror)
        let pack = try ofSource { try self.pack(missing, without: known) }
        let call = Unmanaged.passUnretained(call).toOpaque()
        var writer: UnsafeMutablePointer<git_odb_writepack>?
        try git("add a pack to the mirror") { git_odb_write_pack(&writer, database.pointer, nil, nil) }
        guard let writer else { throw CheckoutError.storage("the mirror of \(source) takes no packs") }
        defer { writer.pointee.free?(writer) }
        var copying = PackCopy(writer: writer, call: call)
        let code = withUnsafeMutablePointer(to: &copying) { copying in
            git_packbuilder_foreach(
                pack.pointer,
                { bytes, count, payload in
                    guard let copying = payload?.assumingMemoryBound(to: PackCopy.self) else { return -1 }
                    if NetworkCall.isOver(copying.pointee.call) { return GIT_EUSER.rawValue }
                    let writer = copying.pointee.writer
                    return writer.pointee.append?(writer, bytes, count, &copying.pointee.progress) ?? -1
                }, copying)
        }
        guard code >= 0 else { throw GitFault(code, "copy objects of \(source)") }
        try git("add a pack to the mirror") { writer.pointee.commit?(writer, &copying.progress) ?? -1 }
    }

    private struct PackCopy {
        let writer: UnsafeMutablePointer<git_odb_writepack>
        let call: UnsafeMutableRawPointer
        var progress = git_indexer_progress()
    }

    private func pack(_ ids: [git_oid], without known: [git_oid]) throws -> GitHandle {
        let walk = try GitHandle("walk the history of \(source)", free: git_revwalk_free) {
            git_revwalk_new(&$0, repository.pointer)
        }
        let pack = try GitHandle("pack objects of \(source)", free: git_packbuilder_free) {
            git_packbuilder_new(&$0, repository.pointer)
        }
        _ = git_packbuilder_set_callbacks(
            pack.pointer, { _, _, _, call in NetworkCall.isOver(call) ? GIT_EUSER.rawValue : 0 },
            Unmanaged.passUnretained(call).toOpaque())
        _ = git_packbuilder_set_threads(pack.pointer, 0)
        for id in ids { try add(id, to: pack.pointer, walk: walk.pointer) }
        for var id in known where holds(&id) {
            try git("walk the history of \(source)") { git_revwalk_hide(walk.pointer, &id) }
        }
        try git("pack objects of \(source)") { git_packbuilder_insert_walk(pack.pointer, walk.pointer) }
        return pack
    }

    /// Adds an object, with the whole history of the commit that it is or leads to.
    private func add(_ id: git_oid, to pack: OpaquePointer, walk: OpaquePointer) throws {
        var id = id
        let object = try GitHandle("read object \(id.hex) of \(source)", free: git_object_free) {
            git_object_lookup(&$0, repository.pointer, &id, GIT_OBJECT_ANY)
        }
        switch git_object_type(object.pointer) {
        case GIT_OBJECT_COMMIT:
            try git("walk the history of \(source)") { git_revwalk_push(walk, &id) }
        case GIT_OBJECT_TAG:
            try git("pack objects of \(source)") { git_packbuilder_insert(pack, &id, nil) }
            if let target = git_tag_target_id(object.pointer) { try add(target.pointee, to: pack, walk: walk) }
        default:
            try git("pack objects of \(source)") { git_packbuilder_insert_recur(pack, &id, nil) }
        }
    }

    private func mirroredCommits(_ mirror: OpaquePointer) throws -> [git_oid] {
        var list = git_strarray()
        try git("list the mirror's refs") { git_reference_list(&list, mirror) }
        defer { git_strarray_dispose(&list) }
        return (0..<list.count).compactMap { i in
            guard let name = list.strings[i] else { return nil }
            var id = git_oid()
            return git_reference_name_to_id(&id, mirror, name) == 0 ? id : nil
        }
    }

    /// What goes wrong while the source is read is the source's, not the mirror's.
    private func ofSource<Result: ~Copyable>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let fault as GitFault {
            throw CheckoutError.unreachable(source, "can't \(fault.operation): \(fault.message)")
        }
    }
}

extension NetworkCall {
    /// For callbacks, which may run on threads of libgit2's own.
    static func isOver(_ call: UnsafeMutableRawPointer?) -> Bool {
        call.map { Unmanaged<NetworkCall>.fromOpaque($0).takeUnretainedValue().end != nil } ?? false
    }
}
