import CGit2
import Foundation
import Model

/// Answers what libgit2 asks during a conversation: who we are, whether the host is who it says, whether to go on.
final class RemoteTalk {
    let call: NetworkCall
    private let source: GitSource
    private let credentials: GitCredentials?
    private let address: HostAddress
    private var asked = 0
    /// What a callback refused and why: said rather than libgit2's own words.
    private var objection: CheckoutError?

    init(_ source: GitSource, _ credentials: GitCredentials?, _ call: NetworkCall) {
        self.source = source
        self.credentials = credentials
        self.call = call
        address = HostAddress(source)
    }

    /// Valid as long as this object lives.
    var callbacks: git_remote_callbacks {
        var callbacks = git_remote_callbacks()
        git_remote_init_callbacks(&callbacks, UInt32(GIT_REMOTE_CALLBACKS_VERSION))
        callbacks.payload = Unmanaged.passUnretained(self).toOpaque()
        callbacks.credentials = { out, _, user, allowed, payload in
            RemoteTalk.of(payload)?.giveCredentials(out, user: user.map { String(cString: $0) }, allowed: allowed) ?? -1
        }
        callbacks.certificate_check = { certificate, isValid, _, payload in
            RemoteTalk.of(payload)?.check(certificate, isValid: isValid != 0) ?? -1
        }
        callbacks.transfer_progress = { _, payload in RemoteTalk.of(payload)?.goOn() ?? -1 }
        callbacks.sideband_progress = { _, _, payload in RemoteTalk.of(payload)?.goOn() ?? -1 }
        return callbacks
    }

    private static func of(_ payload: UnsafeMutableRawPointer?) -> RemoteTalk? {
        payload.map { Unmanaged<RemoteTalk>.fromOpaque($0).takeUnretainedValue() }
    }

    private func goOn() -> Int32 {
        call.touch()
        return call.end == nil ? 0 : GIT_EUSER.rawValue
    }

    /// Calls libgit2 and says in our words what went wrong with the source.
    ///
    /// - Throws: `CheckoutError` where it is the source's; `GitFault` where it may be the mirror's.
    func explaining(_ operation: String, _ body: () -> Int32) throws {
        do {
            try git(operation, body)
        } catch {
            if let objection { throw objection }
            if error.code == GIT_EAUTH.rawValue { throw refusal() }
            switch error.area {
            case GIT_ERROR_NET, GIT_ERROR_HTTP, GIT_ERROR_SSH, GIT_ERROR_SSL:
                throw CheckoutError.unreachable(source, Self.hint(error.message))
            default:
                if error.code == GIT_EEOF.rawValue { throw CheckoutError.unreachable(source, error.message) }
                throw error
            }
        }
    }

    private static func hint(_ message: String) -> String {
        if message.contains("status code: 404") {
            return
                "\(message). Either there is no such repository, or it wants credentials that are not in the settings"
        }
        if message.contains("status code: 401") || message.contains("status code: 403") {
            return "\(message). The credentials in the settings are not enough"
        }
        return message
    }

    private func refusal() -> CheckoutError {
        switch credentials {
        case nil: .refused(source, "it wants credentials, and the settings give none for this repository")
        case .login(let login): .refused(source, "user \"\(login.username)\" with the password in the settings")
        case .ssh:
            .refused(
                source,
                "the SSH key in the settings. The host must know its public half; an ed25519 key works with every host, an RSA key may not"
            )
        }
    }

    // Who we are

