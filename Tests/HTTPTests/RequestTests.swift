import Foundation
import HTTP
import Testing

@Suite struct RequestTests {
    @Test(arguments: [
        ("/", [], false),
        ("/a/b", ["a", "b"], false),
        ("/a/b/", ["a", "b"], true),
        ("/a//b", ["a", "", "b"], false),
        // An escaped slash is no separator.
        ("/a%2Fb/c%20d", ["a/b", "c d"], false),
        // A plus is a plus in a path.
        ("/a+b", ["a+b"], false),
        ("/gr%C3%BCn", ["grün"], false),
        ("/a?b=/c", ["a"], false),
        ("http://builds.example.com/a/b?x=1", ["a", "b"], false),
        ("http://builds.example.com", [], false),
    ])
    func pathsAreDecoded(target: String, path: [String], slash: Bool) throws {
        let request = try HTTPRequest(target: target)
        #expect(request.path == path)
        #expect(request.hasTrailingSlash == slash)
    }

    @Test(arguments: ["", "a", "*", "/%", "/%4", "/%zz", "/%4g", "/%ff", "/%00", "/?a=%", "/?%=1", "/?a=%c3", "/%+1"])
    func brokenTargetsAreRefused(target: String) {
        #expect(throws: MalformedTarget.self) { try HTTPRequest(target: target) }
    }

    @Test func queriesKeepRepeatedNamesAndOrder() throws {
        let request = try HTTPRequest(target: "/?state=failed&q=a+b%2Bc&state=pending&empty=&bare&x=1=2&&")
        #expect(request.query.map(\.name) == ["state", "q", "state", "empty", "bare", "x"])
        #expect(request.query("state") == "failed")
        #expect(request.query("q") == "a b+c")
        #expect(request.query("empty") == "")
        #expect(request.query("bare") == "")
        #expect(request.query("x") == "1=2")
        #expect(request.query("y") == nil)
    }

    @Test func headersAreFoundInAnyCase() throws {
        let request = try HTTPRequest(target: "/", headers: [("X-Hub", "1"), ("x-hub", "2"), ("X-Hub-2", "3")])
        #expect(request.header("X-HUB") == "1")
        #expect(request.headers("x-Hub") == ["1", "2"])
        #expect(request.header("X") == nil)
        // The characters that differ from a letter in the same bit are no letters.
        let near = try HTTPRequest(target: "/", headers: [("A@", "1")])
        #expect(near.header("a`") == nil)
    }

    @Test func formsAreRead() throws {
        let body = Data("docker_tag=v1&source=a+b".utf8)
        let request = try HTTPRequest(method: "POST", target: "/", body: body)
        #expect(try request.form().map { "\($0.name)=\($0.value)" } == ["docker_tag=v1", "source=a b"])
        let broken = try HTTPRequest(target: "/", body: Data([0xff]))
        #expect(throws: MalformedTarget.self) { try broken.form() }
    }
}
