import Model

/// What another reading of the settings changed; the description tells it in few words, without values.
package struct SettingsChange: Sendable, Equatable, CustomStringConvertible {
    /// Names of repositories, in the order of the file.
    package var added: [String]
    package var removed: [String]
    package var changed: [String]
    /// Top level keys whose values changed.
    package var keys: [String]
    /// Top level keys whose new values need a restart.
    package var needRestart: [String]

    /// - Returns: beside the change, the new settings with what stays as it is.
    static func between(_ old: Settings, and read: Settings) -> (SettingsChange, Settings) {
        var new = read
        var needRestart: [String] = []
        func keep<Value: Equatable>(_ key: String, _ value: WritableKeyPath<Settings, Value>) {
            guard new[keyPath: value] != old[keyPath: value] else { return }
            new[keyPath: value] = old[keyPath: value]
            needRestart.append(key)
        }
        keep("listen", \.listen)
        keep("data", \.data)
        keep("database", \.database)
        keep("engine", \.engine)
        keep("worker", \.worker)
        // Fit for the file's address, perhaps, but without tokens the API is open to whoever reaches the present one.
        if !new.listen.isLoopback, new.access.isEmpty { keep("access", \.access) }

        func differs<Value: Equatable>(_ value: KeyPath<Settings, Value>) -> Bool {
            new[keyPath: value] != old[keyPath: value]
        }
        let keys = [
            ("url", differs(\.url)), ("workers", differs(\.workers)), ("access", differs(\.access)),
            ("trusted_proxies", differs(\.trustedProxies)), ("limits", differs(\.limits)),
            ("retries", differs(\.retries)), ("base_poll", differs(\.basePoll)), ("sweep", differs(\.sweep)),
            ("keep", differs(\.keep)),
            ("disk", differs(\.disk)), ("webhook_secret", differs(\.webhookSecrets)),
            ("sns_topic", differs(\.snsTopics)), ("registries", differs(\.registries)),
        ].filter(\.1).map(\.0)

        let before = Dictionary(old.repositories.map { ($0.name, $0) }) { first, _ in first }
        let after = Set(new.repositories.map(\.name))
        let change = SettingsChange(
            added: new.repositories.filter { before[$0.name] == nil }.map(\.name.text),
            removed: old.repositories.filter { !after.contains($0.name) }.map(\.name.text),
            changed: new.repositories.filter { before[$0.name] != nil && before[$0.name] != $0 }.map(\.name.text),
            keys: keys, needRestart: needRestart)
        return (change, new)
    }

    package var description: String {
        let parts = [("repositories added", added), ("removed", removed), ("changed", changed), ("keys changed", keys)]
            .filter { !$0.1.isEmpty }
            .map { "\($0.0): \($0.1.joined(separator: ", "))" }
        return parts.isEmpty ? "nothing changed" : parts.joined(separator: "; ")
    }
}
