import Foundation
import Platform

/// A request that a sender could make, and how it proves itself.
struct Sample: Sendable {
    /// How a body is proved, in the headers that its sender adds.
    enum Proof: Sendable {
        /// `prefix` and the hexadecimal HMAC-SHA256.
        case hmac(header: String, prefix: String)
        /// The secret itself, whatever the body is.
        case secret(header: String, value: String)
        /// Amazon's, which nobody can make here.
        case none
    }

    static let secret = "known to both sides of the line"

    var name: String
    var path: String
    var headers: [(name: String, value: String)]
    var body: Data
    var proof: Proof

    /// The headers with a proof of this body.
    func proved(_ body: Data) -> [(name: String, value: String)] {
        switch proof {
        case .hmac(let header, let prefix):
            headers + [(header, prefix + Crypto.hmacSHA256(key: Data(Self.secret.utf8), body).hex)]
        case .secret(let header, let value): headers + [(header, value)]
        case .none: headers
        }
    }

    /// Whether these headers prove this body, found out in the plainest way.
    func isProved(_ headers: [(name: String, value: String)], _ body: Data) -> Bool {
        switch proof {
        case .hmac(_, let prefix):
            // Hosts differ in the header, so a proof in any header counts here.
            let digest = Crypto.hmacSHA256(key: Data(Self.secret.utf8), body).hex
            return headers.contains { $0.value.lowercased() == prefix + digest || $0.value.lowercased() == digest }
        case .secret(_, let value): return headers.contains { $0.value == value }
        case .none: return false
        }
    }
}

/// What is mutated: real payloads where they lie beside the project, and small ones of the project's own.
enum Corpus {
    private struct Host {
        var name: String
        var folder: String
        var proof: Sample.Proof
        var headers: @Sendable (_ file: String) -> [(name: String, value: String)]
    }

    private static let basic = "Basic " + Data("anybody:\(Sample.secret)".utf8).base64EncodedString()

    private static let hosts: [Host] = [
        Host(name: "github", folder: "github", proof: .hmac(header: "X-Hub-Signature-256", prefix: "sha256=")) {
            [("X-GitHub-Event", event($0)), ("X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958")]
        },
        Host(name: "gitea", folder: "gitea", proof: .hmac(header: "X-Gitea-Signature", prefix: "")) {
            [("X-Gitea-Event", event($0)), ("X-Gogs-Event", event($0)), ("X-GitHub-Event", event($0))]
        },
        Host(name: "forgejo", folder: "forgejo", proof: .hmac(header: "X-Forgejo-Signature", prefix: "")) {
            [("X-Forgejo-Event", event($0)), ("X-Gitea-Event", event($0)), ("X-GitHub-Event", event($0))]
        },
        Host(name: "gogs", folder: "gogs", proof: .hmac(header: "X-Gogs-Signature", prefix: "")) {
            [("X-Gogs-Event", event($0)), ("X-GitHub-Event", event($0))]
        },
        Host(name: "gitlab", folder: "gitlab", proof: .secret(header: "X-Gitlab-Token", value: Sample.secret)) {
            [
                (
                    "X-Gitlab-Event",
                    $0.hasPrefix("tag") ? "Tag Push Hook" : $0.hasPrefix("system") ? "System Hook" : "Push Hook"
                )
            ]
        },
        Host(name: "bitbucket", folder: "bitbucket-cloud", proof: .hmac(header: "X-Hub-Signature", prefix: "sha256=")) {
            _ in
            [("X-Event-Key", "repo:push"), ("X-Hook-UUID", "{1}"), ("X-Request-UUID", "{2}")]
        },
        Host(
            name: "bitbucket-server", folder: "bitbucket-server",
            proof: .hmac(header: "X-Hub-Signature", prefix: "sha256=")
        ) {
            [
                ("X-Event-Key", $0.hasPrefix("diagnostics") ? "diagnostics:ping" : "repo:refs_changed"),
                ("X-Request-Id", "3"),
            ]
        },
        Host(name: "azure-devops", folder: "azure-devops", proof: .secret(header: "Authorization", value: basic)) { _ in
            []
        },
        Host(name: "codecommit", folder: "aws-codecommit", proof: .none) { _ in
            [("x-amz-sns-message-type", "Notification"), ("Content-Type", "text/plain; charset=UTF-8")]
        },
    ]

