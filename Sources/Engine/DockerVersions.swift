/// What `docker version --format '{{json .}}'` tells.
///
/// Podman's docker command writes other names, so it is not taken for Docker's.
struct DockerVersions: Decodable {
    struct Client: Decodable {
        let version: String

        private enum CodingKeys: String, CodingKey {
            case version = "Version"
        }
    }

    struct Server: Decodable {
        let version: String
        /// `1.41`.
        let api: String
        let system: String
        /// `amd64`.
        let architecture: String

        private enum CodingKeys: String, CodingKey {
            case version = "Version", api = "ApiVersion", system = "Os", architecture = "Arch"
        }
    }

    let client: Client
    /// Nil where no daemon answered.
    let server: Server?

    private enum CodingKeys: String, CodingKey {
        case client = "Client", server = "Server"
    }

    /// From 23 on, `docker build` leaves BuildKit to the buildx plugin.
    var needsPlugin: Bool { !Self.numbers(client.version).lexicographicallyPrecedes([23]) }

    /// Whether both sides can speak BuildKit: clients from 18.09, Linux daemons from API 1.39.
    var haveBuildKit: Bool {
        guard let server, server.system == "linux" else { return false }
        return !Self.numbers(client.version).lexicographicallyPrecedes([18, 9])
            && !Self.numbers(server.api).lexicographicallyPrecedes([1, 39])
    }

    /// `20.10.24+dfsg1` gives 20, 10.
    private static func numbers(_ version: String) -> [Int] {
        version.split(whereSeparator: { !$0.isNumber }).prefix(2).compactMap { Int($0) }
    }
}
