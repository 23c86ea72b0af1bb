import Foundation
import Model

/// What the settings say about one registry.
package struct RegistryConfiguration: Sendable, Hashable {
    /// Plain HTTP instead of HTTPS; never tried by itself.
    package var insecure: Bool
    /// Nil asks the Docker configuration, and is anonymous where that knows nothing either.
    package var login: Login?

    package init(insecure: Bool = false, login: Login? = nil) {
        self.insecure = insecure
        self.login = login
    }
}

/// Where a registry's distribution API answers.
struct RegistryAddress: Sendable {
    /// As in image names: `docker.io`, `localhost:5000`.
    let host: String
    let insecure: Bool
    private let base: URL

    /// - Throws: `RegistryError.unreachable` where the host makes no address.
    init(host: String, insecure: Bool) throws {
        self.host = host
        self.insecure = insecure
        // Docker Hub's images are named for a host that serves no API.
        let server = host == ImageName.dockerHub ? "registry-1.docker.io" : host
        guard let base = URL(string: "\(insecure ? "http" : "https")://\(server)"), base.host?.isEmpty == false else {
            throw RegistryError.unreachable(
                RegistryOperation("find registry \"\(host.excerpt())\"", host: host),
                why: "it is not a host with an optional port")
        }
        self.base = base
    }

    /// The address of `/v2/` and what follows it.
    func url(_ path: String = "") -> URL {
        // Names, tags and digests hold nothing that a path would have to escape.
        URL(string: "/v2/\(path)", relativeTo: base)?.absoluteURL ?? base
    }
}

extension URL {
    /// Scheme, host and port: what credentials are bound to.
    var origin: String {
        let scheme = (scheme ?? "").lowercased()
        return "\(scheme)://\((host ?? "").lowercased()):\(port ?? (scheme == "https" ? 443 : 80))"
    }

    /// Whether the host is this machine itself, where nobody else listens on the wire.
    var isLoopback: Bool {
        let name = (host ?? "").lowercased().trimmingCharacters(in: ["[", "]"])
        return name == "localhost" || name == "::1"
            || name.wholeMatch(of: /127\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}/) != nil
    }
}
