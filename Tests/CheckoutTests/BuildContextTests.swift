import Foundation
import Model
import Platform
import TestSupport
import Testing

@testable import Checkout

@Suite(.enabled(if: GitRepository.isPossible, "needs git"))
struct BuildContextTests {
    // MARK: Where the Dockerfile and the context are

    @Test(
        arguments: [
            (nil, nil), ("/", nil), ("docker/Dockerfile", nil), ("/docker/Dockerfile.dev", ""),
            ("docker/Dockerfile", "/"), (nil, "docker"), ("Dockerfile.dev", "/docker/"), ("/", "docker"),
            ("../docker/Dockerfile", "app"), (nil, "docker/Dockerfile.dev"),
            ("Dockerfile.dev", "docker/Dockerfile.dev"), ("./docker/../docker/Dockerfile", "/."),
            // Missing, a directory, two names, or outside: the same sentence.
            ("Dockerfil", nil), ("api/Dockerfile", nil), (nil, "app"), (nil, "api"), ("Dockerfile/x", nil),
            ("docker", nil), ("Dockerfile.d", "/"), ("Dockerfile", "docker/Dockerfile.dev"),
            ("../outside/Dockerfile", nil), ("../../outside/Dockerfile", "app"), (nil, ".."),
            ("docker/../../outside/Dockerfile", "/"), ("Dockerfile/../docker/Dockerfile", nil),
        ] as [(String?, String?)])
    func theCommitSaysWhatAWorkspaceWould(dockerfile: String?, context: String?) async throws {
        let ground = try await Ground()
        for file in ["Dockerfile", "docker/Dockerfile", "docker/Dockerfile.dev", "Dockerfile.d/inner"] {
            try ground.write(file, "FROM scratch # \(file)\n")
        }
        try ground.write("app/main.c", "")
        let commit = try await ground.commit()
        let workspace = ground.fixture.workspace()
        try await ground.mirror.checkOut(commit, into: workspace)
        let rule = try Ground.rule(dockerfile, context)
        let expected: String
        do {
            let paths = try BuildPaths.resolve(rule: rule, workspace: workspace)
            expected = try text(paths.dockerfile) + paths.contextShown
        } catch let error as CheckoutError {
            expected = error.description
        }
        do {
            let known = try #require(try await ground.context(commit, rule).known)
            let only = known.paths
            #expect(expected == String(decoding: known.dockerfile, as: UTF8.self) + "/\(only?.first ?? "")")
        } catch let error as CheckoutError {
            #expect(error.description == expected)
            #expect(error.fault == .build)
        }
    }

    // A link may lead to anything, also to what only a workspace has.
    @Test(
        arguments: [
            ("in/Dockerfile", "/"), ("linked.Dockerfile", nil), (nil, "in"), ("escape/Dockerfile", "/"),
            ("dangling", nil), ("loop", nil), ("docker/Dockerfile", "linked"), ("docker/Dockerfile", "ignoring"),
        ] as [(String?, String?)])
    func aLinkOnTheWayIsADoubt(dockerfile: String?, context: String?) async throws {
        let ground = try await Ground()
        for file in ["Dockerfile", "docker/Dockerfile", "ignoring/docker/Dockerfile"] {
            try ground.write(file, "FROM scratch\n")
        }
        for (name, target) in [
            ("in", "docker"), ("linked.Dockerfile", "docker/Dockerfile"), ("escape", "../outside"), ("loop", "loop"),
            ("dangling", "/nowhere/Dockerfile"), ("linked", "ignoring"), ("ignoring/.dockerignore", "/etc/passwd"),
        ] {
            try ground.link(name, to: target)
        }
        let found = try await ground.context(try await ground.commit(), Ground.rule(dockerfile, context))
        #expect(found.doubt?.hasSuffix("is reached by a symbolic link") == true, "\(found)")
    }

    @Test func whatCannotBeReadIsADoubt() async throws {
        let ground = try await Ground()
        try ground.write("Dockerfile", String(repeating: "# long\n", count: 200_000))
        #expect(try await ground.context(try await ground.commit()).doubt?.contains("has 1400000 bytes") == true)
        try ground.write("Dockerfile", "FROM scratch\n")
        try ground.write(".dockerignore", String(repeating: "# long\n", count: 200_000))
        #expect(try await ground.context(try await ground.commit()).doubt?.contains("the ignore file") == true)
        try Data([0x66, 0xFF]).write(to: URL(fileURLWithPath: ground.path(".dockerignore")))
        #expect(try await ground.context(try await ground.commit()).doubt?.contains("not UTF-8") == true)
        try ground.remove(".dockerignore")
        try ground.write(".dockerignore/a", "")
        #expect(try await ground.context(try await ground.commit()).doubt?.contains("not a plain file") == true)
        try ground.remove(".dockerignore")
        // A Dockerfile's own bytes are nobody's business here.
        try Data([0xFF, 0x00]).write(to: URL(fileURLWithPath: ground.path("Dockerfile")))
        #expect(try await ground.context(try await ground.commit()).known?.dockerfile == Data([0xFF, 0x00]))
    }

