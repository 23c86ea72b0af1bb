import CGit2
import Foundation
import Model

/// Writes a commit's tree to a fresh directory.
///
/// Names in a tree come from strangers. Every entry is made relative to its open directory and must not be there yet, so
/// nothing is ever written through a symbolic link, even in a tree with two entries of one name.
struct TreeWriter {
    /// A submodule's place: the commit that is to be written there.
    struct Link: Sendable {
        /// Relative to the workspace.
        let path: String
        let commit: CommitID
    }

    let repository: OpaquePointer
    let commit: CommitID
    let call: NetworkCall
    let bounds: TreeBounds
    /// What to write, from the root; nil is everything.
    let only: [String]?
    private(set) var links: [Link] = []
    private var entries = 0
    private var bytes = 0

    init(
        repository: OpaquePointer, commit: CommitID, call: NetworkCall, bounds: TreeBounds = .standard,
        only: [String]? = nil
    ) {
        self.repository = repository
        self.commit = commit
        self.call = call
        self.bounds = bounds
        self.only = only
    }

    /// - Throws: `CheckoutError.storage`, `CheckoutError.brokenTree`, `CancellationError`; `GitFault` where an object is
    ///   missing or damaged.
    mutating func write(_ tree: OpaquePointer, to workspace: String) throws {
        do {
            try FileManager.default.createDirectory(atPath: workspace, withIntermediateDirectories: true)
        } catch {
            throw CheckoutError.storage("can't make the workspace \(workspace): \(error.localizedDescription)")
        }
        let directory = open(workspace, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw fault("open", workspace) }
        defer { close(directory) }
        try write(tree, into: directory, path: "", depth: 0, isPart: only != nil)
    }

    /// - Parameter isPart: whether only some of the entries are wanted.
    private mutating func write(
        _ tree: OpaquePointer, into directory: Int32, path: String, depth: Int, isPart: Bool
    ) throws {
        guard depth < bounds.depth else {
            throw CheckoutError.brokenTree(commit, "\"\(path.excerpt())\" is nested too deep")
        }
        for i in 0..<git_tree_entrycount(tree) {
            if call.end != nil { throw CancellationError() }
            guard let entry = git_tree_entry_byindex(tree, i), let name = git_tree_entry_name(entry),
                let id = git_tree_entry_id(entry)
            else { throw CheckoutError.brokenTree(commit, "an entry of \"/\(path)\" can't be read") }
            let shown = path + String(decodingCString: name)
            try refuse(String(cString: name), shown)
            let wanted = isPart ? self.wanted(shown) : .whole
            if wanted == .nothing { continue }
            switch git_tree_entry_filemode(entry) {
            case GIT_FILEMODE_TREE:
                try writeDirectory(id, name, into: directory, path: shown, depth: depth, isPart: wanted == .part)
            case GIT_FILEMODE_COMMIT:
                guard mkdirat(directory, name, 0o755) == 0 else { throw fault("make the directory", shown) }
                links.append(Link(path: shown, commit: try CommitID(id.pointee.hex)))
            case GIT_FILEMODE_LINK:
                let blob = try self.blob(id, shown)
                try writeLink(blob.pointer, name, into: directory, path: shown)
            case GIT_FILEMODE_BLOB_EXECUTABLE:
                let blob = try self.blob(id, shown)
                try writeFile(blob.pointer, name, 0o755, into: directory, path: shown)
            case GIT_FILEMODE_BLOB:
                let blob = try self.blob(id, shown)
                try writeFile(blob.pointer, name, 0o644, into: directory, path: shown)
            default:
                throw CheckoutError.brokenTree(commit, "\"\(shown)\" is neither file, link, directory nor submodule")
            }
        }
    }

    private enum Wanted {
        case whole, part, nothing
    }

    private func wanted(_ path: String) -> Wanted {
        guard let only else { return .whole }
        if only.contains(path) { return .whole }
        return only.contains { $0.utf8.starts(with: (path + "/").utf8) } ? .part : .nothing
    }

