import Foundation
import Model
import TestSupport
import Testing

@testable import Checkout

@Suite(.enabled(if: GitRepository.isPossible, "needs git"))
struct SubmoduleTests {
    @Test func nestedAndRelativeSubmodulesAreWritten() async throws {
        let fixture = try await Fixture()
        let leaf = try await GitRepository.make(at: fixture.directory["leaf"])
        try await leaf.commit("Leaf", ["leaf.txt": "leaf"])
        let middle = try await GitRepository.make(at: fixture.directory["lib/middle"])
        try await middle.git("submodule", "add", "-q", "../../leaf", "deep/leaf dir")
        try await middle.commit("Middle", ["middle.txt": "middle"])
        try await fixture.repository.git("submodule", "add", "-q", "../lib/middle", "vendor/middle")
        try await fixture.repository.git("submodule", "add", "-q", leaf.path, "absolute")
        try await fixture.repository.commit("Top", ["top.txt": "top"])
        let workspace = try await fixture.checkOut()
        #expect(try text("\(workspace)/vendor/middle/middle.txt") == "middle")
        #expect(try text("\(workspace)/vendor/middle/deep/leaf dir/leaf.txt") == "leaf")
        #expect(try text("\(workspace)/absolute/leaf.txt") == "leaf")
        let all = FileManager.default.enumerator(atPath: workspace)?.compactMap { $0 as? String } ?? []
        #expect(!all.contains { $0.hasSuffix(".git") })
    }

    @Test func aSubmoduleStaysAtItsCommitWhenItsBranchMovesOn() async throws {
        let fixture = try await Fixture()
        let library = try await GitRepository.make(at: fixture.directory["library"])
        try await library.commit("One", ["v": "1"])
        try await fixture.repository.git("submodule", "add", "-q", "../library", "library")
        try await fixture.repository.commit("Top")
        try await library.commit("Two", ["v": "2"])
        #expect(try text(await fixture.checkOut() + "/library/v") == "1")
    }

    @Test func aBrokenSubmoduleIsNamed() async throws {
        let fixture = try await Fixture()
        let id = try await fixture.repository.commit("Base")
        let link = ["update-index", "--add", "--cacheinfo", "160000,\(id),vendor/lost"]
        _ = try await Command.run("git", link, in: fixture.repository.path)
        _ = try await Command.run(
            "git", ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "Link"], in: fixture.repository.path)
        await expectFailure(.build, ".gitmodules") { _ = try await fixture.checkOut() }

