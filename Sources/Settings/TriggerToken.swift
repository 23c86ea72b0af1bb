import Foundation
import Model
import Platform

/// What lets a script start builds of one repository. Only the token's hash is kept, so no one can read it here.
package struct TriggerToken: Sendable, Equatable {
    /// For the log of triggers.
    package var name: String
    /// SHA-256 of the token's UTF-8 bytes.
    package var hash: Data
    /// The numbers of the rules that it may start; nil is all.
    package var rules: Set<Int>?

    package init(name: String, hash: Data, rules: Set<Int>? = nil) {
        self.name = name
        self.hash = hash
        self.rules = rules
    }

    package init(name: String, token: Secret, rules: Set<Int>? = nil) {
        self.init(name: name, hash: Self.hash(token.value), rules: rules)
    }

    package static func hash(_ token: String) -> Data {
        Crypto.sha256(Data(token.utf8))
    }
}
