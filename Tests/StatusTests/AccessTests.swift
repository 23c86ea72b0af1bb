import Foundation
import HTTP
import Model
import Settings
import Testing

@testable import Status

@Suite struct AccessTests {
    private let access = Access([
        AccessToken(name: "reader", token: Secret("read-token"), role: .read, repositories: ["acme/*"]),
        AccessToken(name: "ops", token: Secret("ops-token"), role: .admin),
    ])

    private func request(_ authorization: String?) throws -> HTTPRequest {
        try HTTPRequest(target: "/", headers: authorization.map { [("Authorization", $0)] } ?? [])
    }

    @Test(
        arguments: [
            // no token, another scheme, an unknown token, a token that is only begun
            (nil, 401), ("Basic cmVhZC10b2tlbg==", 401), ("Bearer nobody", 401), ("Bearer read-toke", 401),
            ("Bearer ", 401),
            // a role that is too small
            ("Bearer read-token", 403),
        ] as [(String?, Int)])
    func refusals(authorization: String?, status: Int) throws {
        let refusal = #expect(throws: Refusal.self) {
            try access.caller(request(authorization), needs: .build)
        }
        #expect(refusal?.status == status)
        #expect((refusal?.headers.first?.name == "WWW-Authenticate") == (status == 401))
    }

    @Test func rolesIncludeTheSmallerOnes() throws {
        #expect(try access.caller(request("Bearer ops-token"), needs: .read).role == .admin)
        #expect(try access.caller(request("bearer read-token"), needs: .read).role == .read)
    }

    @Test func withoutTokensEverybodyMay() throws {
        #expect(try Access([]).caller(request(nil), needs: .admin).role == .admin)
    }

    @Test(arguments: [
        ("*", "acme/shop", true), ("acme/*", "acme/shop", true), ("acme/*", "other/shop", false),
        ("*/shop", "acme/shop", true),
        ("acme/s*p", "acme/shop", true), ("acme/s*x", "acme/shop", false), ("acme/shop", "acme/shop2", false),
        ("acme", "acme/shop", false), ("", "acme/shop", false), ("acme/shop*", "acme/shop", true),
    ])
    func patterns(pattern: String, name: String, sees: Bool) throws {
        let caller = Access.Caller(role: .read, repositories: [pattern])
        #expect(caller.sees(try RepositoryName(name)) == sees)
    }
}
