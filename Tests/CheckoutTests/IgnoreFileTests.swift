import Model
import TestSupport
import Testing

@testable import Checkout

/// The table of ignore files against what each engine makes of them; the engines themselves are asked in EndToEndTests.
struct IgnoreFileTests {
    /// What is seen of the tree: `all`, `nothing`, `only` these or all `without` these, and of what that is `unsure`.
    ///
    /// `docs/` is the folder with all that is in it, `docs/.` the folder alone.
    struct Row: Sendable, CustomTestStringConvertible {
        let list: String
        let buildKit: String
        let classic: String
        let buildah: String

        init(_ list: String, _ buildKit: String, classic: String? = nil, buildah: String? = nil) {
            self.list = list
            self.buildKit = buildKit
            self.classic = classic ?? buildKit
            self.buildah = buildah ?? buildKit
        }

        var testDescription: String { list.debugDescription }

        func expected(_ engine: BuilderKind) -> String {
            switch engine {
            case .buildKit: buildKit
            case .classic: classic
            case .buildah, .podman: buildah
            }
        }
    }

    static let rows = [
        Row("", "all"),
        Row("# a comment\n\n   \n", "all"),
        Row(" # no comment", "all"),
        Row("a", "without a"),
        Row("/a", "without a"),
        Row("./a", "without a"),
        Row("a/", "without a"),
        Row("docs", "without docs/"),
        Row("docs/", "without docs/"),
        Row("/docs/", "without docs/"),
        Row("src/lib", "without src/lib/"),
        Row("src//lib/../lib", "without src/lib/"),
        Row("../a", "all"),
        Row("nothere", "all"),
        Row(".", "all"),
        Row("/", "all"),
        Row("README.md", "without README.md"),
        Row("readme.md", "without readme.md"),
        Row("a b.txt", "without a b.txt"),
        Row("  b.txt  ", "without b.txt"),
        Row("b.txt\r\ndocs\r\n", "without b.txt, docs/"),
        Row("ünïcode.txt", "without ünïcode.txt"),
        Row("日本", "without 日本/"),
        Row("link-folder", "without link-folder"),
        Row("link-file", "without link-file"),
        Row("docs/link", "without docs/link"),
        Row("#hash\n.env", "without .env"),
        Row(".env\n.git-keep", "without .env, .git-keep/"),
        Row("*", "nothing"),
        Row("*.md", "without README.md, readme.md"),
        Row("*/*.md", "without 日本/語.md, docs/README.md, docs2/README.md"),
        Row("docs/*", "without docs/README.md, docs/guide/, docs/link"),
        Row(
            "src/*/*",
            "without src/lib/util.go, src/lib/util_test.go, src/lib/data/, src/lib/README.md, "
                + "src/node_modules/m/, src/target/out.bin"),
        Row("?", "without a, x/"),
        Row("???", "without src/, foo/, ops/, src/dead"),
        Row(
            "*a*",
            "without readme.md, Makefile, a, a b.txt, #hash, !bang, star*name, brackets[1], "
                + "back\\slash, target/, foobar/"),
        Row(".*", "without .dockerignore, .env, .git-keep/"),
        Row("*.t?t", "without b.txt, a b.txt, ünïcode.txt"),
        Row("src/*_test.go", "without src/main_test.go"),
        Row("日本/?.md", "without 日本/語.md"),
        Row("node_*", "without node_modules/"),
        Row("*/", "nothing"),
        Row("/*", "nothing"),
        Row("[ab]", "without a"),
        Row("[a-c]*", "without a, b.txt, a b.txt, brackets[1], back\\slash"),
        Row(
            "[^a-z]*",
            "without .dockerignore, .env, .git-keep/, README.md, Makefile, ünïcode.txt, 日本/, #hash, "
                + "!bang"),
        Row("[R]*", "without README.md"),
        Row("\\#hash", "without #hash"),
        Row("\\!bang", "without !bang"),
        Row("star\\*name", "without star*name"),
        Row("brackets\\[1\\]", "without brackets[1]"),
        Row("back\\\\slash", "without back\\slash"),
        Row("brackets[[]1]", "unknown"),
        Row("**", "nothing"),
        Row("**/", "nothing"),
        Row("**/*", "nothing"),
        Row(
            "**/*.md",
            "without README.md, readme.md, 日本/語.md, src/lib/README.md, docs/README.md, "
                + "docs/guide/one.md, docs/guide/deep/er/three.md, docs2/README.md"),
        Row("**/README.md", "without README.md, src/lib/README.md, docs/README.md, docs2/README.md"),
        Row("**/node_modules", "without src/node_modules/, node_modules/"),
        Row("**/foo", "without x/y/z/foo/, x/foo/, foo/"),
        Row("docs/**", "without docs/README.md, docs/guide/, docs/link"),
        Row("docs/**/*.md", "without docs/README.md, docs/guide/one.md, docs/guide/deep/er/three.md"),
        Row("**/lib/**", "without src/lib/util.go, src/lib/util_test.go, src/lib/data/, src/lib/README.md"),
        Row("src/**/util.go", "without src/lib/util.go"),
        Row("x/**/foo", "without x/y/z/foo/, x/foo/"),
        Row(
            "**.md",
            "all | unsure README.md, readme.md, 日本/語.md, src/lib/README.md, docs/README.md, "
                + "docs/guide/one.md, docs/guide/deep/er/three.md, docs2/README.md",
            buildah: "all"),
        Row("**foo", "without x/y/z/foo/, x/foo/, foo/"),
        Row("foo**", "without foo/, foobar/"),
        Row("s**c", "all"),
        Row("**/y/**/2", "without x/y/z/foo/2"),
        Row("***", "nothing"),
        Row("**/**/foo", "without x/y/z/foo/, x/foo/, foo/"),
        Row("*\n!src", "only src/"),
        Row("*\n!src/", "only src/"),
        Row("*\n!/src", "only src/"),
        Row("*\n! src", "only src/", buildah: "nothing"),
        Row("*\n!src/lib", "only src/lib/"),
        Row("*\n!src/lib/*.go", "only src/lib/util.go, src/lib/util_test.go"),
        Row("*\n!*.md", "only README.md, readme.md"),
        Row(
            "*\n!**/*.md",
            "only README.md, readme.md | unsure 日本/, src/., src/lib/., src/lib/README.md, docs/., "
                + "docs/README.md, docs/guide/., docs/guide/one.md, docs/guide/deep/, docs2/",
            classic: "only README.md, readme.md",
            buildah: "only README.md, readme.md"),
        Row(
            "*\n!**/README.md",
            "only README.md | unsure src/., src/lib/., src/lib/README.md, docs/., docs/README.md, "
                + "docs2/",
            classic: "only README.md",
            buildah: "only README.md"),
        Row("**\n!docs/**", "only docs/"),
        Row("**\n!docs/guide/*", "only docs/guide/"),
        Row(
            "*\n!src/**\nsrc/lib",
            "only src/main.go, src/main_test.go, src/.hidden, src/node_modules/, src/target/, "
                + "src/dead"),
        Row("docs\n!docs/README.md", "without docs/guide/, docs/link"),
        Row("docs/\n!docs/README.md", "without docs/guide/, docs/link"),
        Row("docs/*\n!docs/README.md", "without docs/guide/, docs/link"),
        Row("docs\n!docs/guide", "without docs/README.md, docs/link"),
        Row("docs/guide\n!docs/guide/deep/er", "without docs/guide/one.md, docs/guide/two.txt"),
        Row(
            "!docs\ndocs",
            "without docs/README.md, docs/guide/, docs/link | unsure docs/.",
            classic: "without docs/",
            buildah: "without docs/"),
        Row("docs\n!docs\ndocs/guide", "without docs/guide/"),
        Row("*\n!nothere/below", "nothing"),
        Row("*\n!docs/nothere", "nothing | unsure docs/.", classic: "nothing", buildah: "nothing"),
        Row("*\n!src/*/nothere", "nothing | unsure src/.", classic: "nothing", buildah: "nothing"),
        Row(
            "**/foo\n!x/y/z/foo/1",
            "without x/foo/, foo/ | unsure x/y/z/foo/2",
            buildah: "without x/y/z/foo/2, x/foo/, foo/"),
        Row(
            "**/foo\n!**/foo/3",
            "without x/y/z/foo/, foo/ | unsure x/foo/",
            classic: "without x/y/z/foo/, x/foo/, foo/",
            buildah: "without x/y/z/foo/, x/foo/, foo/"),
        Row("**/node_modules\n!node_modules/m", "without src/node_modules/"),
        Row("docs\n!docs2/README.md", "without docs/"),
        Row("target\n!target/keep", "without target/out.bin"),
        Row("**/*.go\n!**/*_test.go", "without src/main.go, src/lib/util.go"),
        Row("*\n!d*", "only docs/, docs2/, docs/link"),
        Row(
            "*\n!*/README.md",
            "nothing | unsure docs/., docs/README.md, docs2/",
            classic: "nothing",
            buildah: "nothing"),
        Row(
            "*\n!docs/*/*.md",
            "nothing | unsure docs/., docs/guide/., docs/guide/one.md",
            classic: "nothing",
            buildah: "nothing"),
        Row("!a", "all"),
        Row("foo\n!foo/4\nf*", "without foobar/ | unsure foo/", buildah: "without foo/, foobar/"),
        Row("ops\n!ops/run.sh", "without ops/Dockerfile"),
        Row(".dockerignore\nops", "without .dockerignore, ops/"),
        Row("*\n!!bang", "only !bang"),
        Row(
            "docs\n!**/three.md\n!docz/x",
            "without docs/README.md, docs/guide/one.md, docs/guide/two.txt, docs/link | unsure "
                + "docs/., docs/guide/., docs/guide/deep/",
            classic: "without docs/",
            buildah: "without docs/"),
        Row("!", "unknown"),
        Row("[", "unknown"),
        Row("a\\", "unknown"),
        Row("[a", "unknown"),
        Row("[]a]", "unknown"),
        Row("plus+one", "unknown"),
        Row("(a)", "unknown"),
        Row("a|b.txt", "unknown"),
        Row("{a}", "unknown"),
        Row("^a", "unknown"),
        Row("\\d", "unknown"),
        Row("\u{FEFF}a", "without a", buildah: "unknown"),
    ]