    /// `push`, of `push-branch-1.json`.
    private static func event(_ file: String) -> String { String(file.prefix { $0 != "-" }) }

    private static let commit = String(repeating: "c0", count: 20)

    /// Written by hand, for where nothing lies beside the project.
    private static let own: [String: String] = [
        "github":
            #"{"ref":"refs/heads/main","before":"0","after":"\#(commit)","head_commit":{"id":"\#(commit)","message":"m"},"repository":{"clone_url":"https://git.example.com/acme/shop.git"}}"#,
        "gitea":
            #"{"ref":"refs/heads/main","after":"\#(commit)","commits":[{"id":"\#(commit)"}],"repository":{"clone_url":"https://git.example.com/acme/shop.git"}}"#,
        "forgejo": #"{"ref":"refs/tags/v1","after":"\#(commit)","head_commit":{"id":"\#(commit)"},"repository":{}}"#,
        "gogs": #"{"ref":"refs/heads/main","after":"\#(commit)","commits":null,"repository":{}}"#,
        "gitlab":
            #"{"object_kind":"push","event_name":"push","ref":"refs/heads/main","after":"\#(commit)","checkout_sha":"\#(commit)","commits":[{"id":"\#(commit)","message":"m"}],"project":{"git_http_url":"https://git.example.com/acme/shop.git"}}"#,
        "bitbucket":
            #"{"push":{"changes":[{"new":{"type":"branch","name":"main","target":{"hash":"\#(commit)"}},"old":null}]},"repository":{"full_name":"acme/shop"}}"#,
        "bitbucket-server":
            #"{"changes":[{"ref":{"id":"refs/heads/main","type":"BRANCH"},"refId":"refs/heads/main","toHash":"\#(commit)","type":"UPDATE"}],"repository":{"slug":"shop"}}"#,
        "azure-devops":
            #"{"eventType":"git.push","resource":{"refUpdates":[{"name":"refs/heads/main","newObjectId":"\#(commit)"}],"repository":{"remoteUrl":"https://git.example.com/acme/shop"}}}"#,
        "codecommit":
            #"{"Type":"Notification","MessageId":"1","TopicArn":"arn:aws:sns:eu-west-1:123456789012:t","Message":"{}","SignatureVersion":"1","Signature":"AA==","SigningCertURL":"https://sns.eu-west-1.amazonaws.com/x.pem"}"#,
    ]

    private static let triggers = [
        "", #"{"build": true}"#, #"{"docker_tag": "latest"}"#, #"{"source_type": "Branch", "source_name": "main"}"#,
        #"{"branch": "main", "force": true, "build_args": {"A": "b"}}"#, "build=true", "source_type=Tag&source_name=v1",
    ]

    /// - Parameter folder: the real payloads' folder; nil or missing leaves them out.
    static func samples(_ folder: String?) -> [Sample] {
        var samples: [Sample] = []
        for host in hosts {
            var bodies = own[host.name].map { [("push-own.json", Data($0.utf8))] } ?? []
            if let folder {
                let place = "\(folder)/\(host.folder)"
                for file in ((try? FileManager.default.contentsOfDirectory(atPath: place)) ?? []).sorted() {
                    if let body = FileManager.default.contents(atPath: "\(place)/\(file)") {
                        bodies.append((file, body))
                    }
                }
            }
            for (file, body) in bodies {
                let type = file.hasSuffix(".form") ? "application/x-www-form-urlencoded" : "application/json"
                for path in ["/webhooks/acme/shop", "/webhooks"] {
                    samples.append(
                        Sample(
                            name: "\(host.name)/\(file)", path: path,
                            headers: [("Content-Type", type)] + host.headers(file), body: body, proof: host.proof))
                }
            }
        }
        // An address that holds a token proves it; one that holds another doesn't, whatever the body.
        for body in triggers {
            let path = "/triggers/not-the-token-of-anybody-here"
            samples.append(
                Sample(
                    name: "trigger", path: path, headers: [("Content-Type", "application/json")], body: Data(body.utf8),
                    proof: .none))
        }
        return samples
    }

    static let triggerToken = "the-token-of-acme-shop-for-triggers"
    static var triggerBodies: [Data] { triggers.map { Data($0.utf8) } }
}
