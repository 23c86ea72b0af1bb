import Foundation
import Platform

/// Signed pushes of 7.5 KB in GitHub's form, each another commit, written down as whole requests before the clock runs.
struct Payloads: Sendable {
    static let secret = "between the load and the service"

    /// One file for each thread of the load: requests of the same length, one after the other.
    let files: [String]
    /// Of one request, in bytes.
    let length: Int
    let bodyLength: Int

    init(count: Int, threads: Int, path: String, folder: String) throws {
        let mark = String(repeating: "f", count: 40)
        // What stands between the commits' ids.
        let parts = Self.body(commit: mark).components(separatedBy: mark).map { Data($0.utf8) }
        var files: [String] = []
        var (length, bodyLength) = (0, 0)
        for thread in 0..<threads {
            let file = "\(folder)/requests-\(thread)"
            guard FileManager.default.createFile(atPath: file, contents: nil),
                let handle = FileHandle(forWritingAtPath: file)
            else { throw SlipwayRun.Failed(description: "\(file) can't be written") }
            for _ in 0..<(count / threads) {
                let commit = Data(Crypto.randomBytes(20).hex.utf8)
                let body = Data(parts.joined(separator: commit))
                bodyLength = body.count
                let request = Self.request(body, to: path)
                length = request.count
                try handle.write(contentsOf: request)
            }
            try handle.close()
            files.append(file)
        }
        self.files = files
        self.length = length
        self.bodyLength = bodyLength
    }

    private static func request(_ body: Data, to path: String) -> Data {
        let id = Crypto.randomBytes(16).hex
        let delivery = [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { range in
            String(Array(id)[range])
        }.joined(separator: "-")
        let head = [
            "POST \(path) HTTP/1.1", "Host: 127.0.0.1", "User-Agent: GitHub-Hookshot/bench", "Accept: */*",
            "Content-Type: application/json", "X-GitHub-Event: push", "X-GitHub-Delivery: \(delivery)",
            "X-GitHub-Hook-ID: 1",
            "X-Hub-Signature-256: sha256=" + Crypto.hmacSHA256(key: Data(secret.utf8), body).hex,
            "Content-Length: \(body.count)", "", "",
        ]
        return Data(head.joined(separator: "\r\n").utf8) + body
    }

    /// As many members, of such lengths, as GitHub's own have.
    private static func body(commit: String) -> String {
        func urls(_ base: String, _ names: [String]) -> String {
            names.map { "\"\($0)_url\":\"\(base)/\($0)\"" }.joined(separator: ",")
        }
        func user(_ name: String) -> String {
            let names = [
                "followers", "following", "gists", "starred", "subscriptions", "organizations", "repos", "events",
                "received_events", "avatar", "html",
            ]
            return "{\"login\":\"\(name)\",\"id\":21031067,\"type\":\"User\",\"site_admin\":false,"
                + urls("https://api.git.example.com/users/\(name)", names) + "}"
        }
        let names = [
            "forks", "keys", "collaborators", "teams", "hooks", "issue_events", "events", "assignees", "branches",
            "tags", "blobs", "git_tags", "git_refs", "trees", "statuses", "languages", "stargazers", "contributors",
            "subscribers", "subscription", "commits", "git_commits", "comments", "issue_comment", "contents", "compare",
            "merges", "archive", "downloads", "issues", "pulls", "milestones", "notifications", "labels", "releases",
            "deployments",
        ]
        func change(_ id: String, _ number: Int) -> String {
            let person = "{\"name\":\"Ada Example\",\"email\":\"ada@example.com\",\"username\":\"ada\"}"
            return """
                {"id":"\(id)","tree_id":"\(String(repeating: "7e", count: 20))","distinct":true,\
                "message":"Change number \(number) of the sources","timestamp":"2026-11-21T06:00:00+00:00",\
                "url":"https://git.example.com/bench/intake/commit/\(id)","author":\(person),"committer":\(person),\
                "added":[],"removed":[],"modified":["src/part\(number)/main.c","README.md"]}
                """
        }
        let (old, new) = (change(String(repeating: "0a", count: 20), 1), change(commit, 2))
        let start = """
            {"ref":"refs/heads/main","before":"\(String(repeating: "0b", count: 20))","after":"\(commit)",\
            "repository":{"id":186853002,"name":"intake","full_name":"bench/intake","private":false,\
            "owner":\(user("bench")),"description":"for the load","fork":false,\
            \(urls("https://api.git.example.com/repos/bench/intake", names)),\
            "clone_url":"https://git.example.com/bench/intake.git","ssh_url":"git@git.example.com:bench/intake.git",\
            "created_at":1557933565,"size":120,"stargazers_count":0,"has_issues":true,"archived":false,"license":null,\
            "topics":[],"visibility":"public","default_branch":"main"},
            """
        let end = """
            "pusher":{"name":"ada","email":"ada@example.com"},"sender":\(user("ada")),"created":false,"deleted":false,\
            "forced":false,"base_ref":null,"compare":"https://git.example.com/bench/intake/compare/a...b",\
            "commits":[\(old),\(new)],"head_commit":\(new),"padding":"
            """
        let text = start.replacing("\n", with: "") + end.replacing("\n", with: "")
        return text + String(repeating: "x", count: max(0, 7_500 - text.utf8.count - 2)) + "\"}"
    }
}
