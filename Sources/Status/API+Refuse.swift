import HTTP
import Intake
import Model
import Platform
import Queue

extension API {
    /// What a request is told that failed. Those that were turned away are counted and logged, and guesses take time.
    func refuse(_ error: any Error, _ request: HTTPRequest) async -> HTTPResponse {
        var refusal = refusal(of: error, request)
        if var reason = reason(of: error, request) {
            if [.wrongSignature, .unknownToken, .unknownRepository].contains(reason) {
                do throws(TooManyRequests) {
                    try await gate.holdBack(request.remoteAddress)
                } catch {
                    reason = .rate
                    refusal = Refusal(error)
                }
            }
            gate.turnAway(
                Gate.Event(reason, refusal.detail, path: shown(request), address: request.remoteAddress))
        }
        return refusal.response(asDockerHub: ["u", "api/build"].contains(form(request)))
    }

    private func refusal(of error: any Error, _ request: HTTPRequest) -> Refusal {
        switch error {
        case let refusal as Refusal: return refusal
        case let error as IntakeError:
            if case .sourceSilent = error {
                log.warning("not accepted: \(error)", ["path": shown(request), "from": request.remoteAddress])
            }
            return Refusal(error)
        case let error as TooManyRequests: return Refusal(error)
        case let error as QueueFull: return Refusal(error)
        case let error as InvalidText: return Refusal(400, "The request can't be read", "\(error)")
        case is CancellationError:
            return Refusal(503, "Shutting down", "the service is stopping; ask again in a moment")
        default:
            log.error("a request failed: \(error)", ["path": shown(request)])
            return Refusal(
                503, "Not accepted",
                "the service could not store or read this; nothing of the request was kept, so send it again")
        }
    }

    /// Why a request is turned away; nil where it is the service that failed, or the caller that mistyped.
    private func reason(of error: any Error, _ request: HTTPRequest) -> Gate.Reason? {
        switch error {
        case let refusal as Refusal: refusal.status == 401 ? .unknownToken : nil
        case IntakeError.unreadable: .unreadable
        case IntakeError.unauthenticated: .wrongSignature
        case IntakeError.unknown where ["triggers", "u", "api/build"].contains(form(request)): .unknownToken
        case IntakeError.unknown where request.method == "POST": .unknownRepository
        case is TooManyRequests: .rate
        case is QueueFull: .queueFull
        default: nil
        }
    }

    /// What the path begins with: `webhooks`, `triggers`, Docker Hub's `u` and `api/build`, our `api/v1`.
    private func form(_ request: HTTPRequest) -> String {
        request.path.prefix(request.path.first == "api" ? 2 : 1).joined(separator: "/")
    }

    /// Method and path without a trigger's token, as logs show them.
    func shown(_ request: HTTPRequest) -> String {
        let parts = request.rawPath.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        // Which of them is a token is told by the decoded path, as the router reads it.
        let path = parts.enumerated().map { index, part in
            let follows = index > 0 && index <= request.path.count ? request.path[index - 1] : ""
            return ["trigger", "triggers"].contains(follows) && !part.isEmpty ? "…" : String(part)
        }
        return request.method + " /" + path.joined(separator: "/")
    }
}
