import Checkout
import Foundation
import Model
import TestSupport
import Testing

struct BuildPathsTests {
    /// A workspace with Dockerfiles in places, and links good and bad.
    private static func workspace() throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        try directory.write("secret", to: "outside/Dockerfile")
        for file in [
            "Dockerfile", "docker/Dockerfile", "docker/Dockerfile.dev", "app/main.c", "Dockerfile.d/inner", "D",
        ] {
            try directory.write("FROM scratch\n", to: "w/\(file)")
        }
        func link(_ name: String, _ target: String) throws {
            try FileManager.default.createSymbolicLink(atPath: directory["w/\(name)"], withDestinationPath: target)
        }
        try link("in", "docker")
        try link("linked.Dockerfile", "docker/Dockerfile")
        try link("escape", "../outside")
        try link("escape.Dockerfile", directory["outside/Dockerfile"])
        try link("hop", "escape")
        try link("dangling", "/nowhere/Dockerfile")
        try link("loop", "loop")
        return directory
    }

    private static func rule(_ dockerfile: String?, _ context: String?) throws -> Rule {
        Rule(
            number: 1, source: .defaultBranch, tags: [try Template("latest")], commitTag: try Template("sha-{sha12}"),
            dockerfile: dockerfile, context: context)
    }

    @Test(
        arguments: [
            // Neither: the Dockerfile at the root.
            (nil, nil, "Dockerfile", "/"),
            ("/", nil, "Dockerfile", "/"),
            ("D", nil, "D", "/"),
            // A blank context is the Dockerfile's directory.
            ("docker/Dockerfile", nil, "docker/Dockerfile", "/docker"),
            ("/docker/Dockerfile.dev", "", "docker/Dockerfile.dev", "/docker"),
            // Else the Dockerfile is relative to the context.
            ("docker/Dockerfile", "/", "docker/Dockerfile", "/"),
            (nil, "docker", "docker/Dockerfile", "/docker"),
            ("Dockerfile.dev", "/docker/", "docker/Dockerfile.dev", "/docker"),
            ("/", "docker", "docker/Dockerfile", "/docker"),
            ("../docker/Dockerfile", "app", "docker/Dockerfile", "/app"),
            // A context that is a file is the Dockerfile.
            (nil, "docker/Dockerfile.dev", "docker/Dockerfile.dev", "/docker"),
            ("Dockerfile.dev", "docker/Dockerfile.dev", "docker/Dockerfile.dev", "/docker"),
            // Links that stay inside.
            ("in/Dockerfile", "/", "docker/Dockerfile", "/"),
            ("linked.Dockerfile", nil, "docker/Dockerfile", "/"),
            (nil, "in", "docker/Dockerfile", "/docker"),
            ("./docker/../docker/Dockerfile", "/.", "docker/Dockerfile", "/"),
        ] as [(String?, String?, String, String)])
    func found(dockerfile: String?, context: String?, file: String, directory: String) throws {
        let workspace = try Self.workspace()
        let paths = try BuildPaths.resolve(rule: Self.rule(dockerfile, context), workspace: workspace["w"])
        #expect(paths.dockerfileShown == file)
        #expect(paths.contextShown == directory)
        #expect(paths.dockerfile == workspace["w/\(file)"])
        #expect(paths.context == (directory == "/" ? workspace["w"] : workspace["w\(directory)"]))
    }

    @Test(
        arguments: [
            // Missing: what is there instead.
            ("Dockerfil", nil, "\"Dockerfile\""),
            ("api/Dockerfile", nil, "is not in the repository"),
            (nil, "app", "\"docker/Dockerfile\""),
            (nil, "api", "the build context \"api\" is not in the repository"),
            ("Dockerfile/x", nil, "is not in the repository"),
            // A directory.
            ("docker", nil, "is a directory: write \"docker/Dockerfile\""),
            ("Dockerfile.d", "/", "is a directory"),
            // A file as context, and another Dockerfile.
            ("Dockerfile", "docker/Dockerfile.dev", "names another"),
            // Out of the repository.
            ("../outside/Dockerfile", nil, "leaves the repository through \"..\""),
            ("../../outside/Dockerfile", "app", "leaves the repository through \"..\""),
            (nil, "..", "leaves the repository through \"..\""),
            ("docker/../../outside/Dockerfile", "/", "leaves the repository through \"..\""),
            ("escape/Dockerfile", "/", "symbolic link \"escape\""),
            ("escape.Dockerfile", "/", "symbolic link \"escape.Dockerfile\""),
            (nil, "escape", "symbolic link \"escape\""),
            (nil, "hop", "symbolic link \"hop\""),
            ("in/../escape/Dockerfile", "/", "symbolic link \"escape\""),
            ("dangling", nil, "symbolic link \"dangling\""),
            ("loop", nil, "circle"),
        ] as [(String?, String?, String)])
    func refused(dockerfile: String?, context: String?, words: String) throws {
        let workspace = try Self.workspace()
        do {
            let paths = try BuildPaths.resolve(rule: Self.rule(dockerfile, context), workspace: workspace["w"])
            Issue.record("found \(paths)")
        } catch let error as CheckoutError {
            #expect(error.fault == .build)
            #expect(error.description.contains(words), "\(error)")
        }
    }

    // Builders read these through links, with the service's rights.
    @Test(
        arguments: [
            (".dockerignore", "/proc/self/environ", nil),
            ("docker/.dockerignore", "../../outside/Dockerfile", "docker"),
            (".containerignore", "/dev/zero", nil), ("docker/Dockerfile.dockerignore", "/etc/passwd", "docker"),
            (".dockerignore", "/nowhere", nil), (".dockerignore", "hop/Dockerfile", nil),
        ] as [(String, String, String?)])
    func anIgnoreFileOutsideIsRefused(name: String, target: String, context: String?) throws {
        let workspace = try Self.workspace()
        try FileManager.default.createSymbolicLink(atPath: workspace["w/\(name)"], withDestinationPath: target)
        let error = #expect(throws: CheckoutError.self) {
            try BuildPaths.resolve(rule: Self.rule(nil, context), workspace: workspace["w"])
        }
        #expect(error?.fault == .build)
        #expect(error?.description.contains("the ignore file \"\(name)\"") == true, "\(error?.description ?? "")")
        #expect(error?.description.contains("symbolic link \"\(name)\"") == true)
    }

    @Test func anIgnoreFileThatIsALinkInsideIsGood() throws {
        let workspace = try Self.workspace()
        try FileManager.default.createSymbolicLink(
            atPath: workspace["w/.dockerignore"], withDestinationPath: "app/main.c")
        _ = try BuildPaths.resolve(rule: Self.rule(nil, nil), workspace: workspace["w"])
    }

    @Test(arguments: ["/proc/self/environ", "/proc/self/root/etc/passwd", "/dev/zero", "/proc/self/fd/0"])
    func aDockerfileOfTheMachineIsRefused(_ target: String) throws {
        let workspace = try Self.workspace()
        let link = workspace["w/odd.Dockerfile"]
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: target)
        let error = #expect(throws: CheckoutError.self) {
            try BuildPaths.resolve(rule: Self.rule("odd.Dockerfile", "/"), workspace: workspace["w"])
        }
        #expect(error?.description.contains("symbolic link \"odd.Dockerfile\"") == true)
    }

    @Test func aRepositoryWithoutAnySaysSo() throws {
        let workspace = try TemporaryDirectory()
        do {
            _ = try BuildPaths.resolve(rule: Self.rule(nil, nil), workspace: workspace.path)
            Issue.record("found one")
        } catch let error as CheckoutError {
            #expect(error.description.contains("no Dockerfile at all"))
        }
    }
}
