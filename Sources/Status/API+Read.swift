import Foundation
import HTTP
import Model
import Platform
import Queue
import Settings

extension API {
    static let mostBuilds = 500
    static let longestWait = Duration.seconds(300)

    // MARK: Builds

    func builds(_ request: HTTPRequest, _ path: Path) async throws -> HTTPResponse {
        let caller = try access.caller(request, needs: .read)
        var query = BuildQuery()
        if let name = request.query("repository") { query.repository = try RepositoryName(name) }
        if let states = request.query("state") {
            query.states = try states.split(separator: ",").map { text in
                guard let state = Build.State(rawValue: String(text)) else {
                    throw InvalidText(
                        "state \"\(text)\" is not one of \(Build.State.allCases.map(\.rawValue).joined(separator: ", "))"
                    )
                }
                return state
            }
        }
        if let branch = request.query("branch") { query.ref = try RefName(.branch, branch) }
        if let tag = request.query("tag") { query.ref = try RefName(.tag, tag) }
        if let commit = request.query("commit") { query.commit = try CommitID(commit) }
        if let before = request.query("before") { query.before = try number("before", before, in: 1...Int64.max) }
        if let limit = request.query("limit") {
            query.limit = Int(try number("limit", limit, in: 1...Int64(Self.mostBuilds)))
        }
        let (found, next) = try await page(query.limit, where: { (build: Build) in caller.sees(build.repository) }) {
            before, limit in
            (query.before, query.limit) = (before ?? query.before, limit)
            return try await store.builds(query)
        }
        return .json(200, BuildListJSON(builds: try await shown(found), next: next))
    }

    /// The first `limit` of a list that the caller sees.
    ///
    /// - Parameter read: gives so many of the list behind an id, or from its beginning.
    /// - Returns: those, and the id behind which the next page begins; nil on the last.
    func page<Item: Identifiable>(
        _ limit: Int, where sees: (Item) -> Bool, _ read: (_ before: Item.ID?, _ limit: Int) async throws -> [Item]
    ) async throws -> ([Item], next: Item.ID?) {
        var found: [Item] = []
        var before: Item.ID?
        while found.count <= limit {
            // One more than asked for tells whether there is a next page.
            let part = try await read(before, limit + 1)
            found += part.filter(sees)
            guard part.count == limit + 1, let last = part.last else { break }
            before = last.id
        }
        return (Array(found.prefix(limit)), found.count > limit ? found[limit - 1].id : nil)
    }

