import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// A push from each kind of Git server becomes an image; a path is what every other test uses.
    @Suite(.enabled(if: Machine.has("buildah", "docker-registry", "git")))
    struct SourcesTests {
        /// Builds from `source`, and proves the image.
        private func build(from source: String, root: TemporaryDirectory, _ git: GitProject, credentials: String = "")
            async throws
        {
            let bed = try await Bed(source: source, credentials: credentials)
            try git.write("hello", "from afar")
            try git.write("Dockerfile", "FROM scratch\nCOPY hello /hello\n")
            let commit = try git.commit()
            try git.push()
            let reply = try await bed.tell("refs/heads/main", commit)
            let end = try await bed.service.wait(for: try #require(reply.builds.first).id)
            #expect(end.state == "finished", "\(end)\n\(bed.service.log)")
            #expect(try await bed.hello("latest") == "from afar")
            let asked = try await Command.run(Service.program, ["check", "--connect", "--config", bed.config])
            #expect(asked.contains("branches 1"), "\(asked)")
            try await bed.expectNothingLeft()
            await bed.stop()
        }

        @Test(.timeLimit(.minutes(6)))
        func gitDaemon() async throws {
            let root = try TemporaryDirectory()
            let git = try GitProject(in: root.path)
            let server = try await GitDaemon.start(root: root.path)
            try await build(from: server.url(for: "shop.git"), root: root, git)
            server.stop()
        }

        @Test(.enabled(if: Machine.has("nginx", "fcgiwrap", "htpasswd")), .timeLimit(.minutes(6)))
        func httpWithAPassword() async throws {
            let root = try TemporaryDirectory()
            let git = try GitProject(in: root.path)
            let server = try await GitOverHTTP.start(root: root.path)
            try await build(
                from: server.url(for: "shop.git"), root: root, git,
                credentials: "    credentials: {username: \(server.username), password: \"\(server.password)\"}")
            server.stop()
        }

        @Test(.enabled(if: Machine.has("sshd", "ssh-keygen") && Machine.isRoot), .timeLimit(.minutes(6)))
        func sshWithAKey() async throws {
            let root = try TemporaryDirectory()
            let git = try GitProject(in: root.path)
            let server = try await GitOverSSH.start(root: root.path)
            let key = try root.write(server.privateKey, to: "key", mode: 0o600)
            let hosts = try root.write(server.knownHosts, to: "known_hosts")
            try await build(
                from: server.url(for: "shop.git"), root: root, git,
                credentials: "    credentials: {ssh_key: {file: \(key)}, known_hosts: {file: \(hosts)}}")
            server.stop()
        }
    }
}
