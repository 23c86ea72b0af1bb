import HTTP
import Intake
import Model
import Queue

/// An answer that is an error, as a thrown value.
struct Refusal: Error {
    let status: Int
    let title: String
    let detail: String
    var headers: [(name: String, value: String)] = []

    init(_ status: Int, _ title: String, _ detail: String) {
        self.status = status
        self.title = title
        self.detail = detail
        if status == 401 { headers = [("WWW-Authenticate", "Bearer realm=\"slipway\"")] }
    }

    init(_ error: IntakeError) {
        let detail = "\(error)"
        switch error {
        case .unreadable: self.init(400, "The request can't be read", detail)
        case .unauthenticated:
            self.init(401, "The signature is missing or wrong", detail)
            // A webhook is proven by its signature, not by a token.
            headers = []
        case .unknown: self.init(404, "Not known here", detail)
        case .sourceSilent: self.init(503, "The Git source did not answer", detail)
        }
    }

    init(_ error: TooManyRequests) {
        self.init(429, "Too many requests", "\(error)")
        headers = [("Retry-After", "\(error.retryAfter)")]
    }

    init(_ error: QueueFull) {
        self.init(429, "The queue is full", "\(error)")
        headers = [("Retry-After", "60")]
    }

    static func unseen(_ name: RepositoryName) -> Refusal {
        Refusal(404, "Not known here", "there is no repository \(name) that this token may see")
    }

    /// - Parameter asDockerHub: with the member `error` that clients of Docker Hub look for.
    func response(asDockerHub: Bool) -> HTTPResponse {
        .problem(
            Problem(status: status, title: title, detail: detail, extra: asDockerHub ? ["error": detail] : [:]),
            headers: headers)
    }
}
