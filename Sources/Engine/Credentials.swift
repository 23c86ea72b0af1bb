import Foundation
import Model

/// Logins in the form of Docker's config.json, which buildah and podman read too.
enum Credentials {
    /// - Returns: the value of `auths`.
    static func auths(_ logins: [String: Login]) -> [String: [String: String]] {
        var auths: [String: [String: String]] = [:]
        for (host, login) in logins {
            auths[key(host)] =
                login.username == "<token>"
                // What credential helpers call an identity token (docker-credential-helpers, "Development").
                ? ["identitytoken": login.password.value]
                : ["auth": Data("\(login.username):\(login.password.value)".utf8).base64EncodedString()]
        }
        return auths
    }

    static func file(_ logins: [String: Login]) throws -> Data {
        var auths = auths(logins)
        // The containers libraries look for Docker Hub under its name.
        if let hub = auths.removeValue(forKey: hubKey) { auths[ImageName.dockerHub] = hub }
        return try JSONSerialization.data(withJSONObject: ["auths": auths], options: [.sortedKeys])
    }

    private static let hubKey = "https://index.docker.io/v1/"

    private static func key(_ host: String) -> String {
        host == ImageName.dockerHub ? hubKey : host
    }
}
