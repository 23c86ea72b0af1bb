import Foundation
import Queue

/// What is mutated: real payloads where they lie beside the project, and small ones of the project's own.
enum Corpus {
    private struct Host {
        var name: String
        var folder: String
        var proof: Proof
        var headers: @Sendable (_ file: String) -> [Header]
        var takesForms = false
    }

    private static let hosts: [Host] = [
        Host(
            name: "github", folder: "github",
            proof: .hmac(header: "X-Hub-Signature-256", prefix: "sha256=", ofJSON: false),
            headers: {
                [
                    Header("X-GitHub-Event", event($0)),
                    Header("X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958"),
                ]
            }, takesForms: true),
        Host(
            name: "gitea", folder: "gitea", proof: .hmac(header: "X-Gitea-Signature", prefix: "", ofJSON: true),
            headers: {
                [
                    Header("X-Gitea-Event", event($0)), Header("X-Gogs-Event", event($0)),
                    Header("X-GitHub-Event", event($0)),
                ]
            }, takesForms: true),
        Host(
            name: "forgejo", folder: "forgejo", proof: .hmac(header: "X-Forgejo-Signature", prefix: "", ofJSON: true),
            headers: { [Header("X-Forgejo-Event", event($0)), Header("X-Gitea-Event", event($0))] }, takesForms: true),
        Host(
            name: "gogs", folder: "gogs", proof: .hmac(header: "X-Gogs-Signature", prefix: "", ofJSON: true),
            headers: { [Header("X-Gogs-Event", event($0)), Header("X-GitHub-Event", event($0))] }, takesForms: true),
        Host(
            name: "gitlab", folder: "gitlab", proof: .gitlab,
            headers: {
                let isTag = $0.hasPrefix("tag")
                let event = isTag ? "Tag Push Hook" : $0.hasPrefix("system") ? "System Hook" : "Push Hook"
                return [Header("X-Gitlab-Event", event)]
            }),
        Host(
            name: "bitbucket-cloud", folder: "bitbucket-cloud",
            proof: .hmac(header: "X-Hub-Signature", prefix: "sha256=", ofJSON: false),
            headers: { _ in [Header("X-Event-Key", "repo:push"), Header("X-Hook-UUID", "{1}")] }),
        Host(
            name: "bitbucket-server", folder: "bitbucket-server",
            proof: .hmac(header: "X-Hub-Signature", prefix: "sha256=", ofJSON: false),
            headers: {
                [Header("X-Event-Key", $0.hasPrefix("diagnostics") ? "diagnostics:ping" : "repo:refs_changed")]
            }),
        Host(name: "azure-devops", folder: "azure-devops", proof: .basic, headers: { _ in [] }),
        Host(name: "codecommit", folder: "aws-codecommit", proof: .topic, headers: { _ in [] }),
    ]

    /// `push`, of `push-branch-1.json`.
    private static func event(_ file: String) -> String { String(file.prefix { $0 != "-" }) }

    /// - Parameter folder: the real payloads' folder; nil leaves them out.
    /// - Throws: where there is no such folder.
    static func samples(_ folder: String?) throws -> [Sample] {
        var samples = triggers
        for host in hosts {
            var bodies = own[host.name, default: []].enumerated().map { ("push-own-\($0).json", Data($1.utf8)) }
            if let folder { bodies += try real(folder + "/" + host.folder) }
            for (file, body) in bodies {
                for (path, isForm) in [
                    ("/webhooks/acme/shop", false), ("/webhooks", false), ("/webhooks/acme/shop", true),
                ]
                where host.takesForms || !isForm {
                    samples.append(
                        Sample("\(host.name)/\(file)", path, host.headers(file), body, isForm: isForm, host.proof))
                }
            }
        }
        return samples
    }

    /// The files with what the hosts' own readers begin with: of a form its payload, of Amazon's message its text.
    private static func real(_ folder: String) throws -> [(file: String, payload: Data)] {
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted().compactMap { file in
            guard var body = FileManager.default.contents(atPath: "\(folder)/\(file)") else { return nil }
            if file.hasSuffix(".form") {
                let payload = String(decoding: body, as: UTF8.self).split(separator: "&").first {
                    $0.hasPrefix("payload=")
                }
                body = Data((payload?.dropFirst(8).replacing("+", with: "%20").removingPercentEncoding ?? "").utf8)
            } else if let fields = (try? JSONSerialization.jsonObject(with: body)) as? [String: Any],
                let text = fields["Message"] as? String
            {
                body = Data(text.utf8)
            }
            return (file, body)
        }
    }

    /// The triggers' three addresses, and the builds that are asked for by name.
    private static var triggers: [Sample] {
        let addresses: [(name: String, path: String, proof: Proof)] = [
            ("trigger", "/triggers/{token}", .address), ("classic", "/u/acme/shop/trigger/{token}/", .address),
            ("source", "/api/build/v1/source/0f0e/trigger/{token}/call/", .address),
            ("api", "/api/v1/repositories/acme/shop/builds", .bearer),
        ]
        return addresses.flatMap { address in
            triggerBodies.enumerated().map { index, body in
                let headers = index % 2 == 0 ? [Header("Accept", "application/json")] : []
                return Sample("\(address.name)/\(index)", address.path, headers, Data(body.utf8), address.proof)
            }
        }
    }
}
