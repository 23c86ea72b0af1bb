import Foundation
import Model

/// What proves webhooks, of one repository or of a whole Git host.
extension SettingsReader {
    /// `webhook_secret`: one, or several while one takes another's place.
    func webhookSecrets(_ node: Node?) -> [Secret] {
        node.map(oneOrMore)?.compactMap { item in
            guard let secret = secret(item, "webhook_secret") else { return nil }
            var key = secret
            if secret.value.hasPrefix("whsec_") {
                key = Secret(String(secret.value.dropFirst("whsec_".count)))
                guard Data(base64Encoded: key.value)?.isEmpty == false else {
                    report.error(
                        item.position,
                        "webhook_secret begins with whsec_ as signing tokens do (Standard Webhooks, GitLab), but what "
                            + "follows is not base64; copy it whole, with any \"=\" at its end")
                    return nil
                }
            }
            warnOfGuessable(key, "webhook_secret", at: item.position)
            return secret
        } ?? []
    }

    /// `sns_topic`: the ARNs of one topic or several.
    func snsTopics(_ node: Node?) -> [String] {
        node.map(oneOrMore)?.compactMap { item in
            guard let topic = text(item, "sns_topic") else { return nil }
            // Amazon SNS, CreateTopic: of other names there are only FIFO topics, which tell no HTTP address anything.
            let form = /arn:aws(-[a-z\-]+)?:sns:[a-z0-9\-]+:[0-9]{12}:[A-Za-z0-9_\-]{1,256}/
            guard topic.wholeMatch(of: form) != nil else {
                report.error(
                    item.position,
                    "\"\(topic.excerpt())\" is not the ARN of an Amazon SNS topic: arn:aws:sns:eu-central-1:123456789012:pushes is"
                )
                return nil
            }
            return topic
        } ?? []
    }

    /// `verify_webhooks`, which only its own word turns off.
    func verifiesWebhooks(_ fields: Fields) -> Bool {
        guard let node = fields["verify_webhooks"], truth(node, "verify_webhooks") == false else { return true }
        report.warn(
            node.position,
            "verify_webhooks is false: webhooks of anybody who knows the address are taken, and each can start builds")
        for key in ["webhook_secret", "sns_topic"] {
            guard let position = fields.position(of: key) else { continue }
            report.warn(position, "\(key) is not looked at, since verify_webhooks is false")
        }
        return false
    }
}
