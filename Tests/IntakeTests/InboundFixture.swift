import Foundation
import Model
import Queue

@testable import Intake

extension Inbound {
    /// A request as a Git host would send it.
    static func fixture(
        _ body: String, _ headers: [String: String] = [:], at seconds: TimeInterval = 1_700_000_000
    ) -> Inbound {
        fixture(Data(body.utf8), headers, at: seconds)
    }

    static func fixture(
        _ body: Data, _ headers: [String: String] = [:], at seconds: TimeInterval = 1_700_000_000
    ) -> Inbound {
        Inbound(
            headers: headers.map { Header(name: $0.key, value: $0.value) }, body: body, remoteAddress: "127.0.0.1",
            receivedAt: Date(timeIntervalSince1970: seconds))
    }

    /// The fields as a form.
    static func form(_ payload: String) -> String {
        "payload=" + (payload.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")
    }
}

extension Trust {
    static func fixture(_ secrets: String...) -> Trust {
        Trust(owner: "acme/shop", secrets: secrets.map { Secret($0) }, topics: [])
    }
}

extension Webhook {
    /// `refs/heads/main <commit>`, or `refs/tags/v1 -` where the commit is not told.
    var told: [String] { pushes.map { "\($0.ref) \($0.commit?.text ?? "-")" } }
}

/// Commits and the like, by a digit.
func id(_ digit: Character) -> String { String(repeating: digit, count: 40) }
