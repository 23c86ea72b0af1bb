import Foundation
import Model
import Platform
import Status

enum Status: Command {
    static let name = "status"
    static let usage = "status [REPO|BUILD] [--watch] [--state S] [-n N] [--json]"
    static let about = "Shows the newest builds, or one build; with --watch it keeps showing."
    static let options = Client.options.union(["state", "limit"])
    static let flags: Set<String> = ["watch", "json"]

    static func run(_ arguments: Arguments) async throws -> Exit {
        let client = try Client(arguments)
        let subject = try arguments.positionals(0...1, "").first
        if let subject, let id = Build.ID(subject) { return try await one(id, client, arguments) }
        var query: [(String, String)] = [("limit", arguments["limit"] ?? "20")]
        if let subject {
            do { query.append(("repository", try RepositoryName(subject).text)) } catch { throw UsageError("\(error)") }
        }
        if let state = arguments["state"] { query.append(("state", state)) }
        guard arguments.has("watch") else {
            let list: BuildListJSON = try await client.get("/api/v1/builds", query)
            if arguments.has("json") {
                try show(json: list)
            } else {
                show(list.builds)
            }
            return .good
        }
        try await watch(query, client, json: arguments.has("json"))
        return .good
    }

    // MARK: Many builds

    private static func show(_ builds: [BuildJSON]) {
        if builds.isEmpty { Terminal.talk("no builds yet") }
        lines(builds).forEach(Terminal.print)
    }

    static func lines(_ builds: [BuildJSON]) -> [String] {
        guard !builds.isEmpty else { return [] }
        var table = Table()
        table.right = [0, 5, 6]
        table.add(
            ["#", "REPOSITORY", "REF", "COMMIT", "STATE", "AGE", "TOOK", "TAGS", "RESULT"].map { Table.Cell($0, .dim) })
        for build in builds.reversed() { table.add(row(build)) }
        return table.lines(width: Terminal.width)
    }

    private static func row(_ build: BuildJSON) -> [Table.Cell] {
        [
            .init("\(build.id)", .bold), .init(build.repository.text),
            .init((build.tag == nil ? "" : "tag ") + build.ref.name.excerpt(32)),
            .init(build.commit?.prefix(12) ?? "-"),
            .init(build.state.rawValue, colour(build.state)), .init(age(build)), .init(took(build) ?? "-"),
            .init(build.tags.map { $0.name.text + ($0.moved || !build.state.isEnd ? "" : "!") }.joined(separator: " ")),
            .init(result(build), build.error == nil ? nil : .red),
        ]
    }

    /// Redraws on a terminal; elsewhere prints a line for every change.
    private static func watch(_ query: [(String, String)], _ client: Client, json: Bool) async throws {
        var known: [Build.ID: Build.State] = [:]
        var drawn = 0
        while true {
            let list: BuildListJSON = try await client.get("/api/v1/builds", query)
            if Terminal.isTerminal && !json {
                let lines = lines(list.builds)
                let up = drawn > 0 ? "\u{1b}[\(drawn)A" : ""
                Terminal.write(Data((up + lines.map { "\u{1b}[2K\($0)\n" }.joined() + "\u{1b}[J").utf8))
                drawn = lines.count
            } else {
                for build in list.builds.reversed() where known[build.id] != build.state {
                    if json { try show(json: build) } else { Terminal.print(line(build)) }
                    known[build.id] = build.state
                }
            }
            try await Task.sleep(for: .seconds(1))
        }
    }

    // MARK: One build

    private static func one(_ id: Build.ID, _ client: Client, _ arguments: Arguments) async throws -> Exit {
        var build: BuildJSON = try await client.get("/api/v1/builds/\(id)")
        if arguments.has("watch") {
            build = try await follow(build, client) { build in
                if !arguments.has("json") && !build.state.isEnd { Terminal.print(line(build)) }
            }
        }
        if arguments.has("json") { try show(json: build) } else { detail(build).forEach(Terminal.print) }
        return build.state == .failed ? .buildFailed : .good
    }

    /// Tells each state until the build's end.
    static func follow(_ build: BuildJSON, _ client: Client, _ tell: (BuildJSON) -> Void) async throws -> BuildJSON {
        var build = build
        tell(build)
        while !build.state.isEnd {
            let seen = build.state
            build = try await client.get(
                "/api/v1/builds/\(build.id)", [("wait", "60s"), ("seen", seen.rawValue)], timeout: 90)
            if build.state != seen { tell(build) }
        }
        return build
    }

