import Model
import Platform

/// What the operator decided: `slipway.yaml`, read and checked whole.
package struct Settings: Sendable {
    package var listen: ListenAddress
    /// How others reach the service, without a slash at its end; nil is `http://<listen>`.
    package var url: String?
    /// An absolute path: database, mirrors, workspaces.
    package var data: String
    package var database: DatabaseAddress
    package var engine: EngineChoice
    /// Builds at once on this machine; 0 only receives.
    package var workers: Int
    package var worker: WorkerSettings
    /// Empty: the API answers without a token, on a loopback address only.
    package var access: [AccessToken]
    /// Whose word on the caller's address is taken, in `X-Forwarded-For`.
    package var trustedProxies: [IPNetwork]
    package var limits: Limits
    /// How often a build is tried again after failures of kind `system`.
    package var retries: Int
    /// How often the images that builds stand on are looked at, for moves that nobody told of; nil is never.
    package var basePoll: Duration?
    package var sweep: Sweep
    package var keep: Keep
    package var disk: Disk
    /// Any of them proves a webhook that is sent for a whole Git host; empty refuses those.
    package var webhookSecrets: [Secret]
    /// ARNs of the Amazon SNS topics that tell of pushes of any repository.
    package var snsTopics: [String]
    /// By the registry's host, as in image names.
    package var registries: [String: RegistrySettings]
    /// In the order of the file.
    package var repositories: [Repository]

    package init(
        listen: ListenAddress = ListenAddress(host: "127.0.0.1", port: 8080), url: String? = nil,
        data: String = "/var/lib/slipway", database: DatabaseAddress = .sqlite, engine: EngineChoice = .auto,
        workers: Int = 2, worker: WorkerSettings = WorkerSettings(), access: [AccessToken] = [],
        trustedProxies: [IPNetwork] = [], limits: Limits = Limits(), retries: Int = 5,
        basePoll: Duration? = .seconds(3600), sweep: Sweep = Sweep(), keep: Keep = Keep(), disk: Disk = Disk(),
        webhookSecrets: [Secret] = [],
        snsTopics: [String] = [], registries: [String: RegistrySettings] = [:], repositories: [Repository] = []
    ) {
        self.listen = listen
        self.url = url
        self.data = data
        self.database = database
        self.engine = engine
        self.workers = workers
        self.worker = worker
        self.access = access
        self.trustedProxies = trustedProxies
        self.limits = limits
        self.retries = retries
        self.basePoll = basePoll
        self.sweep = sweep
        self.keep = keep
        self.disk = disk
        self.webhookSecrets = webhookSecrets
        self.snsTopics = snsTopics
        self.registries = registries
        self.repositories = repositories
    }

    package subscript(name: RepositoryName) -> Repository? {
        repositories.first { $0.name == name }
    }

    /// Every secret of the settings, for masking in logs.
    package var secrets: [Secret] {
        access.map(\.token) + webhookSecrets + registries.values.compactMap { $0.login?.password }
            + repositories.flatMap(\.secrets) + database.secrets
    }
}

package struct ListenAddress: Sendable, Equatable, CustomStringConvertible {
    /// An IP address or `localhost`; an IPv6 address without brackets.
    package var host: String
    /// 0 picks a free one.
    package var port: UInt16

    package init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    package var isLoopback: Bool {
        host == "localhost" || host == "::1" || host.hasPrefix("127.")
    }

    package var description: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}

package enum EngineChoice: String, Sendable, CaseIterable {
    case auto, docker, buildah, podman
}

/// One bearer token of the API.
package struct AccessToken: Sendable, Equatable {
    package enum Role: String, Sendable, CaseIterable, Comparable {
        case read, build, admin

        package static func < (a: Role, b: Role) -> Bool {
            (allCases.firstIndex(of: a) ?? 0) < (allCases.firstIndex(of: b) ?? 0)
        }
    }

    package var name: String
    package var token: Secret
    package var role: Role
    /// Names with `*` for any characters: `acme/*`; `*` alone is every repository.
    package var repositories: [String]

    package init(name: String, token: Secret, role: Role, repositories: [String] = ["*"]) {
        self.name = name
        self.token = token
        self.role = role
        self.repositories = repositories
    }
}

package struct RegistrySettings: Sendable, Equatable {
    package var login: Login?
    /// Plain HTTP instead of HTTPS.
    package var insecure: Bool

    package init(login: Login? = nil, insecure: Bool = false) {
        self.login = login
        self.insecure = insecure
    }
}
