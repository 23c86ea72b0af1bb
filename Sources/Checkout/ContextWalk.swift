import CGit2
import Foundation
import Model
import Platform

/// Reads what an engine sees of a context out of the mirror's trees.
///
/// A directory's answer is the object id that Git would give it if it held nothing but what is seen: its own where
/// nothing is left out. So equal ids mean equal paths, modes and contents, whatever the history.
struct ContextWalk {
    private let repository: OpaquePointer
    private let ignore: IgnoreFile
    private let call: NetworkCall
    private let bounds: TreeBounds
    private let known: SeenTrees
    /// What decides besides path and tree.
    private let rules: [UInt8]
    private var entries = 0
    /// Trees that were not known before.
    private(set) var treesRead = 0

    init(
        _ repository: OpaquePointer, ignoring text: String, engine: BuilderKind, known: SeenTrees, _ call: NetworkCall,
        bounds: TreeBounds = .standard
    ) {
        self.repository = repository
        ignore = IgnoreFile(text, engine: engine)
        self.call = call
        self.bounds = bounds
        self.known = known
        rules = Array(Crypto.sha256(Data("\(engine.rawValue)\n\(text)".utf8)))
    }

    /// - Throws: `Doubt`, `CancellationError`; `GitFault` where an object is missing or damaged.
    mutating func seen(of context: git_oid) throws -> git_oid {
        try seen(of: context, path: "", depth: 0).id
    }

    /// - Parameter path: from the context's root; empty, or with a slash at its end.
    private mutating func seen(of tree: git_oid, path: String, depth: Int) throws -> SeenTrees.Seen {
        guard depth < bounds.depth else { throw Doubt(why: "\"\(path.excerpt())\" is nested too deep") }
        let key = rules + withUnsafeBytes(of: tree.id) { Array($0) } + Array(path.utf8)
        if let seen = known[key] { return seen }
        treesRead += 1
        var id = tree
        let folder = try CommitTree.read(&id, repository, path)
        var content: [UInt8] = []
        var isWhole = true
        for i in 0..<git_tree_entrycount(folder.pointer) {
            if call.end != nil { throw CancellationError() }
            guard let entry = git_tree_entry_byindex(folder.pointer, i), let bytes = git_tree_entry_name(entry),
                let own = git_tree_entry_id(entry)?.pointee
            else { throw Doubt(why: "an entry of \"/\(path)\" can't be read") }
            let seen = try self.seen(entry, own, in: path, bytes, depth: depth)
            isWhole = isWhole && seen.map { $0 == own } ?? false
            guard let seen else { continue }
            content += Array(String(git_tree_entry_filemode_raw(entry).rawValue, radix: 8).utf8) + [UInt8(ascii: " ")]
            content += UnsafeRawBufferPointer(start: bytes, count: strlen(bytes) + 1)
            withUnsafeBytes(of: seen.id) { content += $0 }
        }
        if !isWhole {
            try git("hash what is seen of \"/\(path)\"") { git_odb_hash(&id, content, content.count, GIT_OBJECT_TREE) }
        }
        let seen = SeenTrees.Seen(id: id, isEmpty: content.isEmpty)
        known[key] = seen
        return seen
    }

    /// - Returns: nil for an entry that is not seen.
    private mutating func seen(
        _ entry: OpaquePointer, _ own: git_oid, in folder: String, _ bytes: UnsafePointer<CChar>, depth: Int
    ) throws -> git_oid? {
        guard let name = String(validatingCString: bytes) else {
            throw Doubt(why: "a name in \"/\(folder)\" is not UTF-8, so whether it is left out isn't known")
        }
        let path = folder + name
        entries += 1
        guard entries <= bounds.entries, path.utf8.count <= bounds.path else {
            throw Doubt(why: "the context has more entries, or a longer path, than a workspace may have")
        }
        let isLeftOut = ignore.leavesOut(path)
        switch git_tree_entry_filemode(entry) {
        case GIT_FILEMODE_TREE:
            if isLeftOut, !ignore.mayTakeIn(below: path) { return nil }
            let inner = try seen(of: own, path: path + "/", depth: depth + 1)
            return isLeftOut && inner.isEmpty ? nil : inner.id
        case GIT_FILEMODE_COMMIT:
            // Whole, wherever a pattern reaches into it: its files are not here.
            return isLeftOut && !ignore.mayTakeIn(below: path) ? nil : own
        default:
            return isLeftOut ? nil : own
        }
    }
}

extension git_oid {
    fileprivate static func == (a: git_oid, b: git_oid) -> Bool {
        withUnsafeBytes(of: a.id) { a in withUnsafeBytes(of: b.id) { b in a.elementsEqual(b) } }
    }
}
