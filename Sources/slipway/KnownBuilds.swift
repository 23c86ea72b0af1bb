import Foundation
import Model
import Settings
import Status

/// Asks the service which commits are built already, and which images would be taken again, as long as it answers.
struct KnownBuilds {
    private var client: Client?
    private let repository: Repository

    init(_ arguments: Arguments, repository: Repository) throws {
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
                    ("repository", repository.name.text), ("commit", commit.text),
                    (report.ref.kind.rawValue, report.ref.name),
                    ("state", states.map(\.rawValue).joined(separator: ",")),
                ])
            for index in report.rules.indices where report.rules[index].matched {
                let rule = report.rules[index]
                // What the build doesn't show, such as its arguments, may have been changed in the settings unseen.
                let build = list.builds.first {
                    $0.rule == rule.rule && $0.image == repository.image && $0.dockerfile == rule.dockerfile
                        && $0.context == rule.context
                }
                guard let build else { continue }
                report.rules[index].build = build.id
                report.rules[index].build_state = build.state
            }
        } catch {
            Terminal.talk("\(error); so what is built already is not known (--offline does not ask)")
            self.client = nil
        }
    }

    /// Notes for each rule that would build whether another build's image would be taken, and what its own is made of.
    func addForecasts(to report: inout RefReport) async {
        guard let client, let commit = report.commit else { return }
        for index in report.rules.indices where report.rules[index].matched && report.rules[index].build == nil {
            let rule = report.rules[index]
            do {
                let forecast: ForecastJSON = try await client.get(
                    "/api/v1/repositories/\(repository.name)/inputs",
                    [
                        ("rule", "\(rule.rule)"), ("commit", commit.text),
                        (report.ref.kind.rawValue, report.ref.name),
                    ])
                // The service goes by its settings, which may be others.
                guard forecast.image == repository.image, forecast.dockerfile == rule.dockerfile,
                    forecast.context == rule.context
                else { continue }
                report.rules[index].inputs = forecast.inputs
                report.rules[index].reusable = forecast.reusable
                report.rules[index].reuse = forecast.reuse
            } catch {
                return Terminal.talk("\(error); so what would be taken from former builds is not known")
            }
        }
    }
}
