import CGit2
import Foundation
import Model

/// Something of a commit that is not known without a checkout, or not at all.
struct Doubt: Error, Sendable {
    let why: String
}

/// A commit's files in the mirror, without its submodules'.
///
/// A place is `/docker/Dockerfile`, and the root is empty.
struct CommitTree: PathTree {
    /// A Dockerfile or an ignore file that is larger is left to the engine.
    static let mostRead = 1 << 20

    let repository: OpaquePointer
    let tree: OpaquePointer
    var root: String { "" }

    /// - Throws: `Doubt` for a symbolic link and for a submodule, besides `CheckoutError.badPath`.
    func enter(_ next: String, of path: String, as what: String) throws -> String {
        switch try mode(next) {
        case nil: throw try missing(path, next, what)
        case GIT_FILEMODE_LINK: throw Doubt(why: "\(what) \"\(path)\" is reached by a symbolic link")
        case GIT_FILEMODE_COMMIT: throw Doubt(why: "\(what) \"\(path)\" lies in a submodule")
        default: return next
        }
    }

    func isDirectory(_ place: String) throws -> Bool {
        try place == root || mode(place) == GIT_FILEMODE_TREE
    }

    func isLink(_ place: String) throws -> Bool {
        try mode(place) == GIT_FILEMODE_LINK
    }

    func isSubmodule(_ place: String) throws -> Bool {
        try mode(place) == GIT_FILEMODE_COMMIT
    }

    func paths(atMost most: Int) throws -> [String] {
        var found: [String] = []
        var folders = [(path: "", id: try id(root))]
        // Those near the root first; without recursion, however deep a stranger's folders are.
        var next = 0
        while next < folders.count, found.count < most {
            var (path, id) = folders[next]
            next += 1
            let folder = try Self.read(&id, repository, path)
            for i in 0..<git_tree_entrycount(folder.pointer) where found.count < most {
                guard let entry = git_tree_entry_byindex(folder.pointer, i), let name = git_tree_entry_name(entry),
                    let id = git_tree_entry_id(entry)
                else { continue }
                let inner = path + String(decodingCString: name)
                guard inner.utf8.count <= TreeBounds.standard.path else { continue }
                found.append(inner)
                if git_tree_entry_filemode(entry) == GIT_FILEMODE_TREE { folders.append((inner + "/", id.pointee)) }
            }
        }
        return found
    }

    /// The object at a place that is there.
    func id(_ place: String) throws -> git_oid {
        if place == root { return git_tree_id(tree).pointee }
        let entry = try GitHandle("read \"\(shown(place))\"", free: git_tree_entry_free) {
            git_tree_entry_bypath(&$0, tree, shown(place))
        }
        return git_tree_entry_id(entry.pointer).pointee
    }

    /// A file's bytes.
    ///
    /// - Returns: nil where nothing is there.
    /// - Throws: `Doubt` where that is no file, or too large a one.
    func file(_ place: String, as what: String) throws -> Data? {
        switch try mode(place) {
        case nil: return nil
        case GIT_FILEMODE_BLOB, GIT_FILEMODE_BLOB_EXECUTABLE: break
        default: throw Doubt(why: "\(what) \"\(shown(place))\" is not a plain file")
        }
        var id = try id(place)
        let objects = try GitHandle("open the mirror's objects", free: git_odb_free) {
            git_repository_odb(&$0, repository)
        }
        var (size, type) = (0, GIT_OBJECT_ANY)
        try git("read the size of \"\(shown(place))\"") {
            git_odb_read_header(&size, &type, objects.pointer, &id)
        }
        guard size <= Self.mostRead else {
            throw Doubt(
                why: "\(what) \"\(shown(place))\" has \(size) bytes, and no more than \(Self.mostRead) are read")
        }
        let blob = try GitHandle("read \"\(shown(place))\"", free: git_blob_free) {
            git_blob_lookup(&$0, repository, &id)
        }
        return git_blob_rawcontent(blob.pointer).map { Data(bytes: $0, count: size) } ?? Data()
    }

    static func read(_ id: inout git_oid, _ repository: OpaquePointer, _ path: String) throws -> GitHandle {
        try GitHandle("read the directory \"/\(path)\"", free: git_tree_free) {
            git_tree_lookup(&$0, repository, &id)
        }
    }

    /// - Returns: nil where nothing is there.
    private func mode(_ place: String) throws -> git_filemode_t? {
        var entry: OpaquePointer?
        let code = git_tree_entry_bypath(&entry, tree, shown(place))
        if code == GIT_ENOTFOUND.rawValue { return nil }
        guard code >= 0 else { throw GitFault(code, "look for \"\(shown(place))\"") }
        defer { git_tree_entry_free(entry) }
        return git_tree_entry_filemode(entry)
    }
}
