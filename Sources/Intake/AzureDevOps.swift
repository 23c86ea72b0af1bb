import Foundation
import Model

/// The service hooks of Azure DevOps (learn.microsoft.com, "Service hooks events").
struct AzureDevOps: GitHost {
    let name = "azure-devops"

    /// It sends no header of its own: whatever no other host has sent may be its.
    func sent(_ inbound: Inbound) -> Bool {
        BasicPassword.isThere(inbound) || inbound.body.prefix(4096).firstRange(of: Data("\"eventType\"".utf8)) != nil
    }

    /// The body's `id`, where it stands among the first fields; not looked for further on, since repositories have one
    /// too, and reading the whole body once more is not worth it.
    func delivery(_ inbound: Inbound) -> String? {
        let braces = inbound.body.prefix(512).split(separator: UInt8(ascii: "{"), omittingEmptySubsequences: false)
        guard braces.count > 1, let key = braces[1].firstRange(of: Data("\"id\"".utf8)) else { return nil }
        let value = String(decoding: braces[1][key.upperBound...], as: UTF8.self)
            .split(separator: "\"", maxSplits: 2, omittingEmptySubsequences: false)
        guard value.count == 3, value[0].trimmingCharacters(in: .whitespacesAndNewlines) == ":", !value[1].isEmpty
        else {
            return nil
        }
        return String(value[1])
    }

    func verify(_ inbound: Inbound, _ trust: Trust) throws { try BasicPassword.check(inbound, trust) }

    func read(_ inbound: Inbound) throws -> Webhook {
        let payload: Payload
        do {
            payload = try JSONDecoder().decode(Payload.self, from: inbound.body)
        } catch {
            throw IntakeError.unreadable(
                Unreadable.sentence(inbound.body, error, wanted: "a service hook's event of Azure DevOps"))
        }
        let event = payload.eventType
        guard event == "git.push" else {
            return Webhook(event: event, reasons: ["event \"\(event.excerpt())\" builds nothing; only git.push does"])
        }
        var webhook = Webhook(event: event, addresses: payload.resource?.repository?.addresses ?? [])
        guard let resource = payload.resource, let updates = resource.refUpdates else {
            webhook.reasons = [
                "the event does not tell what was pushed; set the subscription's \"Resource details to send\" to All"
            ]
            return webhook
        }
        if updates.isEmpty { webhook.reasons = ["the push changed no branch and no tag"] }
        for update in updates { try webhook.add(resource.told(update)) }
        return webhook
    }

    private struct Payload: Decodable {
        struct Resource: Decodable {
            struct Commit: Decodable {
                struct Author: Decodable {
                    var name: String?
                }
                var commitId: String
                var comment: String?
                var author: Author?
            }
            struct Update: Decodable {
                var name: String
                var oldObjectId: String?
                var newObjectId: String
            }
            var commits: [Commit]?
            /// Nil where the subscription sends few details, or none.
            var refUpdates: [Update]?
            var repository: Repository?

            func told(_ update: Update) -> Webhook.Change {
                let isTag = RefName.isTag(update.name)
                let commit = commits?.first { $0.commitId == update.newObjectId }
                let branch = repository?.defaultBranch.map {
                    $0.hasPrefix("refs/heads/") ? String($0.dropFirst(11)) : $0
                }
                return Webhook.Change(
                    // A tag's object may be no commit, but a tag object.
                    ref: update.name, commit: isTag ? nil : update.newObjectId,
                    before: isTag ? nil : update.oldObjectId,
                    isDeletion: update.newObjectId.allSatisfy { $0 == "0" }, message: commit?.comment,
                    author: commit?.author?.name, defaultBranch: branch)
            }
        }
        var eventType: String
        var resource: Resource?
    }

    private struct Repository: Decodable {
        struct Project: Decodable {
            var name: String?
        }
        var name: String?
        var project: Project?
        var defaultBranch: String?
        var remoteUrl: String?
        var sshUrl: String?

        /// As told, and in the forms that dev.azure.com and the older visualstudio.com have beside it.
        var addresses: [String] {
            guard let remoteUrl else { return sshUrl.map { [$0] } ?? [] }
            guard let remote = WebAddress(remoteUrl) else { return [remoteUrl] }
            var addresses = [remote.text]
            let isOld = remote.host.lowercased().hasSuffix(".visualstudio.com")
            let organization = isOld ? remote.host.split(separator: ".").first : remote.path.split(separator: "/").first
            if isOld || remote.host.lowercased() == "dev.azure.com", let organization,
                let project = project?.name?.addingPercentEncoding(withAllowedCharacters: Self.unescaped),
                let name = name?.addingPercentEncoding(withAllowedCharacters: Self.unescaped)
            {
                addresses += [
                    "https://dev.azure.com/\(organization)/\(project)/_git/\(name)",
                    "git@ssh.dev.azure.com:v3/\(organization)/\(project)/\(name)",
                ]
            }
            return (addresses + (sshUrl.map { [$0] } ?? [])).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
        }

        private static let unescaped = CharacterSet.urlPathAllowed.subtracting(CharacterSet(charactersIn: "/"))
    }
}