    func number(_ name: String, _ text: String, in range: ClosedRange<Int64>) throws -> Int64 {
        guard let value = Int64(text), range.contains(value) else {
            throw InvalidText(
                "\(name) \"\(text.excerpt())\" is not a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    /// One build; with `wait`, not before it changes from the state `seen` or the asked end `stop` (by default those that
    /// it has now; an empty `stop` is none), has ended, or the time is over.
    func build(_ request: HTTPRequest, _ path: Path) async throws -> HTTPResponse {
        let build = try await seen(request, path)
        guard let wait = request.query("wait") else { return .json(200, try await shown(build)) }
        guard let limit = Self.duration(wait), limit <= Self.longestWait else {
            throw InvalidText(
                "wait \"\(wait.excerpt())\" is not a time up to \(Int(Self.longestWait.seconds))s, such as 30s")
        }
        let state = request.query("seen") ?? build.state.rawValue
        guard Build.State(rawValue: state) != nil else {
            throw InvalidText("seen \"\(state.excerpt())\" is not a state")
        }
        let stop = request.query("stop") ?? build.stop?.rawValue ?? ""
        let changes = store.changes(.build(build.id))
        let changed = try await withDeadline(limit) {
            var changes = changes.makeAsyncIterator()
            while true {
                guard let now = try await store.build(build.id) else { return build }
                if now.state.isEnd || now.state.rawValue != state || now.stop?.rawValue ?? "" != stop { return now }
                if await changes.next() == nil { throw CancellationError() }
            }
        }
        guard let latest = if let changed { changed } else { try await store.build(build.id) } else {
            throw Refusal(404, "Not known here", "there is no build \(build.id) any more")
        }
        return .json(200, try await shown(latest))
    }

    /// `30s`, `2m`, `30`.
    static func duration(_ text: String) -> Duration? {
        let units: [Character: Int] = ["s": 1, "m": 60]
        let unit = text.last.flatMap { units[$0] }
        guard let count = Int(unit == nil ? text[...] : text.dropLast()), count >= 0, count < 1_000_000 else {
            return nil
        }
        return .seconds(count * (unit ?? 1))
    }

    /// The build that the path names, where the caller may see it.
    func seen(_ request: HTTPRequest, _ path: Path) async throws -> Build {
        let caller = try access.caller(request, needs: .read)
        let text = path["id"]
        guard let id = Build.ID(text), let build = try await store.build(id), caller.sees(build.repository) else {
            throw Refusal(404, "Not known here", "there is no build \"\(text.excerpt())\"")
        }
        return build
    }

    // MARK: Log

    /// The log as text; with `follow=1` it streams until the build's end, as server-sent events where those are asked for.
    func buildLog(_ request: HTTPRequest, _ path: Path) async throws -> HTTPResponse {
        let build = try await seen(request, path)
        let events = request.header("Accept")?.contains("text/event-stream") ?? false
        let resumed = events ? request.header("Last-Event-ID") : nil
        let offset =
            try (resumed ?? request.query("offset")).map { Int(try number("offset", $0, in: 0...Int64.max)) } ?? 0
        let follow = ["1", "true"].contains(request.query("follow")) || events
        let reader = LogReader(store: store, build: build.id, offset: offset, follow: follow)
        let headers = [
            ("Content-Type", events ? "text/event-stream; charset=utf-8" : "text/plain; charset=utf-8"),
            ("Cache-Control", "no-store"), ("X-Accel-Buffering", "no"), ("X-Content-Type-Options", "nosniff"),
        ]
        return HTTPResponse(
            status: 200, headers: headers,
            body: .stream { try await events ? reader.nextEvent() : reader.next() })
    }

    // MARK: Repositories

    func repositories(_ request: HTTPRequest, _ path: Path) async throws -> HTTPResponse {
        let caller = try access.caller(request, needs: .read)
        var list: [RepositoryJSON] = []
        for repository in settings.repositories where caller.sees(repository.name) {
            list.append(try await json(repository))
        }
        return .json(200, RepositoryListJSON(repositories: list, next: nil))
    }

    func repository(_ request: HTTPRequest, _ path: Path) async throws -> HTTPResponse {
        let caller = try access.caller(request, needs: .read)
        let name = try repository(path)
        guard caller.sees(name), let repository = settings[name] else { throw Refusal.unseen(name) }
        var shown = try await json(repository)
        let tags = try await store.tags(of: repository.image)
        shown.tags = tags.filter { $0.repository == name }.map(TagStateJSON.init)
        return .json(200, shown)
    }

    private func json(_ repository: Repository) async throws -> RepositoryJSON {
        let latest = try await store.builds(BuildQuery(repository: repository.name, limit: 1)).first
        return RepositoryJSON(
            name: repository.name, source: repository.source.text, image: repository.image,
            rules: repository.rules.map(RepositoryJSON.RuleJSON.init), latest: latest.map { BuildJSON($0, url: url) })
    }
}

extension RepositoryJSON.RuleJSON {
    init(_ rule: Rule) {
        self.rule = rule.number
        switch rule.source {
        case .branch(let pattern): branch = pattern.text
        case .tag(let pattern): tag = pattern.text
        case .defaultBranch: break
        }
        tags = rule.tags.map(\.text)
        commit_tag = rule.commitTag.text
        dockerfile = rule.dockerfile ?? "Dockerfile"
        context = rule.contextShown
        autobuild = rule.autobuild
        runs_on = rule.runsOn
    }
}