    @Test func aDamagedMirrorIsMadeAnew() async throws {
        let ground = try await Ground()
        let commit = try await ground.commit()
        let before = try await ground.context(commit).known
        try FileManager.default.removeItem(atPath: ground.fixture.mirrorPath + "/objects/pack")
        #expect(try await ground.context(commit).known == before)
        #expect(before != nil)
    }

    // MARK: What is in it

    @Test func onlyWhatIsSeenCounts() async throws {
        let ground = try await Ground()
        try ground.write("Dockerfile", "FROM scratch\n")
        try ground.write("app/Dockerfile", "FROM scratch\n")
        try ground.write("app/a", "1")
        let rule = try Ground.rule("app/Dockerfile", nil)
        let first = try await ground.known(rule)
        // Outside of the context; another history; changed and changed back.
        try ground.write("b", "1")
        #expect(try await ground.known(rule) == first)
        try ground.write("app/a", "2")
        let second = try await ground.known(rule)
        #expect(second.digest != first.digest)
        try ground.write("app/a", "1")
        #expect(try await ground.known(rule) == first)
        // Mode, kind, name and place.
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: ground.path("app/a"))
        let executable = try await ground.known(rule)
        try ground.remove("app/a")
        try ground.link("app/a", to: "1")
        let link = try await ground.known(rule)
        try ground.remove("app/a")
        try ground.write("app/b", "1")
        let renamed = try await ground.known(rule)
        try ground.remove("app/b")
        try ground.write("app/a/a", "1")
        let moved = try await ground.known(rule)
        #expect(Set([first, second, executable, link, renamed, moved].map(\.digest)).count == 6)
    }

    /// The same files under another directory's name are the same context.
    @Test func whereTheContextLiesDoesNotCount() async throws {
        let ground = try await Ground()
        for folder in ["one", "two/deep"] {
            try ground.write("\(folder)/Dockerfile", "FROM scratch\n")
            try ground.write("\(folder)/a/b", "1")
            try ground.write("\(folder)/.dockerignore", "*.md\n")
        }
        try ground.write("two/deep/read.md", "more")
        let one = try await ground.known(Ground.rule(nil, "one"))
        let two = try await ground.known(Ground.rule(nil, "two/deep"))
        #expect(one.digest == two.digest)
        #expect(one.paths?.prefix(2) == ["one", "one/Dockerfile"])
        #expect(try await ground.known(Ground.rule("one/Dockerfile", "/")).paths == nil)
    }

    /// Which of a submodule's files are left out isn't known, so that the patterns count.
    @Test func patternsOfACommitWithSubmodulesCount() async throws {
        let ground = try await Ground()
        let library = try await ground.fixture.repository.commit()
        func at(_ patterns: String) async throws -> BuildContext.Known {
            try ground.write(".dockerignore", ".dockerignore\n\(patterns)\n")
            try await ground.git("add", ".dockerignore")
            try await ground.git("commit", "-q", "--allow-empty", "-m", "Patterns")
            let context = try await ground.context(CommitID(ground.git("rev-parse", "HEAD")))
            return try #require(context.known, "\(context)")
        }
        // The ignore file leaves itself out for buildx; nothing else changes.
        let plain = try await at("*.md")
        #expect(try await at("*.txt") == plain)
        try await ground.git("update-index", "--add", "--cacheinfo", "160000,\(library),lib")
        let first = try await at("*.md")
        #expect(first != plain)
        #expect(try await at("lib/*.md").digest != first.digest)
        // All of it left out is nothing seen.
        let none = try await at("lib")
        #expect(try await at("lib\n*.md") == none)
    }

    @Test func whatBuildahMountsIsNotLeftOut() async throws {
        let ground = try await Ground()
        try ground.write(".dockerignore", "*.md\n")
        func changed(_ engine: BuilderKind, _ dockerfile: String) async throws -> Bool {
            try ground.write("Dockerfile", dockerfile)
            var digests: Set<Digest?> = []
            for text in ["1", "2"] {
                try ground.write("read.md", text)
                digests.insert(try await ground.context(try await ground.commit(), nil, engine).known?.digest)
            }
            return digests.count == 2
        }
        let mount = "FROM scratch\nRUN --mount=target=/src cat /src/read.md\n"
        #expect(try await changed(.buildah, mount))
        #expect(try await changed(.podman, mount))
        #expect(try await !changed(.buildKit, mount))
        #expect(try await !changed(.buildah, "FROM scratch\n"))
    }

    @Test func submodulesCountByTheirCommit() async throws {
        let ground = try await Ground()
        let library = try await GitRepository.make(at: ground.fixture.directory["library"])
        let (one, two) = (try await library.commit("One", ["v": "1"]), try await library.commit("Two", ["v": "2"]))
        try ground.write("app/Dockerfile", "FROM scratch\n")
        let rule = try Ground.rule(nil, "app")
        func at(_ commit: String) async throws -> BuildContext.Known {
            try await ground.git("update-index", "--add", "--cacheinfo", "160000,\(commit),app/lib")
            try await ground.git("commit", "-q", "--allow-empty", "-m", "Lib")
            return try #require(try await ground.context(CommitID(ground.git("rev-parse", "HEAD")), rule).known)
        }
        try ground.write(".gitmodules", "[submodule \"lib\"]\n\tpath = app/lib\n\turl = ../library\n")
        try await ground.git("add", "-A")
        let first = try await at(one)
        let second = try await at(two)
        #expect(first.digest != second.digest)
        #expect(try await at(one) == first)
        // Another address, the same content.
        try ground.write(".gitmodules", "[submodule \"lib\"]\n\tpath = app/lib\n\turl = ../other/library\n")
        try await ground.git("add", ".gitmodules")
        #expect(try await at(one) == first)
        // Its directory stays empty.
        try ground.write(".gitmodules", "[submodule \"lib\"]\n\tpath = app/lib\n\turl = ../library\n\tupdate = none\n")
        try await ground.git("add", ".gitmodules")
        #expect(try await at(one).digest != first.digest)
        // What lies in it can't be looked at.
        let inside = try await ground.context(CommitID(ground.git("rev-parse", "HEAD")), Ground.rule(nil, "app/lib"))
        #expect(inside.doubt?.hasSuffix("lies in a submodule") == true)
    }
}