    @Test func theRowsAreTheTable() {
        #expect(Self.rows.map(\.list) == IgnoreTable.lists)
    }

    @Test(arguments: rows) func anIgnoreFileIsReadAsEnginesDo(_ row: Row) {
        for engine in BuilderKind.allCases {
            let file = IgnoreFile(row.list, engine: engine)
            let sights = IgnoreTable.sights { path, isFolder in
                let sight = file.sight(of: path, isDirectory: isFolder)
                return (sight == .seen, sight == .unsure, file.mayTakeIn(below: path))
            }
            let expected = Self.sights(of: row.expected(engine))
            #expect(sights.seen.symmetricDifference(expected.seen).sorted() == [], "\(engine)")
            #expect(sights.unsure.symmetricDifference(expected.unsure).sorted() == [], "\(engine)")
        }
    }

    private static func sights(of text: String) -> IgnoreTable.Sights {
        let all = Set(IgnoreTable.entries)
        var sights = IgnoreTable.Sights()
        if text == "unknown" {
            sights.unsure = all
            return sights
        }
        let parts = text.components(separatedBy: " | unsure ")
        sights.unsure = parts.count > 1 ? entries(of: parts[1]) : []
        let (words, named) = (parts[0].split(separator: " ", maxSplits: 1), parts[0].drop { $0 != " " }.dropFirst())
        switch words[0] {
        case "all": sights.seen = all.subtracting(sights.unsure)
        case "only": sights.seen = entries(of: String(named))
        case "without": sights.seen = all.subtracting(entries(of: String(named))).subtracting(sights.unsure)
        default: break
        }
        for entry in sights.seen { sights.seen.formUnion(IgnoreTable.folders(above: entry)) }
        return sights
    }

