import Foundation
import Model
import Status

extension Status {
    static func one(_ id: Build.ID, _ client: Client, _ arguments: Arguments) async throws -> Exit {
        var build: BuildJSON = try await client.get("/api/v1/builds/\(id)")
        let service = try await client.service()
        if build.state == .pending { service.waits.forEach(Terminal.talk) }
        if arguments.has("watch") {
            build = try await follow(build, client) { build in
                if !arguments.has("json") && !build.state.isEnd {
                    Terminal.print(line(build, retries: service.retries))
                }
            }
        }
        if arguments.has("json") {
            try show(json: build)
        } else {
            detail(build, retries: service.retries).forEach(Terminal.print)
        }
        return build.state == .failed ? .buildFailed : .good
    }

    /// Tells each state until the build's end.
    static func follow(_ build: BuildJSON, _ client: Client, _ tell: (BuildJSON) -> Void) async throws -> BuildJSON {
        var build = build
        tell(build)
        while !build.state.isEnd {
            let seen = build
            build = try await client.get(
                "/api/v1/builds/\(build.id)",
                [("wait", "60s"), ("seen", seen.state.rawValue), ("stop", seen.stop?.rawValue ?? "")], timeout: 90)
            if build.stage != seen.stage { tell(build) }
        }
        return build
    }

    private static func detail(_ build: BuildJSON, retries: Int) -> [String] {
        var table = Table()
        func add(_ name: String, _ text: String?, _ colour: Terminal.Colour? = nil) {
            guard let text, !text.isEmpty else { return }
            table.add([.init(name, .dim), .init(text, colour)])
        }
        add("build", "\(build.id)", .bold)
        add("state", state(build, retries: retries), colour(build.state))
        add("waits", build.waits)
        add("reason", build.reason)
        add("repository", build.repository.text)
        add(build.tag == nil ? "branch" : "tag", build.ref.name)
        add("commit", build.commit?.text)
        add("message", build.message?.split(separator: "\n").first.map(String.init))
        add("author", build.author)
        add("rule", "\(build.rule): \(build.dockerfile) in \(build.context)")
        add("cause", cause(build))
        add("reused", build.reused.map { "build \($0)'s image" } ?? build.reuse.map { "no: \($0)" })
        if build.inputs?.doubt != build.reuse { add("doubt", build.inputs?.doubt) }
        for base in build.inputs?.bases ?? [] { add("base", "\(base.image)@\(base.digest)") }
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
            let whose =
                switch error.kind {
                case .build: "by the repository"
                case .system: "by the system"
                case .timeout: "by its timeout"
                }
            lines.append(Terminal.coloured("failed in \(error.stage), \(whose)", .red))
            lines += error.message.split(separator: "\n").map { "  " + Terminal.harmless(String($0)) }
        }
        return lines
    }

    private static func cause(_ build: BuildJSON) -> String {
        let who = [build.cause.kind.rawValue, build.cause.host].compactMap(\.self).joined(separator: " from ")
        let what = [who, build.cause.detail].compactMap(\.self).joined(separator: ": ")
        return what + (build.no_cache == true ? ", without caches" : "")
    }

    private static func state(_ build: BuildJSON, retries: Int) -> String {
        var words = build.state.rawValue
        if build.attempt > 1 { words += " (attempt \(build.attempt))" }
        if build.stop != nil {
            words += ", \(stopping(build))"
        } else if let successor = build.superseded_by {
            words += " by \(successor)"
        } else if build.state == .pending && build.error != nil {
            words += ", \(again(build, retries))"
        }
        return words
    }
}

extension BuildJSON {
    /// What is told of while a build is watched.
    struct Stage: Equatable {
        let state: Build.State
        let stop: Build.State?
        let retry: String?
    }

    var stage: Stage { Stage(state: state, stop: stop, retry: retry_at) }
}
