import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// The address for a whole Git host, where the body tells the repository.
    @Suite(.enabled(if: Machine.has("buildah", "docker-registry", "git")))
    struct WholeHostTests {
        private static let secret = "a secret of the whole host"

        private func push(_ address: String, _ moved: Moved, field: String = "clone_url", secret: String = secret)
            -> SentWebhook
        {
            let repository = #"{"full_name": "acme/shop", "default_branch": "main", "\#(field)": "\#(address)"}"#
            return SendingHost.gitHub("push", SendingHost.push([moved], repository: repository), secret: secret)
        }

        private func moved(_ digits: String) -> Moved {
            let commit = String(repeating: digits, count: 40 / digits.count)
            return Moved(ref: "refs/heads/main", commit: commit, object: commit)
        }

        private func repository(_ name: String, _ source: String, _ more: String = "") -> String {
            "  acme/\(name):\n    source: \(source)\n    image: localhost:5000/acme/\(name)\n\(more)\n"
        }

        /// Whichever of its addresses is told, and whichever is in the settings.
        @Test(.timeLimit(.minutes(6)))
        func theRepositoryIsFoundByItsAddress() async throws {
            let bed = try await Bed(workers: 0, start: false)
            let key = try bed.folder.write("-----BEGIN OPENSSH PRIVATE KEY-----\n", to: "key")
            let login = "    credentials: {ssh_key: {file: \(key)}}"
            try bed.append(
                settings: repository("https", "https://git.example.com/Team/https.git")
                    + repository("ssh", "ssh://git@git.example.com:2222/team/ssh", login)
                    + repository("scp", "git@git.example.com:team/scp.git", login)
                    + "webhook_secret: \"\(Self.secret)\"\nlimits: {delay: 0ms}\n")
            try await bed.startService()
            let told = [
                ("https://git.example.com/Team/https.git", "clone_url", "https"),
                ("https://GIT.example.com/Team/https", "clone_url", "https"),
                ("git@git.example.com:team/https.git", "ssh_url", "https"),
                ("ssh://git@git.example.com:2222/team/ssh.git", "ssh_url", "ssh"),
                ("https://git.example.com/team/ssh.git", "clone_url", "ssh"),
                ("https://git.example.com/team/scp/", "clone_url", "scp"),
                ("git://git.example.com/team/scp.git", "git_url", "scp"),
                (bed.git.bare, "clone_url", "shop"), ("file://\(bed.git.bare)", "clone_url", "shop"),
                (String(bed.git.bare.dropLast(".git".count)), "clone_url", "shop"),
            ]
            for (number, (address, field, name)) in told.enumerated() {
                let sent = push(address, moved("a\(number)"), field: field)
                let reply = try await bed.post(sent, to: "/webhooks")
                #expect(reply.status == 202, "\(address): \(reply.text)")
                #expect(reply.builds.map { $0.json["repository"] as? String } == ["acme/\(name)"], "\(address)")
            }
            // Nobody's: another path, another host.
            for address in ["https://git.example.com/team/other.git", "https://other.example.com/Team/https.git"] {
                let reply = try await bed.post(push(address, moved("bb")), to: "/webhooks")
                #expect(reply.status == 202 && reply.builds.isEmpty, "\(address): \(reply.text)")
                #expect(reply.reasons.contains("no repository of the settings has"), "\(reply.text)")
            }
            // Each address has its own secret.
            let own = push(bed.git.bare, moved("cc"), secret: Bed.secret)
            #expect(try await bed.post(own, to: "/webhooks").status == 401)
            #expect(try await bed.post(push(bed.git.bare, moved("cc"))).status == 401)
            #expect(try await bed.post(own).status == 202)
            await bed.stop()
        }

        @Test(.timeLimit(.minutes(6)))
        func twoRepositoriesOfOneSource() async throws {
            let bed = try await Bed(start: false)
            let copy = repository("copy", bed.git.bare).replacing("localhost:5000", with: bed.registry.host)
            try bed.append(settings: copy + "webhook_secret: \"\(Self.secret)\"\n")
            try await bed.startService()
            try bed.write("both")
            let commit = try bed.git.commit()
            try bed.git.push()
            let sent = push(bed.git.bare, Moved(ref: "refs/heads/main", commit: commit, object: commit))
            let reply = try await bed.post(sent, to: "/webhooks")
            #expect(reply.builds.compactMap { $0.json["repository"] as? String } == ["acme/shop", "acme/copy"])
            for build in reply.builds {
                let end = try await bed.service.wait(for: build.id)
                #expect(end.state == "finished", "\(end)")
            }
            for image in ["acme/shop", "acme/copy"] {
                let labels = try await bed.registry.labels(image: image, tag: "latest")
                #expect(labels["org.opencontainers.image.revision"] == commit)
            }
            // Sent again it builds neither, and says so of each.
            let again = try await bed.post(sent, to: "/webhooks")
            #expect(again.status == 202 && again.builds.isEmpty, "\(again.text)")
            for name in ["acme/shop: this delivery was told", "acme/copy: this delivery was told"] {
                #expect(again.reasons.contains(name), "\(again.text)")
            }
            await bed.stop()
        }
    }
}
