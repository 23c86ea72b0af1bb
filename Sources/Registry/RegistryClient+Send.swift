import Foundation
import FoundationNetworking
import Model

extension RegistryClient {
    /// What a request wants to do to a repository.
    enum Right: String, Sendable {
        case pull
        case push = "pull,push"
    }

    /// One request of the distribution API.
    struct Call: Sendable {
        var method: String
        /// After `/v2/`.
        var path: String
        var image: ImageName?
        var right: Right
        var accept: [String]
        var body: Data?
        var contentType: String?
        /// Where the registry itself said to go on, instead of the path.
        var url: URL?

        init(_ method: String, _ path: String, _ image: ImageName?, _ right: Right, accept: [String] = []) {
            self.method = method
            self.path = path
            self.image = image
            self.right = right
            self.accept = accept
        }

        /// As token servers name it (distribution, "Token Scope Documentation").
        var scope: String? {
            image.map { "repository:\($0.path):\(right.rawValue)" }
        }
    }

    /// Sends a request with the credentials that the registry asks for.
    ///
    /// - Returns: the answer, whatever its status but 401 where credentials were asked for; and the login that it was
    ///   sent for, nil for an anonymous one.
    /// - Throws: `RegistryError`.
    func send(_ call: Call, limit: Int, _ operation: RegistryOperation) async throws -> (Response, Login?) {
        let settings = configuration(operation.host)
        let address = try RegistryAddress(host: operation.host, insecure: settings.insecure)
        let login = try await login(settings, host: operation.host, path: call.image?.path, operation)
        let key = TokenKey(host: operation.host, scope: call.scope, login: login)
        let request = Self.request(call, to: address)

        let likely = known.header(key, now: time.now)
        let first = try await transport.send(request.authorized(likely), limit: limit, operation)
        // A redirect may have led to another host, whose wish for credentials is none of ours.
        guard first.status == 401, let from = request.url?.origin, first.url.origin == from else {
            return (first, login)
        }
        known.forget(key)
        let fresh = try await authorization(for: first, key, insecure: settings.insecure, operation)
        // The same user and password again would be refused again.
        guard fresh.value != likely?.value else { throw first.error(operation, login: login, now: time.now) }
        let second = try await transport.send(request.authorized(fresh), limit: limit, operation)
        if second.status == 401 {
            known.forget(key)
            throw second.error(operation, login: login, now: time.now)
        }
        return (second, login)
    }

    /// Answers the challenge of a 401.
    private func authorization(
        for response: Response, _ key: TokenKey, insecure: Bool, _ operation: RegistryOperation
    ) async throws -> Secret {
        let challenges = Challenge.parse(response.headers["www-authenticate"] ?? "")
        if let bearer = challenges.first(where: { $0.scheme == "bearer" }) {
            let server = try TokenServer(bearer, scope: key.scope, insecure: insecure, operation)
            let token = try await server.token(for: key.login, by: transport, now: time.now, operation)
            known.keep(token, for: key, now: time.now)
            return Secret("Bearer \(token.value.value)")
        }
        guard challenges.contains(where: { $0.scheme == "basic" }) else {
            let asked = challenges.map(\.scheme.localizedCapitalized).joined(separator: ", ")
            throw RegistryError.notARegistry(
                operation,
                why:
                    "it wants \(asked.isEmpty ? "credentials without saying which" : asked.excerpt()), not Basic or Bearer"
            )
        }
        guard let login = key.login, !login.isIdentityToken else {
            throw response.error(operation, login: key.login, now: time.now)
        }
        known.takesBasic(key.host)
        return login.basic
    }

    private func login(
        _ settings: RegistryConfiguration, host: String, path: String?, _ operation: RegistryOperation
    ) async throws -> Login? {
        if let login = settings.login { return login }
        do {
            return try await dockerConfig?.login(for: host, path: path)
        } catch let error as HelperFailure {
            throw RegistryError.credentials(operation, why: error.description)
        }
    }

    /// What the engine is to be given for a registry, or for one image in it: the settings' login, else the Docker
    /// configuration's.
    ///
    /// - Returns: nil for an anonymous one; a user name of `DockerConfig.identityTokenUser` says that the password is
    ///   an identity token.
    /// - Throws: `RegistryError.credentials` where a credential helper fails.
    package func login(for host: String, path: String? = nil) async throws -> Login? {
        let operation = RegistryOperation("find the login for \(host)", host: host)
        return try await login(configuration(host), host: host, path: path, operation)
    }

    private static func request(_ call: Call, to address: RegistryAddress) -> URLRequest {
        var request = URLRequest(url: call.url ?? address.url(call.path))
        request.httpMethod = call.method
        request.httpBody = call.body
        if let type = call.contentType { request.setValue(type, forHTTPHeaderField: "Content-Type") }
        // One header with commas: some servers look only at the first of several.
        if !call.accept.isEmpty { request.setValue(call.accept.joined(separator: ", "), forHTTPHeaderField: "Accept") }
        return request
    }
}

extension URLRequest {
    func authorized(_ header: Secret?) -> URLRequest {
        var request = self
        request.setValue(header?.value, forHTTPHeaderField: "Authorization")
        return request
    }
}
