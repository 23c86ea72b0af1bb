import Model

/// One repository that Slipway builds.
package struct Repository: Sendable, Equatable {
    package static let usualPoll = Duration.seconds(300)

    package var name: RepositoryName
    package var source: GitSource
    package var credentials: GitCredentials?
    package var image: ImageName
    /// Any of them may have signed a webhook; empty refuses every webhook.
    package var webhookSecrets: [Secret]
    /// ARNs of the Amazon SNS topics that tell of its pushes.
    package var snsTopics: [String]
    /// False takes webhooks of whoever knows the address.
    package var verifiesWebhooks: Bool
    package var triggerTokens: [TriggerToken]
    /// How often its branches and tags are looked at, for pushes that nobody told of; nil is never.
    package var poll: Duration?
    package var rules: [Rule]

    package init(
        name: RepositoryName, source: GitSource, credentials: GitCredentials? = nil, image: ImageName,
        webhookSecrets: [Secret] = [], snsTopics: [String] = [], verifiesWebhooks: Bool = true,
        triggerTokens: [TriggerToken] = [], poll: Duration? = Repository.usualPoll, rules: [Rule]
    ) {
        self.name = name
        self.source = source
        self.credentials = credentials
        self.image = image
        self.webhookSecrets = webhookSecrets
        self.snsTopics = snsTopics
        self.verifiesWebhooks = verifiesWebhooks
        self.triggerTokens = triggerTokens
        self.poll = poll
        self.rules = rules
    }

    package var secrets: [Secret] {
        var secrets = webhookSecrets
        switch credentials {
        case .login(let login): secrets.append(login.password)
        case .ssh(let key): secrets += [key.privateKey] + (key.passphrase.map { [$0] } ?? [])
        case nil: break
        }
        return secrets
    }
}
