import Foundation
import FoundationNetworking
import Model

/// Where a Bearer challenge sends for a token (distribution, "Token Authentication Specification" and "OAuth2").
struct TokenServer: Sendable {
    private static let bodyLimit = 1 << 20

    private let realm: URL
    private let service: String?
    private let scopes: [String]

    /// - Parameters:
    ///   - scope: asked for where the challenge names none.
    ///   - insecure: whether the registry itself is spoken to over plain HTTP.
    /// - Throws: `RegistryError.unsafe` where credentials would go over plain HTTP to another machine without leave.
    init(_ challenge: Challenge, scope: String?, insecure: Bool, _ operation: RegistryOperation) throws {
        let text = challenge.parameters["realm"] ?? ""
        guard let realm = URL(string: text), let scheme = realm.scheme?.lowercased(),
            ["http", "https"].contains(scheme),
            realm.host?.isEmpty == false, realm.user == nil, realm.password == nil
        else {
            throw RegistryError.notARegistry(operation, why: "the address of its token server makes no sense")
        }
        guard scheme == "https" || insecure || realm.isLoopback else {
            throw RegistryError.unsafe(operation, why: "its token server \(realm.origin) speaks plain HTTP")
        }
        self.realm = realm
        service = challenge.parameters["service"]
        // The registry knows best what it wants; "repository:a:pull repository:b:pull" are two (RFC 6750, 3).
        let wanted = (challenge.parameters["scope"] ?? "").split(separator: " ").map(String.init)
        scopes = wanted.isEmpty ? scope.map { [$0] } ?? [] : wanted
    }

    /// GET with user and password, or nobody's; POST for an identity token.
    func request(for login: Login?) -> URLRequest {
        let service = service.map { [("service", $0)] } ?? []
        if let login, login.isIdentityToken {
            var request = URLRequest(url: realm)
            request.httpMethod = "POST"
            request.setValue("application/x-www-form-urlencoded", forHTTPHeaderField: "Content-Type")
            let fields =
                [("grant_type", "refresh_token"), ("client_id", "slipway")] + service
                + (scopes.isEmpty ? [] : [("scope", scopes.joined(separator: " "))])
                + [("refresh_token", login.password.value)]
            request.httpBody = Data(Self.form(fields).utf8)
            return request
        }
        var components = URLComponents(url: realm, resolvingAgainstBaseURL: true)
        let query = Self.form(service + scopes.map { ("scope", $0) })
        let before = components?.percentEncodedQuery.flatMap { $0.isEmpty ? nil : $0 }
        components?.percentEncodedQuery = [before, query.isEmpty ? nil : query].compactMap(\.self).joined(
            separator: "&")
        var request = URLRequest(url: components?.url ?? realm)
        if let login { request.setValue(login.basic.value, forHTTPHeaderField: "Authorization") }
        return request
    }

    /// Asks for a token.
    ///
    /// - Throws: `RegistryError`: `refused` where the server doesn't take the credentials.
    func token(for login: Login?, by transport: Transport, now: Date, _ operation: RegistryOperation) async throws
        -> Token
    {
        let response = try await transport.send(request(for: login), limit: Self.bodyLimit, operation)
        // OAuth2 servers answer 400 for a grant that is no longer good (RFC 6749, 5.2).
        if response.status == 400, login?.isIdentityToken == true {
            throw RegistryError.refused(operation, username: login?.username, message: response.message)
        }
        guard response.status == 200 else { throw response.error(operation, login: login, now: now) }
        guard let token = Token(response.body, receivedAt: now) else {
            throw RegistryError.notARegistry(operation, why: "its token server \(realm.origin) gave no token")
        }
        return token
    }

    private static func form(_ fields: [(String, String)]) -> String {
        func escaped(_ text: String) -> String {
            text.addingPercentEncoding(withAllowedCharacters: unreserved) ?? ""
        }
        return fields.map { "\(escaped($0))=\(escaped($1))" }.joined(separator: "&")
    }

    /// RFC 3986, 2.3, and what scopes are full of and a query may hold.
    private static let unreserved = CharacterSet(
        charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/,")
}
