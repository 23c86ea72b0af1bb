import Foundation

/// What a trigger's token stands for.
package struct TokenHolder: Sendable {
    package let repository: Repository
    package let token: TriggerToken

    /// Every trigger token of the settings, by its hash.
    static func all(_ settings: Settings) -> [Data: TokenHolder] {
        let holders = settings.repositories.flatMap { repository in
            repository.triggerTokens.map { ($0.hash, TokenHolder(repository: repository, token: $0)) }
        }
        // The settings take no token twice.
        return Dictionary(holders) { first, _ in first }
    }
}
