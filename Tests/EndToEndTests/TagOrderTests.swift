import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Versions that come in another order than they rise.
    @Suite(.enabled(if: Machine.has("buildah", "docker-registry")))
    struct TagOrderTests {
        private static let rules = """
                rules:
                  - tag: '/^v([0-9]+)\\.([0-9]+)\\./'
                    tags: ['{\\1}.{\\2}', latest, '{tag}']
            """

        /// What a build says of each of its tags: nil where it moved, else why not.
        private func reasons(_ build: Service.BuildView) -> [String: String?] {
            let tags = build.json["tags"] as? [[String: Any]] ?? []
            return tags.reduce(into: [:]) { reasons, tag in
                guard let name = tag["name"] as? String else { return }
                reasons[name] = tag["moved"] as? Bool == true ? String?.none : tag["reason"] as? String ?? ""
            }
        }

        @Test(.timeLimit(.minutes(6)))
        func versionTagsMoveByVersion() async throws {
            let bed = try await Bed(rules: Self.rules)
            func release(_ tag: String, _ text: String) async throws -> Service.BuildView {
                try bed.write(text)
                let commit = try bed.git.commit("Release \(tag)")
                try bed.git.push("refs/tags/\(tag)", force: true)
                let reply = try await bed.tell("refs/tags/\(tag)", commit)
                let end = try await bed.service.wait(for: try #require(reply.builds.first).id)
                #expect(end.state == "finished", "\(end)")
                return end
            }
            let first = try await release("v1.4.2", "v1.4.2")
            #expect(reasons(first) == ["1.4": nil, "latest": nil, "v1.4.2": nil])

            let older = try await release("v1.4.1", "v1.4.1")
            let later = "it is at build \(first.id) (v1.4.2), a later version than v1.4.1"
            #expect(reasons(older) == ["1.4": later, "latest": later, "v1.4.1": nil])
            #expect(try await bed.service.log(of: older.id).contains("slipway: latest stays: \(later)\n"))
            #expect(try await bed.hello("latest") == "v1.4.2")
            #expect(try await bed.hello("1.4") == "v1.4.2")
            #expect(try await bed.hello("v1.4.1") == "v1.4.1")

            let candidate = try await release("v1.5.0-rc.1", "v1.5.0-rc.1")
            let stable = "it is at build \(first.id) (v1.4.2), a release, and v1.5.0-rc.1 is a prerelease"
            #expect(reasons(candidate) == ["1.5": nil, "latest": stable, "v1.5.0-rc.1": nil])

            // A Git tag that was moved.
            let again = try await release("v1.4.2", "again")
            #expect(reasons(again) == ["1.4": nil, "latest": nil, "v1.4.2": nil])
            #expect(try await bed.hello("latest") == "again")

            let shown = try await bed.service.request("GET", "/api/v1/repositories/acme/shop").object
            let tags = try #require(shown["tags"] as? [[String: Any]])
            #expect(
                tags.compactMap { $0["name"] as? String } == [
                    "1.4", "1.5", "latest", "v1.4.1", "v1.4.2", "v1.5.0-rc.1",
                ])
            #expect(tags.first?["build"] as? Int == again.id)
            #expect(tags.first?["digest"] as? String == again.digest)
            await bed.stop()
        }
    }
}