extension BuildContext {
    var known: Known? { if case .known(let known) = self { known } else { nil } }
    var doubt: String? { if case .doubtful(let why) = self { why } else { nil } }
}

/// A repository that changes, and what the mirror says of its contexts.
struct Ground {
    let fixture: Fixture
    let mirror: Mirror

    init() async throws {
        fixture = try await Fixture()
        mirror = try fixture.mirror()
        try write("Dockerfile", "FROM scratch\n")
    }

    static func rule(_ dockerfile: String? = nil, _ context: String? = nil) throws -> Rule {
        Rule(
            number: 1, source: .defaultBranch, tags: [try Template("latest")], commitTag: try Template("sha-{sha12}"),
            dockerfile: dockerfile, context: context)
    }

    func path(_ name: String) -> String { "\(fixture.repository.path)/\(name)" }

    func write(_ name: String, _ text: String) throws {
        try fixture.directory.write(text, to: "source/\(name)")
    }

    func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: path(name), withDestinationPath: target)
    }

    func remove(_ name: String) throws {
        try FileManager.default.removeItem(atPath: path(name))
    }

    @discardableResult
    func git(_ arguments: String...) async throws -> String {
        try await Command.run(
            "git", ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"] + arguments, in: fixture.repository.path,
            environment: ["GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null"])
    }

    func commit() async throws -> CommitID {
        let commit = try CommitID(await fixture.repository.commit())
        _ = try await mirror.fetch(RefName("refs/heads/main"), commit: commit)
        return commit
    }

    func context(_ commit: CommitID, _ rule: Rule? = nil, _ engine: BuilderKind = .buildKit) async throws
        -> BuildContext
    {
        _ = try await mirror.fetch(RefName("refs/heads/main"), commit: commit)
        return try await mirror.context(of: commit, for: try rule ?? Self.rule(), engine: engine)
    }

    /// Of what is written now.
    func known(_ rule: Rule) async throws -> BuildContext.Known {
        let context = try await context(try await commit(), rule)
        return try #require(context.known, "\(context)")
    }
}
