import Foundation
import Model
import Queue
import Settings

extension Receiver {
    /// A push that nobody told of. Its delivery is kept where a build comes of it, and only there.
    ///
    /// - Throws: `QueueFull` or `StoreError` where it could not be kept.
    func found(_ push: Push, in repository: Repository, at date: Date) async throws -> Answer {
        let request = Inbound(headers: [], body: Data(), remoteAddress: "", receivedAt: date)
        var matching = Matching()
        matching.add(push, of: repository, asked: false, acceptedAt: date)
        guard !matching.builds.isEmpty else {
            return Answer(delivery: "", builds: [], ignored: matching.ignored, accepted: true)
        }
        return try await keep(newDelivery(repository.name, .poll, request), matching, accepted: true)
    }
}
