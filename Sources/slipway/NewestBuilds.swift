import Foundation
import Model
import Status

/// The newest builds as a table, and above it what keeps builds waiting and which tags are not where they were put.
struct NewestBuilds {
    let client: Client
    let repository: RepositoryName?
    let state: String?
    let limit: String

    func list() async throws -> BuildListJSON {
        var query = [("limit", limit)]
        if let repository { query.append(("repository", repository.text)) }
        if let state { query.append(("state", state)) }
        return try await client.get("/api/v1/builds", query)
    }

    private func notes(_ service: ServiceJSON) async throws -> [String] {
        guard let repository else { return service.waits }
        return service.waits + (try await MovedTags.sentences(repository, client))
    }

    func show() async throws {
        let builds = try await list().builds
        let service = try await client.service()
        try await notes(service).forEach(Terminal.talk)
        if builds.isEmpty { Terminal.talk("no builds yet") }
        lines(builds, retries: service.retries).forEach(Terminal.print)
    }

    /// Redraws on a terminal; elsewhere prints a line for every change.
    func watch(json: Bool) async throws {
        var known: [Build.ID: BuildJSON.Stage] = [:]
        var told: [String] = []
        var drawn = 0
        while true {
            let builds = try await list().builds
            let service = try await client.service()
            let notes = try await notes(service)
            if Terminal.isTerminal && !json {
                // A line that wraps would be drawn over in part only.
                let above = notes.map {
                    Terminal.coloured(Terminal.harmless($0).excerpt((Terminal.width ?? .max) - 1), .dim)
                }
                let lines = above + lines(builds, retries: service.retries)
                let up = drawn > 0 ? "\u{1b}[\(drawn)A" : ""
                Terminal.write(Data((up + lines.map { "\u{1b}[2K\($0)\n" }.joined() + "\u{1b}[J").utf8))
                drawn = lines.count
            } else {
                if notes != told { notes.forEach(Terminal.talk) }
                told = notes
                for build in builds.reversed() where known[build.id] != build.stage {
                    if json {
                        try Status.show(json: build)
                    } else {
                        Terminal.print(Status.line(build, retries: service.retries))
                    }
                    known[build.id] = build.stage
                }
            }
            try await Task.sleep(for: .seconds(1))
        }
    }

    // MARK: Table

    private func lines(_ builds: [BuildJSON], retries: Int) -> [String] {
        guard !builds.isEmpty else { return [] }
        var table = Table()
        table.right = [0, 5, 6]
        table.add(
            ["#", "REPOSITORY", "REF", "COMMIT", "STATE", "AGE", "TOOK", "TAGS", "RESULT"].map { Table.Cell($0, .dim) })
        for build in builds.reversed() { table.add(row(build, retries: retries)) }
        return table.lines(width: Terminal.width)
    }

    private func row(_ build: BuildJSON, retries: Int) -> [Table.Cell] {
        [
            .init("\(build.id)", .bold), .init(build.repository.text),
            .init((build.tag == nil ? "" : "tag ") + build.ref.name.excerpt(32)),
            .init(build.commit?.prefix(12) ?? "-"),
            .init(build.state.rawValue, Status.colour(build.state)), .init(Status.age(build.created_at)),
            .init(Status.took(build) ?? "-"),
            .init(build.tags.map { $0.name.text + ($0.moved || !build.state.isEnd ? "" : "!") }.joined(separator: " ")),
            .init(Status.result(build, retries: retries), build.error == nil ? nil : .red),
        ]
    }
}
