/// A password, token or key: never shown by a description, and never written to the database.
package struct Secret: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The secret itself. Whoever reads it sees to it that it reaches no log, argument list or printed address.
    package let value: String

    package init(_ value: String) {
        self.value = value
    }

    package var description: String { "•••" }
    package var debugDescription: String { "•••" }
    /// Without children: `dump` and failed tests look inside values.
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// A user's name and password, for a Git host or a registry.
package struct Login: Sendable, Hashable {
    package let username: String
    package let password: Secret

    package init(username: String, password: Secret) {
        self.username = username
        self.password = password
    }
}