    private static func entries(of list: String) -> Set<String> {
        let named = list.components(separatedBy: ", ")
        return Set(
            IgnoreTable.entries.filter { entry in
                named.contains(entry) || named.contains(entry + ".")
                    || named.contains { $0.hasSuffix("/") && entry.hasPrefix($0) }
            })
    }

    /// What docker's classic builder needs to read is sent to it, taken out again, and leaves its folder behind.
    @Test func theClassicBuilderTakesItsOwnFilesOut() {
        let file = IgnoreFile("ops\n.dockerignore\n", engine: .classic, dockerfile: "ops/Dockerfile")
        #expect(file.sight(of: "ops", isDirectory: true) == .seen)
        #expect(file.mayTakeIn(below: "ops"))
        #expect(file.sight(of: "ops/Dockerfile", isDirectory: false) == .leftOut)
        #expect(file.sight(of: "ops/run.sh", isDirectory: false) == .leftOut)
        #expect(file.sight(of: ".dockerignore", isDirectory: false) == .leftOut)
        let kept = IgnoreFile("a\n", engine: .classic, dockerfile: "ops/Dockerfile")
        #expect(kept.sight(of: "ops/Dockerfile", isDirectory: false) == .seen)
        #expect(kept.sight(of: ".dockerignore", isDirectory: false) == .seen)
        let buildKit = IgnoreFile("ops\n", engine: .buildKit, dockerfile: "ops/Dockerfile")
        #expect(buildKit.sight(of: "ops", isDirectory: true) == .leftOut)
        #expect(!buildKit.mayTakeIn(below: "ops"))
    }

