import Foundation
import Platform

/// Says which requests prove themselves, found out in the plainest way from what the hosts document, and not with the
/// service's own code.
enum Judge {
    static func isProved(_ request: Request) -> Bool {
        let address = request.path.prefix { $0 != "?" }
        let parts = address.split(separator: "/").map { $0.removingPercentEncoding ?? "" }
        switch parts.first {
        case "webhooks": return host(request)
        case "triggers": return parts.dropFirst().first == Secrets.trigger
        case "u": return parts.count == 5 && parts[4] == Secrets.trigger
        case "api" where parts.dropFirst().first == "build":
            return parts.count == 8 && parts[6] == Secrets.trigger
        case "api":
            let words = (request.header("Authorization") ?? "").split(separator: " ")
            return words.count == 2 && words[0].lowercased() == "bearer" && words[1] == Secrets.access
        default: return false
        }
    }

    /// Each by its own rule alone; the first whose header is there is the sender.
    private static func host(_ request: Request) -> Bool {
        let signed = json(request)
        func has(_ header: String) -> Bool { request.header(header) != nil }
        if has("X-Forgejo-Event") { return code(request.header("X-Forgejo-Signature"), "", signed) }
        if has("X-Gitea-Event") { return code(request.header("X-Gitea-Signature"), "", signed) }
        if has("X-Gogs-Event") { return code(request.header("X-Gogs-Signature"), "", signed) }
        if has("X-GitHub-Event") { return code(request.header("X-Hub-Signature-256"), "sha256=", request.body) }
        if has("X-Gitlab-Event") { return gitlab(request) }
        if let event = request.header("X-Event-Key") {
            let isCloud =
                event == "repo:push" || has("X-Hook-UUID")
                || request.header("User-Agent")?.hasPrefix("Bitbucket-Webhooks/") == true
            if !isCloud, !has("X-Hub-Signature") { return password(request) }
            return code(request.header("X-Hub-Signature"), "sha256=", request.body)
        }
        if let type = request.header("x-amz-sns-message-type") { return message(request, type) }
        return password(request)
    }

    private static func code(_ value: String?, _ prefix: String, _ signed: Data?) -> Bool {
        guard let value, let signed, value.utf8.starts(with: prefix.utf8) else { return false }
        let digits = value.dropFirst(prefix.count).lowercased()
        return Secrets.shared.contains { digits == Crypto.hmacSHA256(key: Data($0.utf8), signed).hex }
    }

    /// What Gitea, Forgejo and Gogs sign; nil where a form holds none.
    private static func json(_ request: Request) -> Data? {
        guard request.header("Content-Type")?.lowercased().hasPrefix("application/x-www-form-urlencoded") == true
        else { return request.body }
        // Searched as bytes: of the longest forms not even the pieces fit into memory.
        let (body, mark) = (request.body, Data("payload=".utf8))
        var rest = body[...]
        while let found = rest.range(of: mark, options: .backwards) {
            rest = body[..<found.lowerBound]
            guard rest.isEmpty || rest.last == UInt8(ascii: "&") else { continue }
            let value = body[found.upperBound...].prefix { $0 != UInt8(ascii: "&") }
            return Request.decoded(value)
        }
        return nil
    }

    private static func gitlab(_ request: Request) -> Bool {
        let token = Array((request.header("X-Gitlab-Token") ?? "").utf8)
        if Secrets.shared.contains(where: { !$0.hasPrefix("whsec_") && Array($0.utf8) == token }) { return true }
        guard let id = request.header("webhook-id"), !id.isEmpty, let time = request.header("webhook-timestamp"),
            let seconds = Int(time), (Target.now - 300...Target.now + 300).contains(seconds)
        else { return false }
        let code = Crypto.hmacSHA256(key: Secrets.key, Data("\(id).\(time).".utf8) + request.body)
        return (request.header("webhook-signature") ?? "").split(separator: " ").contains {
            $0.hasPrefix("v1,") && Data(base64Encoded: String($0.dropFirst(3))) == code
        }
    }

    private static func password(_ request: Request) -> Bool {
        guard let value = request.header("Authorization"), value.lowercased().hasPrefix("basic "),
            let login = Data(base64Encoded: value.dropFirst(6).trimmingCharacters(in: .whitespaces)),
            let colon = login.firstIndex(of: UInt8(ascii: ":"))
        else { return false }
        return Secrets.shared.contains { Data($0.utf8) == login[(colon + 1)...] }
    }

    nonisolated(unsafe) private static let certificate =
        #/https://sns\.eu-west-1\.amazonaws\.com(:443)?/[^?#]*\.pem/#

    private static func message(_ request: Request, _ type: String) -> Bool {
        guard request.body.count <= 1 << 20, case .object(let members)? = JSON(request.body) else { return false }
        var fields: [String: String] = [:]
        for member in members {
            if case .text(let text) = member.value { fields[member.name] = text }
        }
        guard fields["Type"] == type, fields["TopicArn"] == Topic.arn, fields["SignatureVersion"] == "2",
            request.header("x-amz-sns-rawdelivery")?.lowercased() != "true",
            fields["SigningCertURL"]?.wholeMatch(of: certificate) != nil,
            let signature = Data(base64Encoded: fields["Signature"] ?? "")
        else { return false }
        return signature == Topic.signature(of: fields)
    }
}
