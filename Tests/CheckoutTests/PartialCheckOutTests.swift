import Foundation
import Model
import TestSupport
import Testing

@testable import Checkout

@Suite(.enabled(if: GitRepository.isPossible, "needs git"))
struct PartialCheckOutTests {
    private func written(_ workspace: String) -> [String] {
        (FileManager.default.enumerator(atPath: workspace)?.compactMap { $0 as? String } ?? []).sorted()
    }

    @Test func onlyTheContextAndTheDockerfileAreWritten() async throws {
        let ground = try await Ground()
        for file in [
            "app/a", "app/deep/b", "app/.dockerignore", "app2/c", "docker/Dockerfile", "docker/Dockerfile.dockerignore",
            "docker/other", "README.md",
        ] {
            try ground.write(file, file)
        }
        try ground.link("app/out", to: "../app2/c")
        let commit = try await ground.commit()
        let rule = try Ground.rule("../docker/Dockerfile", "app")
        let known = try #require(try await ground.context(commit, rule).known)
        let workspace = ground.fixture.workspace()
        try await ground.mirror.checkOut(commit, into: workspace, only: known.paths)
        #expect(
            written(workspace) == [
                "app", "app/.dockerignore", "app/a", "app/deep", "app/deep/b", "app/out", "docker", "docker/Dockerfile",
                "docker/Dockerfile.dockerignore",
            ])
        // As it is, though it leads nowhere now.
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: workspace + "/app/out") == "../app2/c")
        let paths = try BuildPaths.resolve(rule: rule, workspace: workspace)
        #expect(paths.contextShown == "/app")
        #expect(paths.dockerfileShown == "docker/Dockerfile")
    }

    @Test func nilIsEverythingAndNothingIsNothing() async throws {
        let ground = try await Ground()
        try ground.write("a/b", "1")
        let commit = try await ground.commit()
        for (only, expected) in [
            (nil, ["Dockerfile", "a", "a/b"]), ([], []), (["a/b"], ["a", "a/b"]), (["a"], ["a", "a/b"]),
            (["b", "a/b/c", "A"], ["a", "a/b"]), (["nowhere"], []),
        ] as [([String]?, [String])] {
            let workspace = ground.fixture.workspace()
            try await ground.mirror.checkOut(commit, into: workspace, only: only)
            #expect(written(workspace) == expected, "\(only ?? ["nil"])")
        }
    }

    @Test func onlySubmodulesInsideAreFetched() async throws {
        let ground = try await Ground()
        let library = try await GitRepository.make(at: ground.fixture.directory["library"])
        try await library.commit("One", ["v": "1", "w/x": "1"])
        let repository = ground.fixture.repository
        try await repository.git("submodule", "add", "-q", "../library", "app/lib")
        try await repository.git("submodule", "add", "-q", "../library", "other/lost")
        try ground.write(
            ".gitmodules",
            try text(ground.path(".gitmodules")).replacing("other/lost\n\turl = ../", with: "other/lost\n\turl = ../no")
        )
        try ground.write("app/Dockerfile", "FROM scratch\n")
        let commit = try await ground.commit()
        await expectFailure(.system, "other/lost") {
            try await ground.mirror.checkOut(commit, into: ground.fixture.workspace())
        }
        for only in ["app", "app/lib/w"] {
            let workspace = ground.fixture.workspace()
            try await ground.mirror.checkOut(commit, into: workspace, only: [only])
            #expect(try text(workspace + "/app/lib/w/x") == "1")
            #expect(!FileManager.default.fileExists(atPath: workspace + "/other"))
        }
    }

    /// What is not written is not read either: a commit that can't be written whole may hold a context that can.
    @Test func whatIsWrittenIsCheckedAsEver() async throws {
        let ground = try await HostileTreeTests.Ground()
        let hidden = try await ground.tree([HostileTreeTests.Entry("100644", ".git", ground.blob)])
        let twice = try await ground.tree([
            HostileTreeTests.Entry("100644", "a", ground.blob), HostileTreeTests.Entry("100644", "a", ground.blob),
        ])
        let good = try await ground.tree([HostileTreeTests.Entry("100644", "a", ground.blob)])
        try await ground.commit(
            try await ground.tree([
                HostileTreeTests.Entry("40000", "good", good), HostileTreeTests.Entry("40000", "hidden", hidden),
                HostileTreeTests.Entry("40000", "twice", twice),
            ]))
        let mirror = try ground.fixture.mirror()
        let commit = try await mirror.fetch(RefName("refs/heads/main")).id
        let workspace = ground.fixture.workspace()
        try await mirror.checkOut(commit, into: workspace, only: ["good"])
        #expect(written(workspace) == ["good", "good/a"])
        await expectFailure(.build, "Git forbids the name") {
            try await mirror.checkOut(commit, into: ground.fixture.workspace(), only: ["hidden"])
        }
        await expectFailure(.build, "names it twice") {
            try await mirror.checkOut(commit, into: ground.fixture.workspace(), only: ["twice/a"])
        }
    }
}