    @Test func commentsAndSpacesChangeNoPatterns() {
        for engine in BuilderKind.allCases {
            let file = IgnoreFile("# one\n\n*\n!**/*.md", engine: engine)
            // Docker's classic builder has an exception of its own for what it must read.
            #expect(file.patterns == "*\n!**/*.md" + (engine == .classic ? "\n!.dockerignore" : ""))
            #expect(IgnoreFile("*\n\n\n# two\n!**/*.md\n", engine: engine).patterns == file.patterns)
            #expect(IgnoreFile("*\n!**/*.mdx\n", engine: engine).patterns != file.patterns)
        }
    }

    /// Characters are compared as they are written: composed and decomposed letters are two names.
    @Test func composedLettersAreOthers() {
        let file = IgnoreFile("caf\u{e9}", engine: .buildKit)
        #expect(file.sight(of: "caf\u{e9}", isDirectory: false) == .leftOut)
        #expect(file.sight(of: "cafe\u{301}", isDirectory: false) == .seen)
    }

    /// No engine's regular expression takes a line end for any character, and damaged names are no text.
    @Test func nothingIsSaidOfUnusualNames() {
        for engine in BuilderKind.allCases {
            let file = IgnoreFile("docs", engine: engine)
            #expect(file.sight(of: "a\nb", isDirectory: false) == .unsure)
            #expect(file.sight(of: "a\u{FFFD}b", isDirectory: false) == .unsure)
            #expect(file.mayTakeIn(below: "a\nb"))
        }
    }

    @Test func theIgnoreFileThatCounts() {
        func names(_ engine: BuilderKind, _ dockerfile: String = "ops/Dockerfile", _ context: String = "app")
            -> [String]
        {
            IgnoreFile.names(dockerfile: dockerfile, context: context, engine: engine)
        }
        #expect(names(.buildKit) == ["ops/Dockerfile.dockerignore", "app/.dockerignore"])
        #expect(names(.buildKit, "Dockerfile", "") == ["Dockerfile.dockerignore", ".dockerignore"])
        #expect(names(.classic) == ["app/.dockerignore"])
        for engine in [BuilderKind.buildah, .podman] {
            #expect(
                names(engine) == [
                    "ops/Dockerfile.dockerignore", "ops/Dockerfile.containerignore", "app/.containerignore",
                    "app/.dockerignore",
                ])
            #expect(names(engine, "Dockerfile.in", "") == [".containerignore", ".dockerignore"])
        }
    }
}
