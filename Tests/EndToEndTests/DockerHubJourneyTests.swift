import Foundation
import Model
import TestSupport
import Testing

extension EndToEnd {
    /// The way of somebody who had automated builds on Docker Hub: import, answer, check, serve, and the old scripts.
    @Suite(.enabled(if: Machine.has("buildah", "docker-registry", "htpasswd", "curl", "git")))
    struct DockerHubJourneyTests {
        private static let token = "7d3a9a0e-6d2c-4b1c-9f6e-2f6f3d8c1b20"
        private static let source = "5a0e2bcc-0000-4000-8000-000000000001"

        /// As `/api/build/v1/source/?image=acme/shop` answered.
        private static let saved = #"""
            {"meta": {"limit": 25, "next": null, "offset": 0, "total_count": 1}, "objects": [{
              "autotests": "OFF", "build_in_farm": true, "channel": "Stable", "deploykey": "", "envvars": [],
              "image": "acme/shop", "owner": "acme", "provider": "Github", "repo_links": false, "repository": "shop",
              "resource_uri": "/api/build/v1/source/5a0e2bcc-0000-4000-8000-000000000001/", "state": "Success",
              "uuid": "5a0e2bcc-0000-4000-8000-000000000001",
              "build_settings": [
                {"autobuild": true, "build_context": "/", "dockerfile": "Dockerfile", "nocache": false,
                 "source_name": "main", "source_type": "Branch", "state": "Success", "tag": "latest"},
                {"autobuild": false, "build_context": "/tools", "dockerfile": "Dockerfile", "nocache": true,
                 "source_name": "main", "source_type": "Branch", "state": "Empty", "tag": "tools,tools-{sourceref}"},
                {"autobuild": true, "build_context": "/", "dockerfile": "Dockerfile", "nocache": false,
                 "source_name": "/^v([0-9.]+)$/", "source_type": "Tag", "state": "Empty", "tag": "release-{\\1}"}
              ]}]}
            """#

        /// The lines of their scripts, as they were.
        private static let script = """
            set -e
            curl -fsS --data '{"source_type": "Tag", "source_name": "v1.2"}' -H 'Content-Type: application/json' \
            -X POST https://registry.hub.docker.com/u/acme/shop/trigger/\(token)/
            curl -fsS -H 'Content-Type: application/json' --data '{"docker_tag": "latest"}' \
            -X POST https://hub.docker.com/api/build/v1/source/\(source)/trigger/\(token)/call/ > source.json
            curl -fsS --data build=true -X POST https://registry.hub.docker.com/u/acme/shop/trigger/\(token)/
            """

        /// Answers what a draft asks, and nothing else.
        private func answered(_ draft: String, _ bed: Bed) throws -> String {
            let host = bed.registry.host
            let answers = [
                // How it is reached; where it keeps what it keeps, and by what it builds, are this test's own.
                (
                    "# url: https://builds.example.com\n",
                    "listen: 127.0.0.1:0\ndata: \(bed.path)/data\nengine: buildah\n"
                ),
                // Whose token pushes where.
                ("  docker.io:\n", "  \(host):\n    insecure: true\n"), ("username: acme\n", "username: robot\n"),
                ("source: https://github.com/acme/shop.git\n", "source: \(bed.git.bare)\n"),
                ("image: docker.io/acme/shop\n", "image: \(host)/acme/shop\n"),
                ("# trigger_tokens: ", "trigger_tokens: "),
            ]
            return try answers.reduce(draft) { text, answer in
                try #require(text.components(separatedBy: answer.0).count == 2, "once: \(answer.0)\n\(text)")
                return text.replacing(answer.0, with: answer.1)
            }
        }

        private func commit(_ git: GitProject) throws -> String {
            for (folder, text) in [("", "the shop"), ("tools/", "the tools")] {
                try git.write(folder + "hello", text)
                try git.write(folder + "Dockerfile", "FROM scratch\nCOPY hello /hello\n")
            }
            let commit = try git.commit()
            try git.push()
            try git.git("tag", "-a", "v1.2", "-m", "Annotated")
            try git.git("push", "-q", "origin", "v1.2")
            return commit
        }

        @Test(.timeLimit(.minutes(6)))
        func theOldScriptsGoOn() async throws {
            let login = Login(username: "robot", password: Secret("the registry's password"))
            let variables = [
                "DOCKER_HUB_TOKEN": login.password.value, "SHOP_WEBHOOK_SECRET": Bed.secret, "SHOP_TRIGGER": Self.token,
            ]
            let bed = try await Bed(
                registry: RegistryServer.start(htpasswd: login), environment: variables, start: false)
            let commit = try commit(bed.git)
            let file = try bed.folder.write(Self.saved, to: "source.json")
            let draft = try await Command.run(Service.program, ["import", "docker-hub", file])
            #expect(draft.components(separatedBy: "# DECIDE:").count - 1 == 3, "\(draft)")
            try Data(try answered(draft + "\n", bed).utf8).write(to: URL(fileURLWithPath: bed.config))

            let missing = await #expect(throws: Command.Failed.self) {
                try await Command.run(Service.program, ["check", "--config", bed.config])
            }
            for name in variables.keys {
                #expect(missing?.errors.contains("has no variable \(name)") == true, "\(missing?.errors ?? "")")
            }
            let check = try await Command.run(
                Service.program, ["check", "--connect", "--config", bed.config], environment: variables)
            #expect(check.contains("the settings are good: repositories 1, rules 3"), "\(check)")

            try await bed.startService()
            let script = Self.script.replacing("https://registry.hub.docker.com", with: bed.service.url)
                .replacing("https://hub.docker.com", with: bed.service.url)
            let answers = try await Command.run("sh", ["-c", script], in: bed.path)
            #expect(answers == "OKOK", "\(answers)")
            let told = try JSONSerialization.jsonObject(
                with: Data(contentsOf: URL(fileURLWithPath: bed.path + "/source.json")))
            #expect((told as? [String: Any])?["image"] as? String == "acme/shop", "\(told)")

            let builds = try await bed.service.request("GET", "/api/v1/builds").builds
            for build in builds {
                let end = try await bed.service.wait(for: build.id)
                #expect(end.state == "finished" && end.commit == commit, "\(end)")
            }
            let images = [
                "latest": "the shop", "release-1.2": "the shop", "tools": "the tools", "tools-main": "the tools",
            ]
            for (tag, text) in images {
                #expect(try await bed.hello(tag) == text, "\(tag)")
                let labels = try await bed.registry.labels(image: "acme/shop", tag: tag)
                #expect(labels["org.opencontainers.image.revision"] == commit, "\(tag)")
            }
            // The webhook of the source tells of pushes from now on, and the trigger's rule stays the trigger's.
            try bed.git.write("tools/hello", "the next tools")
            let push = try await bed.push("the next")
            #expect(try await bed.service.wait(for: push.id).state == "finished")
            #expect(try await bed.hello("latest") == "the next")
            #expect(try await bed.hello("tools") == "the tools")
            #expect(!bed.service.log.contains(Self.token), "\(bed.service.log)")
            await bed.stop()
        }
    }
}
