import Foundation
import Model
import Status

/// Asks the service which commits are built already, as long as it answers.
struct KnownBuilds {
    private var client: Client?
    private let repository: RepositoryName

    init(_ arguments: Arguments, repository: RepositoryName) throws {
        client = arguments.has("offline") ? nil : try Client(arguments)
        self.repository = repository
    }

    /// Notes for each rule that matched the newest build of this ref and commit that keeps another from being made.
    mutating func add(to report: inout RefReport) async {
        guard let client, let commit = report.commit, report.rules.contains(where: \.matched) else { return }
        do {
            let states: [Build.State] = [.pending, .building, .pushing, .finished]
            let list: BuildListJSON = try await client.get(
                "/api/v1/builds",
                [
                    ("repository", repository.text), ("commit", commit.text),
                    (report.ref.kind.rawValue, report.ref.name),
                    ("state", states.map(\.rawValue).joined(separator: ",")),
                ])
            for index in report.rules.indices where report.rules[index].matched {
                guard let build = list.builds.first(where: { $0.rule == report.rules[index].rule }) else { continue }
                report.rules[index].build = build.id
                report.rules[index].build_state = build.state
            }
        } catch {
            Terminal.talk("\(error); so what is built already is not known (--offline does not ask)")
            self.client = nil
        }
    }
}
