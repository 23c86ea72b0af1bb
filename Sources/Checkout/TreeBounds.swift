import Foundation
import Model

/// How much a commit may write to a workspace, its submodules not counted.
///
/// A tree can name one subtree many times, so that a small repository would make any number of files.
struct TreeBounds {
    static let standard = TreeBounds(entries: 1_000_000, bytes: 64 << 30, file: 1 << 30, path: 3000, depth: 200)

    /// Files, links, directories and submodules.
    let entries: Int
    /// All files together.
    let bytes: Int
    /// One file: libgit2 holds it in memory.
    let file: Int
    /// Bytes of a path in the repository: a workspace's path and it stay below the 4096 of Linux's calls.
    let path: Int
    /// Each level holds a descriptor open.
    let depth: Int
}

/// Names that Git forbids in a tree (its verify_path and is_hfs_dotgit, is_ntfs_dotgit): `.`, `..`, and `.git` in all
/// ways in which a file system of another machine may read it.
func isForbiddenName(_ name: String) -> Bool {
    if ["", ".", ".."].contains(name) || name.contains("/") { return true }
    // HFS+ leaves these characters out when it compares names.
    let seen = String(
        String.UnicodeScalarView(
            name.unicodeScalars.filter {
                !(0x200C...0x200F ~= $0.value) && !(0x202A...0x202E ~= $0.value) && !(0x206A...0x206F ~= $0.value)
                    && $0.value != 0xFEFF
            })
    ).lowercased()
    // NTFS ends a name at a colon, and leaves out dots and spaces at its end; its short name of .git is git~1.
    var short = seen.prefix { $0 != ":" && $0 != "\\" }
    while let last = short.last, last == "." || last == " " { short.removeLast() }
    return seen == ".git" || short == ".git" || short == "git~1"
}
