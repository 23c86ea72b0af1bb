import Foundation
import TestSupport

/// What a run is about, whatever the service runs on: repositories, who tells of pushes, what is known, and what was found.
struct World: Sendable {
    static let repositories = ["acme/one", "acme/two", "acme/three"]

    /// For everything.
    let folder: String
    let options: Options
    let origins: [Origin]
    let send: Send
    let desk: Desk
    let ledger: Ledger
    let images: RegistryFiles
    let counts: Counts
    let findings: Findings
    /// So long nothing may happen once the faults are over.
    let patience: Duration

    var journal: Journal { Journal(path: folder + "/journal") }

    static func folder(_ options: Options) throws -> String {
        let folder = NSTemporaryDirectory().replacing(/\/$/, with: "") + "/slipway-faults-\(options.seed)-\(getpid())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return folder
    }

    /// - Parameter place: the settings of one machine.
    static func settings(_ place: String, _ options: Options, _ registry: String, _ origins: [Origin]) -> String {
        var text = """
            \(place)
            engine: \(options.engine == .docker ? "docker" : "buildah")
            retries: 100
            sweep: {every: 20s}
            disk: {min_free: 16MiB, cache: off}
            limits: {delay: 0s, per_address: off, per_token: off}
            registries:
              "\(registry)": {insecure: true}
            repositories:

            """
        for origin in origins {
            text += """
                  \(origin.name):
                    source: "\(origin.source)"
                    image: "\(registry)/\(origin.name)"
                    webhook_secret: "\(Desk.secret)"
                    trigger_tokens: ["\(Desk.token)-\(origin.name.replacing("/", with: "-"))"]
                \(RuleBook.text)

                """
        }
        return text
    }
}