    private func giveCredentials(
        _ out: UnsafeMutablePointer<UnsafeMutablePointer<git_credential>?>?, user: String?, allowed: UInt32
    ) -> Int32 {
        func refuse(_ error: CheckoutError) -> Int32 {
            objection = error
            return GIT_EAUTH.rawValue
        }
        guard let out, call.end == nil else { return GIT_EUSER.rawValue }
        let allows = { (kind: git_credential_t) in allowed & kind.rawValue != 0 }
        if allows(GIT_CREDENTIAL_USERNAME) {
            if case .login(let login) = credentials { return git_credential_username_new(out, login.username) }
            return git_credential_username_new(out, "git")
        }
        asked += 1
        // libgit2 asks again for as long as it is refused.
        guard asked == 1, let credentials else { return refuse(refusal()) }
        switch credentials {
        case .login(let login):
            guard allows(GIT_CREDENTIAL_USERPASS_PLAINTEXT) else {
                return refuse(
                    .refused(source, "a user and password; it takes other ways to log in only, such as an SSH key"))
            }
            let name = source.transport == .ssh ? user ?? login.username : login.username
            return git_credential_userpass_plaintext_new(out, name, login.password.value)
        case .ssh(let key):
            guard allows(GIT_CREDENTIAL_SSH_MEMORY) else {
                return refuse(
                    .refused(source, "an SSH key; it takes other ways to log in only, such as a user and password"))
            }
            // libssh2 reads a key that ends without a line end as broken.
            let text = key.privateKey.value.hasSuffix("\n") ? key.privateKey.value : key.privateKey.value + "\n"
            return git_credential_ssh_key_memory_new(out, user ?? "git", nil, text, key.passphrase?.value)
        }
    }

    // Who the host is

    private func check(_ certificate: UnsafeMutablePointer<git_cert>?, isValid: Bool) -> Int32 {
        guard let certificate else { return GIT_ECERTIFICATE.rawValue }
        if certificate.pointee.cert_type == GIT_CERT_X509 {
            if isValid { return 0 }
            objection = .hostKey(
                source,
                "its TLS certificate is not trusted by this machine. Where it is signed by an authority of your own, add that to the system's certificates (update-ca-certificates)"
            )
            return GIT_ECERTIFICATE.rawValue
        }
        let raw = UnsafeMutableRawPointer(certificate).assumingMemoryBound(to: git_cert_hostkey.self).pointee
        guard certificate.pointee.cert_type == GIT_CERT_HOSTKEY_LIBSSH2, let bytes = raw.hostkey, raw.hostkey_len > 0
        else {
            objection = .hostKey(source, "it showed no key")
            return GIT_ECERTIFICATE.rawValue
        }
        // libssh2 looked into the user's own known_hosts; only ours counts, whatever it said.
        return judge(HostKey(blob: Data(bytes: bytes, count: raw.hostkey_len)))
    }

    private func judge(_ key: HostKey) -> Int32 {
        let place: String
        let text: String
        if case .ssh(let ssh) = credentials, let lines = ssh.knownHosts {
            (place, text) = ("known_hosts in the settings", lines)
        } else {
            let path = "/etc/ssh/ssh_known_hosts"
            place = path
            text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        }
        let name = KnownHosts.name(address.host, address.port)
        let shown = "\(key.type) \(key.fingerprint)"
        let add =
            "Compare it with what the host's operator publishes; if it is the host's, add this line: \(key.line(name))"
        switch KnownHosts(text).verdict(on: address.host, port: address.port, key: key) {
        case .known:
            return 0
        case .revoked:
            objection = .hostKey(source, "it showed a key that \(place) marks as revoked: \(shown)")
        case .changed:
            objection = .hostKey(
                source,
                "its key is not the one in \(place), so someone may be listening in: it showed \(shown). \(add), and remove the old one"
            )
        case .otherTypes(let types):
            objection = .hostKey(
                source, "it showed \(shown), and \(place) has only its \(types.joined(separator: ", ")). \(add)")
        case .unknown:
            objection = .hostKey(source, "\(place) has no key of \(name); it showed \(shown). \(add)")
        }
        return GIT_ECERTIFICATE.rawValue
    }
}

/// The host and port that a source is reached at.
struct HostAddress: Sendable, Equatable {
    let host: String
    let port: UInt16

    init(_ source: GitSource) {
        var host = source.host
        var port: UInt16?
        // `[::1]:22`, `[::1]`, `host:22`, `host`; the short ssh form has no port.
        if let match = host.wholeMatch(of: /\[(.*)\](?::([0-9]+))?/) {
            host = String(match.1)
            port = match.2.flatMap { UInt16($0) }
        } else if let match = host.wholeMatch(of: /([^:]*):([0-9]+)/) {
            host = String(match.1)
            port = UInt16(match.2)
        }
        self.host = host.lowercased()
        self.port =
            port
            ?? {
                switch source.transport {
                case .https: 443
                case .http: 80
                case .ssh: 22
                case .git: 9418
                case .path: 0
                }
            }()
    }
}
