import Foundation
import Platform

/// A shared secret sent as the password of HTTP's Basic authentication (RFC 7617), under any user name.
enum BasicPassword {
    static func isThere(_ inbound: Inbound) -> Bool { encoded(inbound) != nil }

    /// - Throws: `IntakeError.unauthenticated` where no secret is set, or the password is missing, malformed or wrong.
    static func check(_ inbound: Inbound, _ trust: Trust) throws(IntakeError) {
        let secrets = try trust.needed()
        guard let encoded = encoded(inbound) else {
            throw .unauthenticated(
                "the header Authorization is missing or not Basic; give the Git host a user name, and as its password "
                    + "the webhook_secret of \(trust.owner)")
        }
        guard let login = Data(base64Encoded: encoded), let colon = login.firstIndex(of: UInt8(ascii: ":")) else {
            throw .unauthenticated("the header Authorization is not Basic with <user>:<password> in base64")
        }
        // Their hashes are compared: these are equally long, whatever the passwords are.
        let password = Crypto.sha256(Data(login[(colon + 1)...]))
        let genuine = secrets.map { Crypto.sha256(Data($0.value.utf8)) }
            .reduce(false) { Crypto.constantTimeEqual($1, password) || $0 }
        guard genuine else { throw .unauthenticated(trust.wrong("password")) }
    }

    private static func encoded(_ inbound: Inbound) -> String? {
        guard let value = inbound.header("Authorization"), value.prefix(6).lowercased() == "basic " else { return nil }
        return value.dropFirst(6).trimmingCharacters(in: .whitespaces)
    }
}
