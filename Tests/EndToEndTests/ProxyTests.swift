import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Behind nginx, as most services are: callers are known by their own address, not by the proxy's.
    @Suite(.enabled(if: Machine.has("nginx", "curl", "docker-registry", "git")))
    struct ProxyTests {
        private static func nginx(_ folder: TemporaryDirectory, before service: String) async throws -> (Daemon, UInt16)
        {
            let port = try FreePort.pick()
            let path = folder.path + "/nginx"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            let configuration = try folder.write(
                """
                daemon off;
                worker_processes 1;
                \(getuid() == 0 ? "user root;" : "")
                pid \(path)/nginx.pid;
                events { worker_connections 64; }
                http {
                  access_log off;
                  client_body_temp_path \(path)/body; proxy_temp_path \(path)/proxy; fastcgi_temp_path \(path)/fastcgi;
                  uwsgi_temp_path \(path)/uwsgi; scgi_temp_path \(path)/scgi;
                  server {
                    listen 127.0.0.1:\(port);
                    location / {
                      proxy_pass \(service);
                      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
                    }
                  }
                }
                """, to: "nginx.conf")
            let server = try Daemon(
                "nginx", ["-p", path, "-e", path + "/error.log", "-c", configuration], log: path + "/log")
            try await server.waitUntilReady(port: port)
            return (server, port)
        }

        /// The status of a webhook sent through the proxy from one of this machine's own addresses.
        private static func curl(
            _ sent: SentWebhook, from address: String, port: UInt16, more: [String: String] = [:]
        ) async throws -> String {
            let headers = sent.headers.merging(more) { $1 }.flatMap { ["-H", "\($0): \($1)"] }
            return try await Command.run(
                "curl",
                ["-s", "-o", "/dev/null", "-w", "%{http_code}", "--interface", address, "--data-binary", "@-"]
                    + headers + ["http://127.0.0.1:\(port)/webhooks/acme/shop"], input: sent.body)
        }

        @Test(.timeLimit(.minutes(6)))
        func guessesCountForWhoMadeThem() async throws {
            let bed = try await Bed(
                workers: 0, more: "trusted_proxies: [127.0.0.1]\nlimits: {per_address: 2/h, delay: 0s}")
            let (nginx, port) = try await Self.nginx(bed.folder, before: bed.service.url)
            let commit = String(repeating: "c3", count: 20)
            let right = SendingHost.gitHub(
                "push", SendingHost.push([Moved(ref: "refs/heads/main", commit: commit, object: commit)]))
            let wrong = right.adding(["X-Hub-Signature-256": "sha256=" + String(repeating: "0", count: 64)])
            let (guesser, other) = ("127.0.0.2", "127.0.0.3")

            for status in ["401", "401", "429"] {
                #expect(try await Self.curl(wrong, from: guesser, port: port) == status)
            }
            // What the caller says of itself is in front of what the proxy says of it.
            let forged = try await Self.curl(wrong, from: guesser, port: port, more: ["X-Forwarded-For": "192.0.2.7"])
            #expect(forged == "429")
            #expect(try await Self.curl(wrong, from: other, port: port) == "401")
            // A right signature is no guess, even of who guessed too often.
            #expect(try await Self.curl(right, from: guesser, port: port) == "202")
            let deliveries = try await bed.service.request("GET", "/api/v1/deliveries?repository=acme/shop").object
            let list = try #require(deliveries["deliveries"] as? [[String: Any]])
            #expect(list.first?["remote_address"] as? String == guesser, "\(list)")
            nginx.stop()
            await bed.stop()
        }
    }
}
