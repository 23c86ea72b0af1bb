import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// What proves a webhook, while it changes and where nothing is asked for.
    @Suite(.enabled(if: Machine.has("docker-registry", "git")))
    struct WebhookSecretTests {
        private static let secrets = ["the secret of last year", "the secret of this year"]

        private func push(_ digit: String, secret: String) -> SentWebhook {
            let commit = String(repeating: digit, count: 40)
            let moved = Moved(ref: "refs/heads/main", commit: commit, object: commit)
            return SendingHost.gitHub("push", SendingHost.push([moved]), secret: secret)
        }

        @Test(.timeLimit(.minutes(6)))
        func oneTakesAnothersPlace() async throws {
            let bed = try await Bed(workers: 0, start: false)
            try bed.append(settings: "limits: {delay: 0ms}")
            let list = "[\"\(Self.secrets[0])\", \"\(Self.secrets[1])\"]"
            try bed.replace("webhook_secret: \"\(Bed.secret)\"", "webhook_secret: \(list)")
            try await bed.startService()
            for (digit, secret) in zip(["a", "b"], Self.secrets) {
                let reply = try await bed.post(push(digit, secret: secret))
                #expect(reply.status == 202 && reply.builds.count == 1, "\(reply.text)")
            }
            #expect(try await bed.post(push("c", secret: Bed.secret)).status == 401)

            await bed.service.stop()
            try bed.replace(list, "\"\(Self.secrets[1])\"")
            try await bed.startService()
            let refused = try await bed.post(push("d", secret: Self.secrets[0]))
            #expect(refused.status == 401, "\(refused.text)")
            #expect((refused.object["detail"] as? String)?.contains("does not fit the webhook_secret") == true)
            let taken = try await bed.post(push("d", secret: Self.secrets[1]))
            #expect(taken.status == 202 && taken.builds.count == 1, "\(taken.text)")
            #expect(try await bed.service.request("GET", "/api/v1/builds").builds.count == 3)
            #expect(!Self.secrets.contains { bed.service.log.contains($0) || refused.text.contains($0) })
            await bed.stop()
        }

        @Test(.timeLimit(.minutes(6)))
        func noProofIsAskedForWhereTheSettingsSaySo() async throws {
            let bed = try await Bed(workers: 0, start: false)
            try bed.append(
                settings: "  acme/open:\n    source: \(bed.git.bare)\n    image: localhost:5000/acme/open\n"
                    + "    verify_webhooks: false\nlimits: {delay: 0ms}\n")
            try await bed.startService()
            var unsigned = push("a", secret: "")
            for header in unsigned.headers.keys where header.hasPrefix("X-Hub-Signature") {
                unsigned.headers[header] = nil
            }
            for sent in [unsigned, push("b", secret: "wrong")] {
                let reply = try await bed.post(sent, to: "/webhooks/acme/open")
                #expect(reply.status == 202 && reply.builds.count == 1, "\(reply.text)")
                // Of this repository alone.
                #expect(try await bed.post(sent).status == 401)
                #expect(try await bed.post(sent, to: "/webhooks").status == 401)
            }
            #expect(bed.service.log.contains("verify_webhooks is false: webhooks of anybody"))
            await bed.stop()
        }
    }
}
