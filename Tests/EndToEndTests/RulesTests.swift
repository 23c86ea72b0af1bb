import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// `slipway rules` on a real repository and beside a running service.
    @Suite(.enabled(if: Machine.has("docker-registry", "git")))
    struct RulesTests {
        private static let rules = #"""
                rules:
                  - {branch: main, tags: [latest, '{sha7}'], paths: [shop/**]}
                  - {tag: '/^v([0-9]+)\.([0-9]+)$/', tags: ['{\1}', '{\1}.{\2}'], dockerfile: shop/Dockerfile}
            """#

        private func rules(_ bed: Bed, _ arguments: String...) async throws -> String {
            try await Command.run(
                Service.program, ["rules", "acme/shop", "--config", bed.config] + arguments,
                environment: ["SLIPWAY_URL": bed.service.url])
        }

        @Test(.timeLimit(.minutes(6)))
        func whatEachRuleMakesAndWhy() async throws {
            let bed = try await Bed(workers: 0, rules: Self.rules)
            try bed.write("one")
            let commit = try bed.git.commit()
            try bed.git.push()
            try bed.git.git("tag", "-a", "v1.4", "-m", "Annotated")
            try bed.git.git("tag", "notes")
            try bed.git.git("push", "-q", "origin", "v1.4", "notes")
            _ = try await bed.tell("refs/tags/v1.4", commit)

            // A name that need not exist.
            let free = try await rules(bed, "--tag", "v2.0")
            #expect(free.contains("tag v2.0 is not in \(bed.git.bare) now"), "\(free)")
            #expect(free.contains("rule 1: no: it builds branches, not tag \"v2.0\""), "\(free)")
            #expect(free.contains("tags        \(bed.image):2 \(bed.image):2.0"), "\(free)")
            #expect(free.contains("dockerfile  shop/Dockerfile") && !free.contains("known"), "\(free)")
            // Where it is, what it would be called, and what it waits for.
            let main = try await rules(bed, "--branch", "main")
            #expect(main.contains("branch main is at \(commit)"), "\(main)")
            #expect(main.contains("\(bed.image):\(commit.prefix(7))"), "\(main)")
            #expect(main.contains("only if a push changes  shop/**"), "\(main)")
            // What is there already, by the tag's commit rather than its object.
            let known = try await rules(bed, "--tag", "v1.4")
            #expect(known.contains("known       build 1 is of this commit (pending)"), "\(known)")

            let table = try await rules(bed, "--all").split(separator: "\n").map(String.init)
            #expect(table.count == 4, "\(table)")
            for (line, words) in zip(
                table,
                [
                    ["REF", "BUILD"], ["main", "latest", "would be built"], ["notes", "no rule"],
                    ["v1.4", "1 pending"],
                ])
            {
                for word in words { #expect(line.contains(word), "\(word): \(line)") }
            }
            let json = try await rules(bed, "--all", "--json")
            let list = try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [[String: Any]])
            #expect(
                list.compactMap { $0["ref"] as? String } == ["refs/heads/main", "refs/tags/notes", "refs/tags/v1.4"])
            #expect(list.allSatisfy { $0["commit"] as? String == commit }, "\(json)")
            let outcomes = try #require(list.last?["rules"] as? [[String: Any]])
            #expect(
                outcomes.last?["build"] as? Int == 1 && outcomes.last?["tags"] as? [String] == ["1", "1.4"], "\(json)")

            // Without the service and the repository: what the settings alone can say.
            await bed.service.stop()
            try FileManager.default.removeItem(atPath: bed.git.bare)
            let offline = try await rules(bed, "--tag", "v1.4", "--offline")
            #expect(offline.hasPrefix("rule 1: no") && offline.contains(":1.4"), "\(offline)")
            let failed = await #expect(throws: Command.Failed.self) { try await rules(bed, "--all") }
            #expect(failed?.errors.contains(bed.git.bare) == true, "\(failed?.errors ?? "")")
            await bed.stop()
        }
    }
}
