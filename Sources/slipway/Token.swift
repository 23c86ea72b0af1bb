import Foundation
import Platform
import Settings

enum Token: Command {
    static let name = "token"
    static let usage = "token [--name NAME] [--json]"
    static let about = "Makes a token for build triggers and shows it once; the settings need only its hash."
    static let options: Set<String> = ["name"]
    static let flags: Set<String> = ["json"]

    static func run(_ arguments: Arguments) async throws -> Exit {
        _ = try arguments.positionals(0...0, "")
        let name = arguments["name"]
        if let name, name.isEmpty || name != Terminal.harmless(name) {
            throw UsageError("a token's name is visible text")
        }
        let made = Made(name: name)
        if arguments.has("json") {
            try Status.show(json: made)
            return .good
        }
        Terminal.talk(
            """
            This token is shown only now. In the settings of the repository that it is to build, put:

                trigger_tokens:
                  \(made.settings)

            and once the service runs with them, POST to any of these addresses of the service, the token in place of TOKEN:

                \(made.paths.joined(separator: "\n    "))

            """)
        Terminal.print(made.token)
        return .good
    }

    /// A new token, as `--json` shows it.
    private struct Made: Encodable {
        let name: String?
        let token: String
        let sha256: String
        /// An entry of `trigger_tokens`.
        let settings: String
        /// Without the token: addresses are copied to where it has no business.
        let paths = [
            "/triggers/TOKEN", "/u/NAMESPACE/NAME/trigger/TOKEN/", "/api/build/v1/source/ANY/trigger/TOKEN/call/",
        ]

        init(name: String?) {
            self.name = name
            // RFC 4648, section 5: base64 whose every character may stand in an address, and that no one takes for a
            // hash in hexadecimal digits.
            token = Crypto.randomBytes(32).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
                .replacing("=", with: "")
            sha256 = TriggerToken.hash(token).hex
            let quoted = name.map { "name: '\($0.replacing("'", with: "''"))', " } ?? ""
            settings = "- {\(quoted)sha256: \(sha256)}"
        }
    }
}
