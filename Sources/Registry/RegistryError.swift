import Foundation
import Model

/// What was tried on which registry: the first half of every error's sentence.
package struct RegistryOperation: Sendable, Hashable {
    /// `read the digest of localhost:5000/acme/shop:latest`.
    package let what: String
    /// The registry's host, as in image names.
    package let host: String

    package init(_ what: String, host: String) {
        self.what = what
        self.host = host
    }
}

/// Why a registry did not do what it was asked; the description is a sentence for people, without credentials.
package enum RegistryError: Error, Sendable, Equatable {
    /// No connection, or no answer in time.
    case unreachable(RegistryOperation, why: String)
    /// HTTPS could not be agreed upon, or the certificate is not trusted.
    case untrusted(RegistryOperation, why: String)
    /// 401 or 403: `username` is nil where no credentials were known.
    case refused(RegistryOperation, username: String?, message: String?)
    /// 429, and the seconds after which the registry wants to be asked again.
    case tooManyRequests(RegistryOperation, retryAfter: Int?)
    /// Any other status, with the registry's own message (distribution spec, "Error codes"), and the seconds after which
    /// it wants to be asked again.
    case status(RegistryOperation, code: Int, message: String?, retryAfter: Int? = nil)
    /// The connection ended in the middle of the answer.
    case brokenOff(RegistryOperation, why: String)
    /// An answer longer than anything that this operation has use for.
    case tooLarge(RegistryOperation, limit: Int)
    /// The registry names another digest than its bytes have.
    case digestMismatch(RegistryOperation, told: String, computed: Digest)
    /// Something answers, but not as the distribution API has it.
    case notARegistry(RegistryOperation, why: String)
    /// Credentials would have to travel where others can read them, or to an address that makes no sense.
    case unsafe(RegistryOperation, why: String)
    /// The credential helper or Docker configuration that knows the credentials failed.
    case credentials(RegistryOperation, why: String)

    package var operation: RegistryOperation {
        switch self {
        case .unreachable(let operation, _), .untrusted(let operation, _), .refused(let operation, _, _),
            .tooManyRequests(let operation, _), .status(let operation, _, _, _), .brokenOff(let operation, _),
            .tooLarge(let operation, _), .digestMismatch(let operation, _, _), .notARegistry(let operation, _),
            .unsafe(let operation, _), .credentials(let operation, _):
            operation
        }
    }

    /// Whether the same request may well succeed later, with nothing changed by anybody.
    package var isTransient: Bool {
        switch self {
        case .unreachable, .tooManyRequests, .brokenOff: true
        case .status(_, let code, _, _): code >= 500 || code == 408
        case .untrusted, .refused, .tooLarge, .digestMismatch, .notARegistry, .unsafe, .credentials: false
        }
    }

    /// How long the registry wants to be left alone; nil where it doesn't say.
    package var retryAfter: Duration? {
        switch self {
        case .tooManyRequests(_, let seconds), .status(_, _, _, let seconds): seconds.map { .seconds($0) }
        default: nil
        }
    }

    /// What a build that ran into this failed with: a registry's trouble is never the repository's fault.
    package func failure(stage: Failure.Stage) -> Failure {
        Failure(.system, stage, description, retryAfter: retryAfter)
    }
}

extension RegistryError: CustomStringConvertible {
    package var description: String {
        "could not \(operation.what): \(reason)"
    }

    private var reason: String {
        let host = operation.host
        return switch self {
        case .unreachable(_, let why):
            "registry \(host) can't be reached (\(why)); check that it runs, and its name and port"
        case .untrusted(_, let why):
            "no secure connection to registry \(host) (\(why)); install its certificate authority on this machine, or set \"insecure: true\" for it under \"registries\" if it speaks plain HTTP"
        case .refused(_, nil, let message):
            "registry \(host) wants credentials\(Self.quoted(message)) and none are known; set username and password for it under \"registries\", or log in with docker login"
        case .refused(_, let username?, let message):
            "registry \(host) refused the credentials of user \"\(username)\"\(Self.quoted(message)); check the password, and that the user may push there"
        case .tooManyRequests(_, let seconds):
            "registry \(host) has had too many requests; try again \(seconds.map { "after \($0) s" } ?? "later")"
        case .status(_, let code, let message, _):
            "registry \(host) answered \(code)\(Self.quoted(message)); \(code >= 500 ? "its own log says more" : "check the image's name and the registry's rules for it")"
        case .brokenOff(_, let why):
            "registry \(host) broke off in the middle of its answer (\(why)); try again, and look at its log or the proxy before it"
        case .tooLarge(_, let limit):
            "registry \(host) answered with more than \(limit) bytes; check that the address is that of a registry"
        case .digestMismatch(_, let told, let computed):
            "registry \(host) says the digest is \(told.excerpt()), but the bytes have \(computed); its storage or a proxy before it is damaged"
        case .notARegistry(_, let why):
            "\(host) does not answer as a registry does (\(why)); check its name and port"
        case .unsafe(_, let why):
            "credentials for registry \(host) were not sent (\(why)); correct the registry's set-up, or set \"insecure: true\" for it under \"registries\" if that is meant"
        case .credentials(_, let why):
            "the credentials for registry \(host) could not be read (\(why)); correct that, or set username and password under \"registries\""
        }
    }

    private static func quoted(_ message: String?) -> String {
        message.map { ": \"\($0)\"" } ?? ""
    }
}