    static func line(_ build: BuildJSON) -> String {
        let state = Terminal.coloured(build.state.rawValue, colour(build.state))
        let commit = build.commit.map { " at \($0.prefix(12))" } ?? ""
        let end = build.state.isEnd ? ": \(result(build))" : ""
        return
            "build \(build.id)  \(state)  \(build.repository) \(Terminal.harmless(build.ref.name))\(commit)\(Terminal.harmless(end))"
    }

    private static func detail(_ build: BuildJSON) -> [String] {
        var table = Table()
        func add(_ name: String, _ text: String?, _ colour: Terminal.Colour? = nil) {
            guard let text, !text.isEmpty else { return }
            table.add([.init(name, .dim), .init(text, colour)])
        }
        add("build", "\(build.id)", .bold)
        add(
            "state", build.state.rawValue + (build.attempt > 1 ? " (attempt \(build.attempt))" : ""),
            colour(build.state))
        add("reason", build.reason)
        add("repository", build.repository.text)
        add(build.tag == nil ? "branch" : "tag", build.ref.name)
        add("commit", build.commit?.text)
        add("message", build.message?.split(separator: "\n").first.map(String.init))
        add("author", build.author)
        add("rule", "\(build.rule): \(build.dockerfile) in \(build.context)")
        add("cause", [build.cause.kind.rawValue, build.cause.host].compactMap(\.self).joined(separator: " from "))
        add("image", build.digest.map { "\(build.image)@\($0)" } ?? build.image.text)
        add("commit tag", build.commit_tag?.text)
        for tag in build.tags {
            let fate =
                tag.moved ? "" : tag.reason.map { ": \($0)" } ?? (build.state.isEnd ? ": not moved" : ": to be moved")
            add("tag", tag.name.text + fate, tag.moved ? .green : nil)
        }
        add("accepted", build.created_at)
        add("started", build.started_at)
        add("pushing", build.pushing_at)
        add("ended", build.finished_at.map { $0 + (took(build).map { ", after \($0)" } ?? "") })
        add("log", "slipway logs \(build.id)")
        var lines = table.lines(width: nil)
        if let error = build.error {
            lines.append(
                Terminal.coloured(
                    "failed in \(error.stage), \(error.kind == .build ? "by the repository" : "by the system")", .red))
            lines += error.message.split(separator: "\n").map { "  " + Terminal.harmless(String($0)) }
        }
        return lines
    }

    // MARK: Words

    static func show(json: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        Terminal.print(String(decoding: try encoder.encode(json), as: UTF8.self))
    }

    private static func colour(_ state: Build.State) -> Terminal.Colour {
        switch state {
        case .pending: .yellow
        case .building, .pushing: .blue
        case .finished: .green
        case .failed: .red
        case .cancelled, .superseded: .dim
        }
    }

    private static func result(_ build: BuildJSON) -> String {
        if let error = build.error {
            return "\(error.stage): \(error.message.split(separator: "\n").first.map(String.init) ?? "")"
        }
        return build.reason ?? build.digest.map { String($0.text.prefix(19)) } ?? ""
    }

    private static func age(_ build: BuildJSON) -> String {
        Timestamp.date(build.created_at).map { short(Date().timeIntervalSince($0)) } ?? ""
    }

    /// From the start of the latest attempt to the end, or to now.
    static func took(_ build: BuildJSON) -> String? {
        guard let start = build.started_at.flatMap(Timestamp.date) else { return nil }
        return short((build.finished_at.flatMap(Timestamp.date) ?? Date()).timeIntervalSince(start))
    }

    /// `0.4s`, `14s`, `3m`, `2h`, `5d`.
    private static func short(_ seconds: Double) -> String {
        switch max(0, seconds) {
        case let s where s < 9.95: "\((s * 10).rounded() / 10)s"
        case let s where s < 100: "\(Int(s))s"
        case let s where s < 100 * 60: "\(Int(s / 60))m"
        case let s where s < 48 * 3600: "\(Int(s / 3600))h"
        case let s: "\(Int(s / 86400))d"
        }
    }
}
