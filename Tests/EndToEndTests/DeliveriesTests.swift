import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Deliveries and retries, with the program that people use.
    @Suite(.enabled(if: Machine.has("buildah", "docker-registry")))
    struct DeliveriesTests {
        private static let rules = """
                rules:
                  - branch: main
                    tags: latest
                  - tag: '/^v([0-9]+)$/'
                    tags: '{\\1}'
            """

        @Test(.timeLimit(.minutes(6)))
        func listedShownAndTakenAgain() async throws {
            let bed = try await Bed(workers: 0, rules: Self.rules)
            let commit = String(repeating: "c3", count: 20)
            _ = try await bed.tell("refs/heads/main", commit)
            _ = try await bed.tell("refs/tags/V1", commit)
            _ = try await bed.service.request(
                "POST", "/triggers/\(Bed.triggerToken)", body: Data("{\"branch\": \"main\"}".utf8))

            let table = try await bed.slipway("deliveries").split(separator: "\n").map(String.init)
            #expect(table.count == 4, "\(table)")
            #expect(table.first?.hasPrefix("ID ") == true)
            #expect(table.dropFirst().first?.contains("github push") == true, "\(table)")
            #expect(table.dropFirst().first?.hasSuffix("build 1") == true, "\(table)")
            #expect(table.dropFirst(2).first?.contains("it builds branches, not tag \"V1\"") == true, "\(table)")
            #expect(table.last?.contains("trigger") == true, "\(table)")
            #expect(try await bed.slipway("deliveries", "acme/shop", "--kind", "trigger").contains("trigger"))
            #expect(try await !bed.slipway("deliveries", "acme/shop", "--kind", "trigger").contains("github"))

            let tag = try #require(table[2].split(separator: " ").first.map(String.init))
            #expect(tag.count == 8)
            let shown = try await bed.slipway("delivery", tag)
            #expect(shown.contains("rule 2: /^v([0-9]+)$/ does not match tag \"V1\""), "\(shown)")
            #expect(shown.contains("X-Hub-Signature-256: •••"), "\(shown)")
            #expect(shown.contains("\"refs\\/tags\\/V1\"") || shown.contains("\"refs/tags/V1\""), "\(shown)")
            let json = try await bed.slipway("delivery", tag, "--json")
            let delivery = try #require(
                try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
            #expect((delivery["id"] as? String)?.hasSuffix(tag) == true)
            #expect((delivery["body"] as? String)?.contains("V1") == true)

            // The settings changed: what built nothing then builds now.
            await bed.service.stop()
            try bed.replace("/^v([0-9]+)$/", "/^[vV]([0-9]+)$/")
            try await bed.startService()
            let again = try await bed.slipway("delivery", tag, "--redeliver")
            #expect(again.contains("pending") && again.contains("V1"), "\(again)")
            #expect(try await bed.refusal(2, "delivery", tag, "--redeliver").contains("nothing was started"))
            #expect(try await bed.slipway("delivery", tag, "--redeliver", "--force").contains("pending"))

            #expect(try await bed.refusal(1, "delivery", "xyz").contains("is not a delivery's id"))
            #expect(try await bed.refusal(1, "delivery", tag, "--force").contains("--redeliver"))
            let none = String(repeating: "f", count: 32)
            #expect(try await bed.refusal(2, "delivery", none).contains("there is no delivery"))
            #expect(try await bed.refusal(2, "delivery", "fffffff").contains("none of the latest"))
            await bed.stop()
        }

        @Test(.timeLimit(.minutes(6)))
        func retried() async throws {
            let bed = try await Bed()
            try bed.write("one", "FROM scratch\nCOPY gone /\n")
            let commit = try bed.git.commit()
            try bed.git.push()
            let build = try #require(try await bed.tell("refs/heads/main", commit).builds.first)
            #expect(try await bed.service.wait(for: build.id).state == "failed")
            // The same commit fails again, under a number of its own.
            #expect(try await bed.refusal(3, "retry", "1", "--wait").contains("build 2  failed"))
            let good = try await bed.push("two")
            #expect(try await bed.service.wait(for: good.id).state == "finished")
            let before = try await bed.service.build(good.id)
            let json = try await bed.slipway("retry", "\(good.id)", "--wait", "--json")
            let retried = try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
            #expect(retried["state"] as? String == "finished")
            #expect(retried["commit"] as? String == before.commit)
            #expect(try await bed.hello("latest") == "two")
            #expect(try await bed.refusal(2, "retry", "99").contains("there is no build"))
            #expect(try await bed.refusal(1, "retry", "x").contains("not the number"))
            #expect(try await bed.slipway("deliveries", "--kind", "retry").contains("build \(good.id + 1)"))
            await bed.stop()
        }
    }
}
