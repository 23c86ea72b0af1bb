import Foundation
import FoundationNetworking
import Model
import Synchronization

/// A bearer token, as a registry's token server gave it.
struct Token: Sendable {
    let value: Secret
    /// When it is no longer worth sending.
    let expires: Date

    /// The token server's answer (distribution, "Token Authentication Specification").
    ///
    /// - Returns: nil where the body holds no token.
    init?(_ body: Data, receivedAt: Date) {
        struct Form: Decodable {
            var token: String?
            var access_token: String?
            var expires_in: Double?
        }
        guard let form = try? JSONDecoder().decode(Form.self, from: body),
            let value = [form.token, form.access_token].compactMap(\.self).first(where: { !$0.isEmpty }),
            value.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        else { return nil }
        self.value = Secret(value)
        // 60 s is what the specification sets for servers that don't say; the slack is for the way there.
        expires = receivedAt + max(form.expires_in ?? 60, 0) - 10
    }
}

/// What one request needs the right for, by whom: a token serves every request with the same one.
struct TokenKey: Sendable, Hashable {
    let host: String
    /// `repository:acme/shop:pull,push`; nil asks only to be let in.
    let scope: String?
    let login: Login?
}

/// How registries want to be spoken to, as far as they have said.
final class KnownAuthorizations: Sendable {
    private struct State {
        var tokens: [TokenKey: Token] = [:]
        /// Registries that take user and password with each request.
        var basic: Set<String> = []
    }

    private let state = Mutex(State())

    /// The `Authorization` header that is likely to do, or nil where the registry has to be asked first.
    func header(_ key: TokenKey, now: Date) -> Secret? {
        state.withLock { state in
            if let token = state.tokens[key], token.expires > now { return Secret("Bearer \(token.value.value)") }
            guard state.basic.contains(key.host), let login = key.login, !login.isIdentityToken else { return nil }
            return login.basic
        }
    }

    func keep(_ token: Token, for key: TokenKey, now: Date) {
        state.withLock { state in
            // What nobody asks for any more goes here, so that the table stays as small as the registries in use.
            state.tokens = state.tokens.filter { $0.value.expires > now }
            state.tokens[key] = token
            state.basic.remove(key.host)
        }
    }

    func takesBasic(_ host: String) {
        _ = state.withLock { $0.basic.insert(host) }
    }

    func forget(_ key: TokenKey) {
        _ = state.withLock { $0.tokens.removeValue(forKey: key) }
    }
}

extension Login {
    var isIdentityToken: Bool { username == DockerConfig.identityTokenUser }

    /// The value of an `Authorization` header (RFC 7617).
    var basic: Secret {
        Secret("Basic " + Data("\(username):\(password.value)".utf8).base64EncodedString())
    }
}
