import Foundation
import Model
import Platform

/// `trigger_tokens`.
extension SettingsReader {
    private static let keys = ["name", "token", "sha256", "rules"]

    /// - Parameters:
    ///   - name: the repository's.
    ///   - rules: how many it has.
    ///   - owners: the hashes so far and the repositories they are of.
    func triggerTokens(
        _ node: Node?, of name: String, rules: Int, _ owners: inout [Data: String]
    ) -> [TriggerToken] {
        var names: Set<String> = []
        var tokens: [TriggerToken] = []
        let items = node.map(oneOrMore) ?? []
        for (index, item) in items.enumerated() {
            guard let (token, position) = triggerToken(item, unnamed: "token \(index + 1)", rules: rules) else {
                continue
            }
            if !names.insert(token.name).inserted {
                report.error(item.position, "another trigger token is named \"\(token.name.excerpt())\" too")
            }
            // The token alone tells a trigger's repository, so no two may have the same.
            if let other = owners[token.hash] {
                report.error(
                    position,
                    other == name
                        ? "this trigger token is in the list already"
                        : "this trigger token is one of \"\(other)\" too, and the token decides which repository is built"
                )
            }
            owners[token.hash] = name
            tokens.append(token)
        }
        return tokens
    }

    /// - Returns: the token and where what it is made of stands.
    private func triggerToken(_ item: Node, unnamed: String, rules: Int) -> (TriggerToken, Position)? {
        guard isEntry(item) else {
            return hash(ofSecret: item).map { (TriggerToken(name: unnamed, hash: $0), item.position) }
        }
        guard let fields = Fields(item, "a trigger token", keys: Self.keys, report) else { return nil }
        let name = fields["name"].map { text($0, "name") } ?? unnamed
        let allowed = fields["rules"].map { self.allowed($0, of: rules) }
        guard let name, let (hash, position) = hash(fields) else { return nil }
        return (TriggerToken(name: name, hash: hash, rules: allowed), position)
    }

    /// Whether a token's entry is a mapping of its own, and not the secret alone, even where its keys are misspelt.
    private func isEntry(_ item: Node) -> Bool {
        guard case .mapping(let entries) = item.content else { return false }
        return entries.contains { entry in
            Nearest.word(to: entry.key, in: Self.keys + ["env", "file"]).map(Self.keys.contains) ?? false
        }
    }

    private func hash(_ fields: Fields) -> (Data, Position)? {
        switch (fields["token"], fields["sha256"]) {
        case (let token?, nil): return hash(ofSecret: token).map { ($0, token.position) }
        case (nil, let sha256?):
            guard let text = text(sha256, "sha256") else { return nil }
            guard let hash = Data(hex: text), hash.count == 32 else {
                // Not shown: it may be the token itself.
                report.error(
                    sha256.position,
                    "sha256 must be the token's hash, 64 hexadecimal digits; slipway token makes a token and shows both"
                )
                return nil
            }
            return (hash, sha256.position)
        case (_?, _?): report.error(fields.position, "a trigger token has either \"token\" or \"sha256\", not both")
        case (nil, nil): fields.requireEither("token", "sha256", report)
        }
        return nil
    }

    private func hash(ofSecret node: Node) -> Data? {
        guard let token = secret(node, "a trigger token") else { return nil }
        warnOfGuessable(token, "the trigger token", at: node.position)
        if token.value.contains(where: { !"._~-".contains($0) && !($0.isASCII && ($0.isLetter || $0.isNumber)) }) {
            report.warn(
                node.position,
                "the trigger token holds characters that must be escaped in an address; letters and digits need not")
        }
        return TriggerToken.hash(token.value)
    }

    private func allowed(_ node: Node, of rules: Int) -> Set<Int> {
        let items = oneOrMore(node)
        if items.isEmpty {
            report.error(node.position, "rules names no rule; without \"rules\" a trigger token may start every rule")
        }
        return Set(items.compactMap { integer($0, "a trigger token's rule", 1...max(rules, 1)) })
    }
}
