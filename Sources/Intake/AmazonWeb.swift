import Foundation
import FoundationNetworking
import Platform

/// Asks addresses of Amazon's.
enum AmazonWeb {
    /// Without redirects, cookies or a cache, and with bounds: 10 s, and 64 KiB of the answer.
    ///
    /// The session is made for the one request: there is one a year, and an idle service need not pay for it.
    ///
    /// - Throws: `IntakeError.sourceSilent` where there is no whole answer within the bounds.
    @Sendable static func get(_ url: URL) async throws -> (status: Int, body: Data) {
        let configuration = URLSessionConfiguration.ephemeral
        configuration.httpCookieStorage = nil
        configuration.urlCache = nil
        configuration.urlCredentialStorage = nil
        let exchanges = Exchanges()
        let session = URLSession(configuration: configuration, delegate: exchanges, delegateQueue: nil)
        defer { session.finishTasksAndInvalidate() }
        let request = URLRequest(url: url, timeoutInterval: 10)
        let task = session.dataTask(with: request)
        // The address may hold a token, so nothing of it but its host is shown.
        let host = url.host ?? ""
        do {
            let answer = try await withDeadline(.seconds(10)) {
                try await exchanges.run(task, limit: Exchanges.errorBodyLimit)
            }
            guard let answer else { throw IntakeError.sourceSilent("\(host) gave no whole answer within 10 s") }
            return (answer.head.statusCode, answer.body)
        } catch is Exchanges.TooLong {
            throw IntakeError.sourceSilent("\(host) answered more than \(Exchanges.errorBodyLimit >> 10) KiB")
        } catch let error as URLError {
            try Task.checkCancellation()
            throw IntakeError.sourceSilent("\(host) could not be asked: \(error.localizedDescription)")
        }
    }
}
