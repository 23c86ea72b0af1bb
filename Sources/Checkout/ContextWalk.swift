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

    /// - Parameter dockerfile: from the context's root; nil where it lies outside of it.
    init(
        _ repository: OpaquePointer, ignoring text: String, engine: BuilderKind, dockerfile: String?,
        known: SeenTrees, _ call: NetworkCall, bounds: TreeBounds = .standard
    ) {
        self.repository = repository
        ignore = IgnoreFile(text, engine: engine, dockerfile: dockerfile)
        self.call = call
        self.bounds = bounds
        self.known = known
        rules = Array(Crypto.sha256(Data("\(engine.rawValue)\0\(dockerfile ?? "")\0\(text)".utf8)))
    }

    /// - Returns: what the digest of the context is to be made of.
    /// - Throws: `Doubt`, `CancellationError`; `GitFault` where an object is missing or damaged.
    mutating func seen(of context: git_oid) throws -> [String] {
        let seen = try seen(of: context, path: "", depth: 0)
        return [seen.id.hex] + (seen.isUnsure ? [ignore.patterns] : [])
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
        var (isWhole, sight, isUnsure) = (true, IgnoreFile.Sight.leftOut, false)
        for i in 0..<git_tree_entrycount(folder.pointer) {
            if call.end != nil { throw CancellationError() }
            guard let entry = git_tree_entry_byindex(folder.pointer, i), let bytes = git_tree_entry_name(entry),
                let own = git_tree_entry_id(entry)?.pointee
            else { throw Doubt(why: "an entry of \"/\(path)\" can't be read") }
            let seen = try self.seen(entry, own, in: path, bytes, depth: depth)
            isWhole = isWhole && seen.sight > .leftOut && seen.id == own
            guard seen.sight > .leftOut else { continue }
            sight = max(sight, seen.sight)
            isUnsure = isUnsure || seen.isUnsure
            content += Array(String(git_tree_entry_filemode_raw(entry).rawValue, radix: 8).utf8) + [UInt8(ascii: " ")]
            content += UnsafeRawBufferPointer(start: bytes, count: strlen(bytes) + 1)
            withUnsafeBytes(of: seen.id.id) { content += $0 }
        }
        if !isWhole { id = try Self.tree(content) }
        let seen = SeenTrees.Seen(id: id, sight: sight, isUnsure: isUnsure)
        known[key] = seen
        return seen
    }

    private mutating func seen(
        _ entry: OpaquePointer, _ own: git_oid, in folder: String, _ bytes: UnsafePointer<CChar>, depth: Int
    ) throws -> SeenTrees.Seen {
        guard let name = String(validatingCString: bytes) else {
            throw Doubt(why: "a name in \"/\(folder)\" is not UTF-8, so whether it is left out isn't known")
        }
        let path = folder + name
        entries += 1
        guard entries <= bounds.entries, path.utf8.count <= bounds.path else {
            throw Doubt(why: "the context has more entries, or a longer path, than a workspace may have")
        }
        let kind = git_tree_entry_filemode(entry)
        let sight = ignore.sight(of: path, isDirectory: kind == GIT_FILEMODE_TREE || kind == GIT_FILEMODE_COMMIT)
        switch kind {
        case GIT_FILEMODE_TREE:
            guard ignore.mayTakeIn(below: path) else {
                return SeenTrees.Seen(id: try Self.tree([]), sight: sight, isUnsure: sight == .unsure)
            }
            let inner = try seen(of: own, path: path + "/", depth: depth + 1)
            return SeenTrees.Seen(
                id: inner.id, sight: max(sight, inner.sight), isUnsure: inner.isUnsure || sight == .unsure)
        case GIT_FILEMODE_COMMIT where sight > .leftOut || ignore.mayTakeIn(below: path):
            // Its files are not here, so which of them the patterns leave out isn't known.
            return SeenTrees.Seen(id: own, sight: max(sight, .unsure), isUnsure: true)
        default:
            return SeenTrees.Seen(id: own, sight: sight, isUnsure: sight == .unsure)
        }
    }

    /// The object id of a directory with this content.
    private static func tree(_ content: [UInt8]) throws -> git_oid {
        var id = git_oid()
        try git("hash what is seen of a directory") { git_odb_hash(&id, content, content.count, GIT_OBJECT_TREE) }
        return id
    }
}

extension git_oid {
    fileprivate static func == (a: git_oid, b: git_oid) -> Bool {
        withUnsafeBytes(of: a.id) { a in withUnsafeBytes(of: b.id) { b in a.elementsEqual(b) } }
    }
}
