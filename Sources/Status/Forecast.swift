import Model
import Settings
import Synchronization

/// What an image would be made of, found out without building it.
package struct Forecast: Sendable {
    package var commit: CommitID
    package var inputs: BuildInputs
    /// The build whose image would be taken; nil where one would be built.
    package var reusable: Build.ID?
    /// Why, in words.
    package var reuse: String

    package init(commit: CommitID, inputs: BuildInputs, reusable: Build.ID?, reuse: String) {
        self.commit = commit
        self.inputs = inputs
        self.reusable = reusable
        self.reuse = reuse
    }

    /// Does all of an attempt that comes before the engine: fetches the ref, at a commit where one is given, and looks
    /// what its image is made of.
    package typealias Find = @Sendable (Repository, Rule, RefName, CommitID?) async throws -> Forecast

    /// How many may be made at once, and how long one may take: each fetches from a Git host and asks registries.
    static let most = 2
    static let patience = Duration.seconds(20)
}

/// How many forecasts are being made.
final class Forecasting: Sendable {
    private let count = Mutex(0)

    /// - Returns: nil where as many are being made as may be.
    func use<Value: Sendable>(_ body: () async throws -> Value) async rethrows -> Value? {
        let begins = count.withLock { count in
            guard count < Forecast.most else { return false }
            count += 1
            return true
        }
        guard begins else { return nil }
        defer { count.withLock { $0 -= 1 } }
        return try await body()
    }
}

/// A forecast as the API shows it; the CLI reads it back.
package struct ForecastJSON: Codable, Sendable {
    package var repository: RepositoryName
    package var rule: Int
    package var ref: RefName
    package var commit: CommitID
    package var dockerfile: String
    package var context: String
    package var image: ImageName
    package var inputs: BuildJSON.InputsJSON
    package var reusable: Build.ID?
    package var reuse: String

    init(_ forecast: Forecast, _ repository: Repository, _ rule: Rule, _ ref: RefName) {
        self.repository = repository.name
        self.rule = rule.number
        self.ref = ref
        commit = forecast.commit
        dockerfile = rule.dockerfile ?? "Dockerfile"
        context = rule.contextShown
        image = repository.image
        inputs = BuildJSON.InputsJSON(forecast.inputs)
        reusable = forecast.reusable
        reuse = forecast.reuse
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(repository, forKey: .repository)
        try container.encode(rule, forKey: .rule)
        try container.encode(ref, forKey: .ref)
        try container.encode(commit, forKey: .commit)
        try container.encode(dockerfile, forKey: .dockerfile)
        try container.encode(context, forKey: .context)
        try container.encode(image, forKey: .image)
        try container.encode(inputs, forKey: .inputs)
        try container.encode(reusable, forKey: .reusable)
        try container.encode(reuse, forKey: .reuse)
    }
}
