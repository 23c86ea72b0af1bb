import Foundation
import TestSupport
import Testing

extension Service.BuildView {
    fileprivate var repository: String { json["repository"] as? String ?? "" }
}

extension EndToEnd {
    /// Base images that move in a real registry, and what a real engine builds of it.
    @Suite(.enabled(if: Machine.has("buildah", "docker-registry", "git")))
    struct BaseWatchTests {
        /// Repositories that stand on one another, each with a Dockerfile that appends its name to the text in `/hello`.
        private final class Stack {
            let bed: Bed
            private let folder: TemporaryDirectory
            private let projects: [String: GitProject]
            var service: Service { bed.service }

            /// - Parameter poll: of base images.
            init(_ names: String..., poll: String = "off", registry: RegistryServer? = nil, port: UInt16 = 0)
                async throws
            {
                folder = try TemporaryDirectory()
                bed = try await Bed(registry: registry, start: false)
                var (projects, lines) = ([String: GitProject](), "")
                for name in names {
                    let project = try GitProject(in: folder.path, name: name)
                    projects[name] = project
                    lines += """
                          acme/\(name):
                            source: \(project.bare)
                            image: \(bed.registry.host)/acme/\(name)
                            webhook_secret: "\(Bed.secret)"

                        """
                }
                self.projects = projects
                try bed.append(settings: lines + "base_poll: \(poll)")
                if port != 0 { try bed.replace("listen: 127.0.0.1:0", "listen: 127.0.0.1:\(port)") }
                try await bed.startService()
            }

            /// Puts an image there by hand, or in another's place.
            func place(_ name: String, _ text: String) async throws {
                try await bed.registry.pushImage("acme/\(name)", tag: "latest", files: ["hello": text])
            }

            /// A push whose image stands on others, built to its end.
            @discardableResult
            func push(
                _ name: String, on bases: String...
            ) async throws -> Service.BuildView {
                let git = try #require(projects[name])
                var lines = bases.enumerated().map { place, base in
                    "FROM \(bed.registry.host)/acme/\(base):latest AS base\(place)"
                }
                lines.append("FROM scratch")
                for (place, base) in bases.enumerated() { lines.append("COPY --from=base\(place) /hello /\(base)") }
                lines.append("COPY hello /hello")
                try git.write("Dockerfile", lines.joined(separator: "\n") + "\n")
                try git.write("hello", "\(name) \(UUID())")
                let commit = try git.commit("A push of \(name)")
                try git.push()
                let told = try await bed.tell("refs/heads/main", commit, repository: "acme/\(name)")
                let build = try #require(told.builds.first, "\(told.text)")
                return try await ended(build.id)
            }

            func ended(_ build: Int) async throws -> Service.BuildView {
                let end = try await service.wait(for: build)
                let log = try await service.log(of: build)
                #expect(end.state == "finished", "\(log)")
                return end
            }

            func builds() async throws -> [Service.BuildView] {
                try await service.request("GET", "/api/v1/builds?limit=100").builds.reversed()
            }

            /// Repository and cause of every build, oldest first: `a webhook`.
            func causes() async throws -> [String] {
                try await builds().map { build in
                    let kind = (build.json["cause"] as? [String: Any])?["kind"] as? String
                    return "\(build.repository.dropFirst("acme/".count)) \(kind ?? "?")"
                }
            }

            /// Waits for the build with this number, which the watch makes.
            func made(_ build: Int) async throws -> Service.BuildView {
                try await service.waitUntilItSays("build=\(build) ")
                return try await ended(build)
            }

            /// What a registry of ours, that goes by another name, would tell.
            func notify(_ name: String) async throws -> [String] {
                let target = #"{"repository": "acme/\#(name)", "tag": "latest"}"#
                let event = #"{"action": "push", "target": \#(target), "request": {"host": "registry:5000"}}"#
                let reply = try await service.request(
                    "POST", "/webhooks/registry", body: Data(#"{"events": [\#(event)]}"#.utf8))
                #expect(reply.status == 200, "\(reply.text)")
                return reply.object["looked_at"] as? [String] ?? []
            }

            func text(_ name: String, _ file: String) async throws -> String? {
                try await bed.registry.readFile(file, image: "acme/\(name)", tag: "latest")
                    .map { String(decoding: $0, as: UTF8.self) }
            }

            func stop() async { await bed.stop() }
        }

        @Test(.timeLimit(.minutes(6)))
        func whatStandsOnAMovedImageIsBuiltAgain() async throws {
            let stack = try await Stack("a", "b", poll: "10s")
            try await stack.place("x", "x1")
            try await stack.place("y", "y1")
            let a = try await stack.push("a", on: "x")
            try await stack.push("b", on: "y")
            try await stack.place("x", "x2")
            let build = try await stack.made(3)
            #expect(build.repository == "acme/a" && build.commit == a.commit)
            #expect(try await stack.text("a", "x") == "x2")
            #expect(try await stack.causes() == ["a webhook", "b webhook", "a base"])
            await stack.stop()
        }

        /// X moves: A stands on it, B on A, C on X and B. Each is built once, in that order.
        @Test(.timeLimit(.minutes(4)))
        func inOrderAndEachOnce() async throws {
            let stack = try await Stack("c", "b", "a")
            try await stack.place("x", "x1")
            try await stack.push("a", on: "x")
            try await stack.push("b", on: "a")
            try await stack.push("c", on: "b", "x")
            try await stack.place("x", "x2")
            #expect(try await stack.notify("x") == ["\(stack.bed.registry.host)/acme/x:latest"])
            for build in 4...6 { _ = try await stack.made(build) }
            // Nothing is behind them.
            #expect(try await stack.notify("x").count == 1)
            try await stack.push("a", on: "x")
            let all = ["a webhook", "b webhook", "c webhook", "a base", "b base", "c base", "a webhook"]
            let causes = try await stack.causes()
            #expect(Array(causes.prefix(7)) == all, "\(stack.service.log)")
            for (name, base) in [("b", "a"), ("c", "b")] {
                #expect(try await stack.text(name, base)?.hasPrefix(base) == true)
            }
            #expect(try await stack.text("c", "x") == "x2")
            await stack.stop()
        }

        @Test(.timeLimit(.minutes(6)))
        func aCircleEnds() async throws {
            let stack = try await Stack("a", "b")
            try await stack.place("b", "b0")
            try await stack.push("a", on: "b")
            try await stack.push("b", on: "a")
            // B's push makes A again, and then it is enough.
            _ = try await stack.made(3)
            try await stack.service.waitUntilItSays(
                "acme/b stands on itself by way of acme/a: it is not rebuilt again")
            #expect(try await stack.causes() == ["a webhook", "b webhook", "a base"])
            await stack.stop()
        }

        /// Nothing is looked at by itself; a notification is heeded all the same.
        @Test(.timeLimit(.minutes(6)))
        func aRegistryTellsOfIt() async throws {
            let port = try FreePort.pick()
            let registry = try await RegistryServer.start(notifying: "http://127.0.0.1:\(port)/webhooks/registry")
            let stack = try await Stack("a", registry: registry, port: port)
            try await stack.place("x", "x1")
            try await stack.push("a", on: "x")
            try await stack.place("x", "x2")
            let build = try await stack.made(2)
            #expect(build.repository == "acme/a")
            #expect(try await stack.text("a", "x") == "x2")
            await stack.stop()
        }
    }
}
