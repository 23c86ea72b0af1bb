import Foundation
import HTTP
import Model
import Platform
import Settings

/// Who may ask what of the API: bearer tokens (RFC 6750) with a role and a set of repositories.
struct Access: Sendable {
    /// What a request's token allows.
    struct Caller: Sendable {
        /// Of the token; nil where none is needed.
        var name: String?
        let role: AccessToken.Role
        let repositories: [String]

        /// Whether one of the patterns, with `*` for any characters, is the name's.
        func sees(_ name: RepositoryName) -> Bool {
            repositories.contains { Self.matches(Array($0.utf8)[...], Array(name.text.utf8)[...]) }
        }

        private static func matches(_ pattern: ArraySlice<UInt8>, _ name: ArraySlice<UInt8>) -> Bool {
            guard let first = pattern.first else { return name.isEmpty }
            if first == UInt8(ascii: "*") {
                return name.indices.contains { matches(pattern.dropFirst(), name[$0...]) }
                    || matches(pattern.dropFirst(), [])
            }
            return name.first == first && matches(pattern.dropFirst(), name.dropFirst())
        }
    }

    private let tokens: [AccessToken]

    init(_ tokens: [AccessToken]) {
        self.tokens = tokens
    }

    /// - Throws: a 401 `Refusal` without a known token, a 403 one where the token's role is too small.
    func caller(_ request: HTTPRequest, needs role: AccessToken.Role) throws -> Caller {
        // Without tokens the settings allow only a loopback address to listen on.
        if tokens.isEmpty { return Caller(role: .admin, repositories: ["*"]) }
        guard let header = request.header("Authorization") else {
            throw Refusal(
                401, "A token is needed",
                "send \"Authorization: Bearer <token>\" with a token of the settings' access list")
        }
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else {
            throw Refusal(401, "A token is needed", "the Authorization header is not \"Bearer <token>\"")
        }
        let given = Data(parts[1].trimmingCharacters(in: .whitespaces).utf8)
        let known = tokens.reduce(nil as AccessToken?) {
            Crypto.constantTimeEqual(Data($1.token.value.utf8), given) ? $1 : $0
        }
        guard let known else {
            throw Refusal(401, "The token is not known", "it is in no entry of the settings' access list")
        }
        guard known.role >= role else {
            throw Refusal(
                403, "The token may not do this", "\"\(known.name)\" has the role \(known.role); \(role) is needed")
        }
        return Caller(name: known.name, role: known.role, repositories: known.repositories)
    }
}