        func modules(_ text: String) async throws {
            try Data(text.utf8).write(to: URL(fileURLWithPath: fixture.repository.path + "/.gitmodules"))
            try await fixture.repository.git("add", ".gitmodules")
            try await fixture.repository.git("commit", "-q", "--allow-empty", "-m", "Modules")
        }
        try await modules("[submodule \"x\"]\n\tpath = elsewhere\n\turl = ../y\n")
        await expectFailure(.build, "\"vendor/lost\"", "not in .gitmodules") { _ = try await fixture.checkOut() }
        try await modules("[submodule \"x\"]\n\tpath = vendor/lost\n")
        await expectFailure(.build, "\"vendor/lost\"", "no url") { _ = try await fixture.checkOut() }
        try await modules("[submodule \"x\"]\n\tpath = vendor/lost\n\turl = ext::sh -c touch% /tmp/x\n")
        await expectFailure(.build, "\"vendor/lost\"", "can't be cloned from") { _ = try await fixture.checkOut() }
        try await modules("[submodule \"x\"]\n\tpath = vendor/lost\n\turl = ../nowhere\n")
        await expectFailure(.system, "submodule \"vendor/lost\"", "nowhere") { _ = try await fixture.checkOut() }
        try await modules("[submodule \"x\"]\n\tpath = vendor/lost\n\turl = ../source\n\tupdate = none\n")
        #expect(try names(await fixture.checkOut() + "/vendor/lost") == [])
    }

    @Test func aMissingCommitOfASubmoduleIsTheRepositorysFault() async throws {
        let fixture = try await Fixture()
        let library = try await GitRepository.make(at: fixture.directory["library"])
        try await library.commit("One")
        try await fixture.repository.git("submodule", "add", "-q", "../library", "library")
        let lost = String(repeating: "ab", count: 20)
        try await fixture.repository.git("update-index", "--cacheinfo", "160000,\(lost),library")
        try await fixture.repository.git("commit", "-q", "-m", "Lost")
        await expectFailure(.build, "submodule \"library\"", lost) { _ = try await fixture.checkOut() }
    }

    // Addresses as git-submodule resolves them.
    @Test(arguments: [
        ("https://git.example.com/acme/shop.git", "../lib.git", "https://git.example.com/acme/lib.git"),
        ("https://git.example.com/acme/shop.git/", "../../other/lib", "https://git.example.com/other/lib"),
        ("https://git.example.com/acme/shop", "./lib", "https://git.example.com/acme/shop/lib"),
        ("git@git.example.com:acme/shop.git", "../lib.git", "git@git.example.com:acme/lib.git"),
        ("git@git.example.com:shop.git", "../lib.git", "git@git.example.com:lib.git"),
        ("ssh://git@git.example.com:2222/acme/shop", "../lib", "ssh://git@git.example.com:2222/acme/lib"),
        ("/srv/git/shop.git", "../lib.git", "/srv/git/lib.git"),
        // Absolute ones stay; a user's name without a password is dropped.
        ("https://git.example.com/a/b", "https://bob@bitbucket.example.org/x/y", "https://bitbucket.example.org/x/y"),
        ("https://git.example.com/a/b", "git@git.example.com:x/y", "git@git.example.com:x/y"),
    ])
    func addresses(parent: String, url: String, expected: String) throws {
        let module = GitModules.Module(name: "m", path: "m", url: url)
        #expect(try SubmoduleAddress(module, of: GitSource(parent)).source.text == expected)
    }

    // What a stranger's .gitmodules must not reach.
    @Test(arguments: [
        "/etc", "file:///etc", "../../../..", "ext::sh -c id", "-oProxyCommand=id:x", "fd::7",
        "https://user:secret@git.example.com/x", "--upload-pack=touch /tmp/x", "-u./x", "file://localhost/etc",
        "FILE:///etc", "http::https://git.example.com/x", "C:\\x", "git@git.example.com:x\nurl = /etc",
    ])
    func hostileAddresses(url: String) throws {
        let module = GitModules.Module(name: "m", path: "m", url: url)
        let parent = try GitSource("https://git.example.com/acme/shop")
        do {
            let address = try SubmoduleAddress(module, of: parent)
            #expect(address.source.transport == .ssh, "\(address.source)")
        } catch let error as CheckoutError {
            #expect(error.fault == .build)
            #expect(!error.description.contains("secret"))
        }
    }

    @Test func credentialsStayAtTheirHost() throws {
        let login = GitCredentials.login(Login(username: "ci", password: Secret("pw")))
        let key = GitCredentials.ssh(GitCredentials.SSHKey(privateKey: Secret("key")))
        func given(_ url: String, _ parent: String, _ credentials: GitCredentials) throws -> Bool {
            let parent = try GitSource(parent)
            let module = GitModules.Module(name: "m", path: "m", url: url)
            return try SubmoduleAddress(module, of: parent).credentials(credentials, of: parent) != nil
        }
        #expect(try given("https://git.example.com/x", "https://git.example.com/a/b", login))
        #expect(try given("https://git.example.com:443/x", "https://git.example.com/a/b", login))
        #expect(try !given("https://evil.example.com/x", "https://git.example.com/a/b", login))
        #expect(try !given("https://git.example.com:8443/x", "https://git.example.com/a/b", login))
        // Never in the clear where the repository's own way is encrypted.
        #expect(try !given("http://git.example.com/x", "https://git.example.com/a/b", login))
        #expect(try given("ssh://git@git.example.com/x", "git@git.example.com:a/b", key))
        #expect(try !given("git@evil.example.com:x", "git@git.example.com:a/b", key))
    }

    @Test func theSyntaxOfGitConfig() throws {
        let modules = GitModules(
            """
            # a comment
            [core]
                path = not/this
            [submodule "with \\"quotes\\""]
                path = "a b" ; trailing
                URL = ../x\\
            y # more
            [Submodule "two"] path = two
                url = "https://h/x#frag"
            """)
        #expect(try modules.module(at: "a b") == GitModules.Module(name: "with \"quotes\"", path: "a b", url: "../xy"))
        #expect(try modules.module(at: "two")?.url == "https://h/x#frag")
    }
}
