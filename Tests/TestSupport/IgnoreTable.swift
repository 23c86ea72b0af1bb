import Foundation

/// A context and ignore files for it, by which readings of `.dockerignore` are compared.
package enum IgnoreTable {
    /// Files, and links as `path -> target`.
    package static let tree = [
        // Of all cases there is one at the top: dot files, letters of both cases, spaces, marks and other scripts.
        ".dockerignore", ".env", ".git-keep/config", "README.md", "readme.md", "Makefile", "a", "b.txt", "a b.txt",
        "ünïcode.txt", "日本/語.md", "#hash", "!bang", "star*name", "brackets[1]", "back\\slash", "plus+one",
        // Folders with the same names at different depths.
        "src/main.go", "src/main_test.go", "src/lib/util.go", "src/lib/util_test.go", "src/lib/data/x.json",
        "src/lib/README.md", "src/.hidden", "src/node_modules/m/index.js", "src/target/out.bin",
        "node_modules/m/index.js", "node_modules/m/node_modules/n/index.js", "target/out.bin", "target/keep/me.txt",
        "docs/README.md", "docs/guide/one.md", "docs/guide/two.txt", "docs/guide/deep/er/three.md", "docs2/README.md",
        "x/y/z/foo/1", "x/y/z/foo/2", "x/foo/3", "foo/4", "foobar/5", "ops/Dockerfile", "ops/run.sh",
        // Links, to a file, to a folder, and to nowhere.
        "link-file -> b.txt", "link-folder -> docs", "docs/link -> ../src", "src/dead -> nowhere",
    ]

    /// Makes the tree in a folder that is there.
    package static func write(to folder: String) throws {
        let manager = FileManager.default
        for entry in tree {
            let path = entry.components(separatedBy: " -> ")[0]
            try manager.createDirectory(
                atPath: ("\(folder)/\(path)" as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            if let target = entry.components(separatedBy: " -> ").dropFirst().first {
                try manager.createSymbolicLink(atPath: "\(folder)/\(path)", withDestinationPath: target)
            } else {
                try Data("\(path)\n".utf8).write(to: URL(fileURLWithPath: "\(folder)/\(path)"))
            }
        }
    }

    /// All entries by their paths; folders have a slash at the end, and come before what is in them.
    package static let entries: [String] = {
        var found: [String] = []
        for entry in tree {
            let path = entry.components(separatedBy: " -> ")[0]
            found += folders(above: path).filter { !found.contains($0) }
            found.append(path)
        }
        return found
    }()

    package struct Sights: Equatable {
        package var seen: Set<String> = []
        package var unsure: Set<String> = []

        package init() {}
    }

    /// What is seen of the entries, by a walk that goes into a folder only where it may have to.
    ///
    /// - Parameter look: is asked with a path and whether it is a folder's.
    package static func sights(
        _ look: (_ path: String, _ isFolder: Bool) -> (isSeen: Bool, isUnsure: Bool, isOpen: Bool)
    ) -> Sights {
        var sights = Sights()
        var closed: [String] = []
        for entry in entries where !closed.contains(where: { entry.hasPrefix($0) }) {
            let isFolder = entry.hasSuffix("/")
            let answer = look(isFolder ? String(entry.dropLast()) : entry, isFolder)
            if isFolder, !answer.isOpen { closed.append(entry) }
            if answer.isSeen { sights.seen.formUnion(folders(above: entry) + [entry]) }
            if answer.isUnsure { sights.unsure.formUnion(folders(above: entry) + [entry]) }
        }
        sights.unsure.subtract(sights.seen)
        return sights
    }

    package static func folders(above entry: String) -> [String] {
        let names = entry.split(separator: "/")
        return (1..<max(names.count, 1)).map { names.prefix($0).joined(separator: "/") + "/" }
    }

    /// Ignore files, their lines joined.
    package static let lists: [String] = [
        // Nothing that counts.
        "", "# a comment\n\n   \n", " # no comment",
        // Names.
        "a", "/a", "./a", "a/", "docs", "docs/", "/docs/", "src/lib", "src//lib/../lib", "../a", "nothere", ".", "/",
        "README.md", "readme.md", "a b.txt", "  b.txt  ", "b.txt\r\ndocs\r\n", "ünïcode.txt", "日本", "link-folder",
        "link-file", "docs/link", "#hash\n.env", ".env\n.git-keep",
        // One name's wildcards.
        "*", "*.md", "*/*.md", "docs/*", "src/*/*", "?", "???", "*a*", ".*", "*.t?t", "src/*_test.go", "日本/?.md",
        "node_*", "*/", "/*",
        // Sets and escapes.
        "[ab]", "[a-c]*", "[^a-z]*", "[R]*", "\\#hash", "\\!bang", "star\\*name", "brackets\\[1\\]",
        "back\\\\slash", "brackets[[]1]",
        // Any number of folders.
        "**", "**/", "**/*", "**/*.md", "**/README.md", "**/node_modules", "**/foo", "docs/**", "docs/**/*.md",
        "**/lib/**", "src/**/util.go", "x/**/foo", "**.md", "**foo", "foo**", "s**c", "**/y/**/2", "***", "**/**/foo",
        // Exceptions; the last that matches counts.
        "*\n!src", "*\n!src/", "*\n!/src", "*\n! src", "*\n!src/lib", "*\n!src/lib/*.go", "*\n!*.md", "*\n!**/*.md",
        "*\n!**/README.md", "**\n!docs/**", "**\n!docs/guide/*", "*\n!src/**\nsrc/lib", "docs\n!docs/README.md",
        "docs/\n!docs/README.md", "docs/*\n!docs/README.md", "docs\n!docs/guide", "docs/guide\n!docs/guide/deep/er",
        "!docs\ndocs", "docs\n!docs\ndocs/guide", "*\n!nothere/below", "*\n!docs/nothere", "*\n!src/*/nothere",
        "**/foo\n!x/y/z/foo/1", "**/foo\n!**/foo/3", "**/node_modules\n!node_modules/m", "docs\n!docs2/README.md",
        "target\n!target/keep", "**/*.go\n!**/*_test.go", "*\n!d*", "*\n!*/README.md", "*\n!docs/*/*.md", "!a",
        "foo\n!foo/4\nf*", "ops\n!ops/run.sh", ".dockerignore\nops", "*\n!!bang", "docs\n!**/three.md\n!docz/x",
        // What engines call a mistake or read in ways of their own.
        "!", "[", "a\\", "[a", "[]a]", "plus+one", "(a)", "a|b.txt", "{a}", "^a", "\\d", "\u{FEFF}a",
    ]
}
