import Foundation
import Model
import Registry
import TestSupport
import Testing

/// The registry client against Debian's docker-registry.
@Suite(.enabled(if: RegistryServer.isInstalled, "needs docker-registry, apache2-utils and openssl"))
struct RegistryServerTests {
    private let robot = Login(username: "robot", password: Secret("s3cret: with colon"))

    private func client(_ login: Login? = nil, insecure: Bool = true) -> RegistryClient {
        RegistryClient(
            configuration: { _ in RegistryConfiguration(insecure: insecure, login: login) }, dockerConfig: nil)
    }

    @Test(arguments: [false, true])
    func movesATag(_ withPassword: Bool) async throws {
        let server = try await RegistryServer.start(htpasswd: withPassword ? robot : nil)
        let client = client(withPassword ? robot : nil)
        let image = try ImageName("\(server.host)/acme/deep/shop")
        let (commitTag, latest) = (try Model.Tag("sha-0123456789ab"), try Model.Tag("latest"))
        #expect(try await client.digest(of: image, tag: commitTag) == nil)
        let first = try await server.pushImage("acme/deep/shop", tag: "sha-0123456789ab", files: ["hello": "one"])
        _ = try await server.pushImage("acme/deep/shop", tag: "latest", files: ["hello": "older"])

        let manifest = try #require(try await client.manifest(of: image, tag: commitTag))
        #expect(manifest.digest.text == first)
        #expect(try await client.digest(of: image, tag: latest)?.text != first)
        #expect(try await client.put(manifest, as: latest, to: image).text == first)
        #expect(try await client.digest(of: image, tag: latest)?.text == first)
        #expect(try await client.manifest(of: image, digest: manifest.digest) == manifest)

        #expect(try await server.manifest("acme/deep/shop", "latest")?.body == manifest.body)
        #expect(try await server.tags("acme/deep/shop") == ["latest", "sha-0123456789ab"])
        #expect(try await server.readFile("hello", image: "acme/deep/shop", tag: "latest") == Data("one".utf8))
        try await client.ping(host: server.host)
        try await client.checkAccess(image: image)
        try await client.checkAccess(image: ImageName("\(server.host)/acme/never-pushed"))
        #expect(try await server.tags("acme/never-pushed").isEmpty)
    }

    @Test func provesAnImageByItsFiles() async throws {
        let server = try await RegistryServer.start()
        let digest = try await server.pushImage(
            "shop", tag: "1", files: ["etc/motd": "hello\n", "bin/run": "#!/bin/sh\n"], labels: ["a.b": "c d"])
        #expect(try await server.readFile("/etc/motd", image: "shop", tag: "1") == Data("hello\n".utf8))
        #expect(try await server.readFile("etc/none", image: "shop", tag: "1") == nil)
        #expect(try await server.readFile("etc/motd", image: "shop", tag: "2") == nil)
        #expect(try await server.files(image: "shop", tag: "1") == ["bin", "bin/run", "etc", "etc/motd"])
        #expect(try await server.labels(image: "shop", tag: "1") == ["a.b": "c d"])
        #expect(try await server.manifest("shop", "1")?.digest == digest)
        #expect(try await server.tags("none").isEmpty)
    }

    @Test func tellsOfWrongAndMissingCredentials() async throws {
        let server = try await RegistryServer.start(htpasswd: robot)
        let image = try ImageName("\(server.host)/acme/shop")
        for (login, words) in [
            (Login(username: "robot", password: Secret("wr0ng")), "refused the credentials of user \"robot\""),
            (Login(username: "", password: Secret("")), "refused"), (nil, "none are known"),
        ] {
            let client = client(login)
            for ask in [{ try await client.ping(host: server.host) }, { try await client.checkAccess(image: image) }] {
                let error = await #expect(throws: RegistryError.self) { try await ask() }
                guard let error else { continue }
                #expect(error.description.contains(words), "\(error)")
                #expect(!error.description.contains("wr0ng"))
                #expect(!error.isTransient)
            }
        }
    }

    @Test func comesBackAfterTheRegistryDoes() async throws {
        let server = try await RegistryServer.start(htpasswd: robot)
        let client = client(robot)
        let image = try ImageName("\(server.host)/shop")
        let tag = try Model.Tag("1")
        let digest = try await server.pushImage("shop", tag: "1", files: ["a": "b"])
        #expect(try await client.digest(of: image, tag: tag)?.text == digest)
        server.stop()
        let error = await #expect(throws: RegistryError.self) { try await client.digest(of: image, tag: tag) }
        guard case .unreachable? = error else { return #expect(Bool(false), "\(String(describing: error))") }
        try await server.restart()
        // The connection that was kept from before is dead, and nobody notices.
        #expect(try await client.digest(of: image, tag: tag)?.text == digest)
    }

    @Test func trustsNoCertificateWithoutReason() async throws {
        let server = try await RegistryServer.start(tls: true)
        let error = await #expect(throws: RegistryError.self) {
            try await client(insecure: false).ping(host: server.host)
        }
        guard case .untrusted? = error else { return #expect(Bool(false), "\(String(describing: error))") }
        // Plain HTTP to a server of HTTPS is no registry either.
        await #expect(throws: RegistryError.self) { try await client().ping(host: server.host) }
    }

    @Test func answersManyAtOnce() async throws {
        let server = try await RegistryServer.start(htpasswd: robot)
        let client = client(robot)
        let image = try ImageName("\(server.host)/shop")
        // Each has its own digest: this registry rewrites a digest's link in place with each PUT, and answers 500 to whoever
        // reads it meanwhile.
        for number in 0..<20 {
            _ = try await server.pushImage("shop", tag: "sha-\(number)", files: ["number": "\(number)"])
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<20 {
                group.addTask {
                    let (commitTag, tag) = (try Model.Tag("sha-\(number)"), try Model.Tag("\(number)"))
                    let manifest = try #require(try await client.manifest(of: image, tag: commitTag))
                    _ = try await client.put(manifest, as: tag, to: image)
                    #expect(try await client.digest(of: image, tag: tag) == manifest.digest)
                }
            }
            try await group.waitForAll()
        }
        #expect(try await server.tags("shop").count == 40)
    }
}