    /// What Git itself forbids in a tree, and what would be more than a workspace may hold.
    private mutating func refuse(_ name: String, _ shown: String) throws {
        if isForbiddenName(name) { throw CheckoutError.brokenTree(commit, "Git forbids the name \"\(shown)\"") }
        guard shown.utf8.count <= bounds.path else {
            throw CheckoutError.brokenTree(
                commit, "the path \"\(shown.excerpt())\" is longer than \(bounds.path) bytes")
        }
        entries += 1
        guard entries <= bounds.entries else {
            throw CheckoutError.brokenTree(commit, "they are more than \(bounds.entries)")
        }
    }

    private mutating func blob(_ id: UnsafePointer<git_oid>, _ path: String) throws -> GitHandle {
        let database = try GitHandle("open the objects of commit \(commit)", free: git_odb_free) {
            git_repository_odb(&$0, repository)
        }
        var (size, type) = (0, GIT_OBJECT_ANY)
        // Before it is read, which takes as much memory.
        try git("read the size of the file \(path) of commit \(commit)") {
            git_odb_read_header(&size, &type, database.pointer, id)
        }
        guard size <= bounds.file else {
            throw CheckoutError.brokenTree(
                commit, "\"\(path)\" has \(size) bytes, and \(bounds.file) is the most that a file may have")
        }
        bytes += size
        guard bytes <= bounds.bytes else {
            throw CheckoutError.brokenTree(commit, "they have more than \(bounds.bytes) bytes")
        }
        return try GitHandle("read the file \(path) of commit \(commit)", free: git_blob_free) {
            git_blob_lookup(&$0, repository, id)
        }
    }

    private mutating func writeDirectory(
        _ id: UnsafePointer<git_oid>, _ name: UnsafePointer<CChar>, into parent: Int32, path: String, depth: Int,
        isPart: Bool
    ) throws {
        let tree = try GitHandle("read the directory \(path) of commit \(commit)", free: git_tree_free) {
            git_tree_lookup(&$0, repository, id)
        }
        guard mkdirat(parent, name, 0o755) == 0 else { throw fault("make the directory", path) }
        let directory = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard directory >= 0 else { throw fault("open the directory", path) }
        defer { close(directory) }
        guard fchmod(directory, 0o755) == 0 else { throw fault("set the mode of", path) }
        try write(tree.pointer, into: directory, path: path + "/", depth: depth + 1, isPart: isPart)
    }

    private func writeLink(
        _ blob: OpaquePointer, _ name: UnsafePointer<CChar>, into directory: Int32, path: String
    ) throws {
        let target = UnsafeRawBufferPointer(start: git_blob_rawcontent(blob), count: Int(git_blob_rawsize(blob)))
        guard !target.isEmpty, !target.contains(0) else {
            throw CheckoutError.brokenTree(commit, "the symbolic link \"\(path)\" has no target")
        }
        var text = target.map { CChar(bitPattern: $0) }
        text.append(0)
        guard symlinkat(text, directory, name) == 0 else { throw fault("make the symbolic link", path) }
    }

    private func writeFile(
        _ blob: OpaquePointer, _ name: UnsafePointer<CChar>, _ mode: mode_t, into directory: Int32, path: String
    ) throws {
        let file = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
        guard file >= 0 else { throw fault("make the file", path) }
        defer { close(file) }
        // The umask must not reach the image.
        guard fchmod(file, mode) == 0 else { throw fault("set the mode of", path) }
        var rest = UnsafeRawBufferPointer(start: git_blob_rawcontent(blob), count: Int(git_blob_rawsize(blob)))[...]
        while !rest.isEmpty {
            let count = Foundation.write(file, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw fault("write the file", path) }
            rest = rest.dropFirst(count)
        }
    }

    /// What `errno` says of an entry: a name that can't be is the repository's fault, the rest is the machine's.
    private func fault(_ what: String, _ path: String) -> CheckoutError {
        switch errno {
        case EEXIST, ENOTDIR, ELOOP:
            .brokenTree(commit, "\"\(path)\" is there already: the workspace was not empty, or the tree names it twice")
        case ENAMETOOLONG: .brokenTree(commit, "the name \"\(path.excerpt())\" is too long for this machine")
        default: .storage("can't \(what) \(path) in the workspace: \(String(cString: strerror(errno)))")
        }
    }
}
