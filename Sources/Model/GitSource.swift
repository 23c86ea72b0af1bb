/// Where a repository is cloned from: an https, http, ssh or git address, the short ssh form `user@host:path`, or a
/// path on this machine.
package struct GitSource: TextValue {
    package enum Transport: String, Sendable, Codable {
        case https, http, ssh, git, path
    }

    /// As in the settings; a user or password in an address is refused, so it may be shown.
    package let text: String
    package let transport: Transport
    /// `git.example.com:8443`; empty for a path.
    package let host: String

    package init(_ text: String) throws(InvalidText) {
        func invalid(_ why: String) -> InvalidText {
            // What stands before an @ may be a password.
            let shown = text.lastIndex(of: "@").map { "…\(text[$0...])" } ?? text
            return InvalidText("\"\(shown.excerpt())\" can't be cloned from: \(why)")
        }
        self.text = text
        if text.hasPrefix("/") {
            transport = .path
            host = ""
        } else if text.hasPrefix("file:///") {
            transport = .path
            host = ""
        } else if let match = text.wholeMatch(
            of: /(https|http|ssh|git):\/\/(?:([^@\/]*)@)?(\[[0-9a-fA-F:]+\]|[A-Za-z0-9._\-]+)(:[0-9]{1,5})?\/.+/)
        {
            transport = Transport(rawValue: String(match.1)) ?? .https
            host = String(match.3) + (match.4 ?? "")
            if let user = match.2, transport != .ssh || user.contains(":") {
                // Not shown: what stands before the @ may be a password.
                throw InvalidText(
                    "the address of host \"\(host)\" holds a user or password: those go under \"credentials\"")
            }
        } else if let match = text.wholeMatch(of: /(?:[A-Za-z0-9._-]+@)?([A-Za-z0-9._\-]+|\[[0-9a-fA-F:]+\]):.+/),
            // `name::…` is a helper program's address (gitremote-helpers), which nothing here runs.
            !text.contains("://"), text.prefixMatch(of: /[A-Za-z0-9._+\-]+::/) == nil
        {
            transport = .ssh
            host = String(match.1)
        } else {
            throw invalid(
                "write https://host/path, ssh://user@host/path, user@host:path, git://host/path or an absolute path")
        }
    }

    /// The path on this machine, where it is one.
    package var path: String? {
        guard transport == .path else { return nil }
        return text.hasPrefix("file://") ? String(text.dropFirst(7)) : text
    }
}

/// What a Git host wants to see before it gives a repository.
package enum GitCredentials: Sendable, Hashable {
    case login(Login)
    case ssh(SSHKey)

    package struct SSHKey: Sendable, Hashable {
        /// The private key's text, in OpenSSH or PEM form.
        package let privateKey: Secret
        package let passphrase: Secret?
        /// Lines of known_hosts(5); nil takes /etc/ssh/ssh_known_hosts.
        package let knownHosts: String?

        package init(privateKey: Secret, passphrase: Secret? = nil, knownHosts: String? = nil) {
            self.privateKey = privateKey
            self.passphrase = passphrase
            self.knownHosts = knownHosts
        }
    }
}
