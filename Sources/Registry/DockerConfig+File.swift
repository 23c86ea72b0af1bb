import Foundation
import Model

extension DockerConfig {
    /// One `config.json` or `auth.json`.
    struct File: Sendable {
        /// Under which Docker keeps what belongs to Docker Hub.
        static let dockerHubKey = "https://index.docker.io/v1/"

        /// By host, or host and the beginning of a path (containers-auth.json(5)).
        private let logins: [String: Login]
        /// By host: the `X` of `docker-credential-X`.
        let helpers: [String: String]
        /// The helper for all other hosts.
        let store: String?

        /// - Returns: nil where there is no file.
        /// - Throws: `UnreadableConfig`.
        static func read(_ path: String) throws -> File? {
            guard FileManager.default.fileExists(atPath: path) else { return nil }
            let data: Data
            do {
                data = try Data(contentsOf: URL(fileURLWithPath: path))
            } catch {
                throw UnreadableConfig(path: path, why: error.localizedDescription)
            }
            return try File(data, path: path)
        }

        private init(_ data: Data, path: String) throws {
            struct Form: Decodable {
                struct Entry: Decodable {
                    var auth: String?
                    var username: String?
                    var password: String?
                    var identitytoken: String?
                }
                var auths: [String: Entry]?
                var credHelpers: [String: String]?
                var credsStore: String?
            }
            let form: Form
            do {
                form = try JSONDecoder().decode(Form.self, from: data)
            } catch {
                // The decoder's own words may quote a password.
                throw UnreadableConfig(path: path, why: "it is not the JSON that docker login writes")
            }
            var logins: [String: Login] = [:]
            // Of two spellings of one host the plain one, which sorts later than https://, wins.
            for (key, entry) in (form.auths ?? [:]).sorted(by: { $0.key.count > $1.key.count }) {
                if let token = entry.identitytoken, !token.isEmpty {
                    logins[Self.place(key)] = Login(username: DockerConfig.identityTokenUser, password: Secret(token))
                } else if let auth = entry.auth, !auth.isEmpty {
                    guard let login = Self.decode(auth) else {
                        throw UnreadableConfig(
                            path: path, why: "the \"auth\" of \"\(key.excerpt())\" is not base64 of user:password")
                    }
                    logins[Self.place(key)] = login
                } else if let username = entry.username, let password = entry.password, !username.isEmpty {
                    logins[Self.place(key)] = Login(username: username, password: Secret(password))
                }
            }
            self.logins = logins
            helpers = Dictionary((form.credHelpers ?? [:]).map { (Self.place($0), $1) }) { first, _ in first }
            store = form.credsStore.flatMap { $0.isEmpty ? nil : $0 }
        }

        /// The nearest entry: the image's whole path first, the host alone last.
        func login(for host: String, path: String?) -> Login? {
            var parts = (path ?? "").split(separator: "/")
            while !parts.isEmpty {
                if let login = logins["\(host)/\(parts.joined(separator: "/"))"] { return login }
                parts.removeLast()
            }
            return logins[host]
        }

        /// `https://registry.example.com/v2/` → `registry.example.com`; `quay.io/acme` stays; Docker Hub's many names
        /// become the one of image names.
        static func place(_ key: String) -> String {
            var place = key[...]
            let hasScheme = place.contains("://")
            if let scheme = place.firstRange(of: "://") { place = place[scheme.upperBound...] }
            var parts = place.split(separator: "/").map(String.init)
            guard let host = parts.first?.lowercased() else { return key }
            let isHub = ["index.docker.io", "registry-1.docker.io", ImageName.dockerHub].contains(host)
            // An address is of the whole registry; so are the API's own paths.
            if hasScheme || (parts.count == 2 && ["v1", "v2"].contains(parts[1])) { parts.removeLast(parts.count - 1) }
            parts[0] = isHub ? ImageName.dockerHub : parts[0]
            return parts.joined(separator: "/")
        }

        /// Base64 of `user:password`; Docker pads the password with NULs now and then.
        private static func decode(_ auth: String) -> Login? {
            guard let data = Data(base64Encoded: auth.trimmingCharacters(in: .whitespacesAndNewlines)),
                let text = String(data: data, encoding: .utf8), let colon = text.firstIndex(of: ":"),
                colon != text.startIndex
            else { return nil }
            let password = text[text.index(after: colon)...].trimmingCharacters(in: ["\0"])
            return Login(username: String(text[..<colon]), password: Secret(password))
        }
    }
}
