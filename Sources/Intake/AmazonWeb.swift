import Foundation
import FoundationNetworking
import Platform

/// Asks addresses of Amazon's.
enum AmazonWeb {
    /// Without redirects, cookies or a cache, and with bounds: 10 s, and 64 KiB of the answer.
    ///
    /// The client is made for the one request: there is one a year, and an idle service need not pay for it.
    ///
    /// - Throws: `IntakeError.sourceSilent` where there is no whole answer within the bounds.
    @Sendable static func get(_ url: URL) async throws -> (status: Int, body: Data) {
        // The address may hold a token, so nothing of it but its host is shown.
        let host = url.host ?? ""
        do {
            let request = URLRequest(url: url, timeoutInterval: 10)
            let answer = try await WebClient().send(request, limit: WebClient.errorBodyLimit)
            return (answer.status, answer.body)
        } catch let error as WebError {
            throw IntakeError.sourceSilent("\(host) could not be asked: \(error.why)")
        }
    }
}
