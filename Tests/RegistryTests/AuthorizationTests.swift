import Foundation
import Model
import Synchronization
import TestSupport
import Testing

@testable import Registry

@Suite struct AuthorizationTests {
    private let latest: Tag
    private let robot = Login(username: "robot", password: Secret("s3cret"))
    private static let basic = "Basic " + Data("robot:s3cret".utf8).base64EncodedString()

    init() throws {
        latest = try Tag("latest")
    }

    private static func manifest() -> ScriptedServer.Reply {
        .answer(200, [("Content-Type", RegistryClientTests.ociManifest)], "{}")
    }

    /// A registry and its token server in one, whose tokens are numbered: `t1`, `t2`, …
    private static func tokenRegistry(
        accepts: @escaping @Sendable (String) -> Bool = { _ in true }, scope: String = "", expires: Int = 300
    ) throws -> ScriptedServer {
        let count = Mutex(0)
        return try ScriptedServer { request in
            if request.target.hasPrefix("/token") {
                let isKnown =
                    request.headers["authorization"] == basic
                    || String(decoding: request.body, as: UTF8.self).contains("refresh_token=identity")
                guard isKnown else { return .answer(401, [], #"{"details":"incorrect username or password"}"#) }
                let number = count.withLock { count in
                    count += 1
                    return count
                }
                return .answer(200, [], #"{"token":"t\#(number)","expires_in":\#(expires)}"#)
            }
            let sent = request.headers["authorization"] ?? ""
            if sent.hasPrefix("Bearer ") && accepts(String(sent.dropFirst(7))) { return manifest() }
            let host = request.headers["host"] ?? ""
            return .answer(
                401,
                [("WWW-Authenticate", #"Bearer realm="http://\#(host)/token?a=b",service="the registry"\#(scope)"#)],
                #"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#)
        }
    }

    @Test func sendsUserAndPasswordOnlyWhenAsked() async throws {
        let server = try ScriptedServer { request in
            request.headers["authorization"] == Self.basic
                ? Self.manifest()
                : .answer(401, [("WWW-Authenticate", "Negotiate"), ("WWW-Authenticate", #"bASIC realm="r""#)])
        }
        defer { server.stop() }
        let client = RegistryClientTests.client(login: robot)
        let image = try RegistryClientTests.image(server)
        for _ in 0..<2 { #expect(try await client.manifest(of: image, tag: latest) != nil) }
        // Once it is known that the registry wants them, they are sent at once.
        #expect(server.requests.map { $0.headers["authorization"] } == [nil, Self.basic, Self.basic])
        #expect(try await client.login(for: image.registry) == robot)
    }

    @Test func saysWhoseCredentialsWereRefused() async throws {
        let server = try ScriptedServer { _ in .answer(401, [("WWW-Authenticate", "Basic realm=r")]) }
        defer { server.stop() }
        for (login, words) in [(robot, #"user "robot""#), (nil, "none are known")] {
            let client = RegistryClientTests.client(login: login)
            let error = await #expect(throws: RegistryError.self) { try await client.ping(host: server.host) }
            guard case .refused(_, let username, _)? = error else {
                return #expect(Bool(false), "\(String(describing: error))")
            }
            #expect(username == login?.username)
            #expect(error?.description.contains(words) == true)
            #expect(error?.description.contains("s3cret") == false)
        }
        #expect(server.requests.count == 3)
    }

    @Test func getsATokenAndKeepsIt() async throws {
        let server = try Self.tokenRegistry(scope: #",scope="repository:acme/shop:pull other:x:y""#)
        defer { server.stop() }
        let time = StoppedTime()
        let client = RegistryClientTests.client(login: robot, time: time)
        let image = try RegistryClientTests.image(server)
        for _ in 0..<2 { _ = try await client.manifest(of: image, tag: latest) }
        #expect(server.requests.map { $0.headers["authorization"] } == [nil, Self.basic, "Bearer t1", "Bearer t1"])
        #expect(
            server.requests[1].target
                == "/token?a=b&service=the%20registry&scope=repository:acme/shop:pull&scope=other:x:y")
        // Shortly before its end it is no longer sent.
        time.pass(291)
        _ = try await client.manifest(of: image, tag: latest)
        #expect(server.requests.dropFirst(4).map { $0.headers["authorization"] } == [nil, Self.basic, "Bearer t2"])
    }

    @Test func asksForTheRightThatIsNeeded() async throws {
        let server = try Self.tokenRegistry()
        defer { server.stop() }
        let client = RegistryClientTests.client(login: robot)
        let image = try RegistryClientTests.image(server)
        let manifest = try #require(try await client.manifest(of: image, tag: latest))
        _ = try? await client.put(manifest, as: latest, to: image)
        try await client.ping(host: image.registry)
        let asked = server.requests.filter { $0.target.hasPrefix("/token") }.map(\.target)
        #expect(
            asked == [
                "/token?a=b&service=the%20registry&scope=repository:acme/shop:pull",
                "/token?a=b&service=the%20registry&scope=repository:acme/shop:pull,push",
                "/token?a=b&service=the%20registry",
            ])
    }

    @Test func getsOneFreshTokenWhenTheKeptOneIsRefused() async throws {
        let revoked = Mutex(Set<String>())
        let server = try Self.tokenRegistry { token in !revoked.withLock { $0.contains(token) } }
        defer { server.stop() }
        let client = RegistryClientTests.client(login: robot)
        let image = try RegistryClientTests.image(server)
        _ = try await client.manifest(of: image, tag: latest)
        _ = revoked.withLock { $0.insert("t1") }
        #expect(try await client.manifest(of: image, tag: latest) != nil)
        #expect(
            server.requests.dropFirst(3).map { $0.headers["authorization"] } == ["Bearer t1", Self.basic, "Bearer t2"])
        revoked.withLock { $0 = ["t1", "t2", "t3"] }
        let error = await #expect(throws: RegistryError.self) { try await client.manifest(of: image, tag: latest) }
        #expect(error?.description.contains("authentication required") == true)
        #expect(server.requests.count == 9)
    }

    @Test func takesAnIdentityToken() async throws {
        let server = try Self.tokenRegistry()
        defer { server.stop() }
        let client = RegistryClientTests.client(
            login: Login(username: DockerConfig.identityTokenUser, password: Secret("identity")))
        #expect(try await client.manifest(of: RegistryClientTests.image(server), tag: latest) != nil)
        let request = try #require(server.requests.first { $0.target.hasPrefix("/token") })
        #expect(request.method == "POST" && request.headers["authorization"] == nil)
        #expect(
            String(decoding: request.body, as: UTF8.self)
                == "grant_type=refresh_token&client_id=slipway&service=the%20registry&scope=repository:acme/shop:pull&refresh_token=identity"
        )
    }

    @Test func saysWhatTheTokenServerSays() async throws {
        let server = try Self.tokenRegistry()
        defer { server.stop() }
        let client = RegistryClientTests.client(login: Login(username: "mallory", password: Secret("wr0ng")))
        let error = await #expect(throws: RegistryError.self) {
            try await client.checkAccess(image: RegistryClientTests.image(server))
        }
        let sentence = try #require(error).description
        #expect(
            sentence.contains("mallory") && sentence.contains("incorrect username or password")
                && !sentence.contains("wr0ng"))
    }

    @Test(arguments: [
        // Address, leave for plain HTTP, what is to come of it.
        ("https://token.example.com/token", false, "good"),
        ("http://127.0.0.1:5001/token", false, "good"),
        ("http://localhost/token", false, "good"),
        ("http://[::1]:5001/token", false, "good"),
        ("http://token.example.com/token", true, "good"),
        ("http://token.example.com/token", false, "speaks plain HTTP"),
        ("http://localhost.example.com/token", false, "speaks plain HTTP"),
        ("http://127.0.0.1.example.com/token", false, "speaks plain HTTP"),
        ("ftp://127.0.0.1/", true, "makes no sense"),
        ("http://user:pass@127.0.0.1/", true, "makes no sense"),
        ("token", true, "makes no sense"),
        ("", true, "makes no sense"),
    ])
    func judgesTheTokenServer(_ realm: String, _ insecure: Bool, _ words: String) throws {
        let challenge = try #require(Challenge.parse("Bearer realm=\"\(realm)\"").first)
        let operation = RegistryOperation("try", host: "registry.example.com")
        func judge() throws { _ = try TokenServer(challenge, scope: nil, insecure: insecure, operation) }
        if words == "good" {
            #expect(throws: Never.self) { try judge() }
        } else {
            let error = #expect(throws: RegistryError.self) { try judge() }
            #expect(error?.description.contains(words) == true)
        }
    }

    @Test func keepsCredentialsFromOtherHosts() async throws {
        let other = try ScriptedServer { request in
            request.target == "/private" ? .answer(401, [("WWW-Authenticate", "Basic realm=other")]) : Self.manifest()
        }
        defer { other.stop() }
        let place = other.host
        let server = try ScriptedServer { request in
            guard request.headers["authorization"] != nil else {
                return .answer(401, [("WWW-Authenticate", "Basic realm=r")])
            }
            switch request.target.split(separator: "/").last {
            case "far": return .answer(307, [("Location", "http://\(place)/blob?signature=1")])
            case "private": return .answer(302, [("Location", "http://\(place)/private")])
            case "near": return .answer(301, [("Location", "/v2/here")])
            default: return request.method == "PUT" ? .answer(308, [("Location", "http://\(place)/")]) : Self.manifest()
            }
        }
        defer { server.stop() }
        let client = RegistryClientTests.client(login: robot)
        let image = try RegistryClientTests.image(server)
        let manifest = try #require(try await client.manifest(of: image, tag: Tag("near")))
        #expect(server.requests.map { $0.headers["authorization"] } == [nil, Self.basic, Self.basic])
        #expect(try await client.manifest(of: image, tag: Tag("far")) != nil)
        await #expect(throws: RegistryError.self) { try await client.manifest(of: image, tag: Tag("private")) }
        await #expect(throws: RegistryError.self) { try await client.put(manifest, as: Tag("moved"), to: image) }
        #expect(other.requests.map(\.target) == ["/blob?signature=1", "/private"])
        #expect(other.requests.allSatisfy { $0.headers["authorization"] == nil })
    }

    @Test func checksThatAPushWouldBegin() async throws {
        let server = try ScriptedServer { request in
            switch request.method {
            case "POST": .answer(202, [("Location", "\(request.target)the-upload?_state=x")])
            case "DELETE": .answer(204)
            default: .answer(200)
            }
        }
        defer { server.stop() }
        try await RegistryClientTests.client().checkAccess(image: RegistryClientTests.image(server))
        #expect(
            server.requests.map { "\($0.method) \($0.target)" } == [
                "GET /v2/", "POST /v2/acme/shop/blobs/uploads/",
                "DELETE /v2/acme/shop/blobs/uploads/the-upload?_state=x",
            ])
        #expect(server.requests[1].headers["content-length"] == "0")
    }
}
