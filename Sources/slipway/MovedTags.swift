import Foundation
import Model
import Platform
import Status

/// A repository's tags that somebody else than Slipway has moved since.
struct MovedTags: Decodable {
    private struct Tag: Decodable {
        struct Elsewhere: Decodable {
            /// Nil where the tag is gone.
            var digest: String?
            var since: String
        }

        var name: String
        var build: Build.ID
        var moved_elsewhere: Elsewhere?
    }

    private var tags: [Tag]?

    /// A sentence for each of them.
    ///
    /// - Returns: none where the repository is not in the settings any more.
    static func sentences(_ name: RepositoryName, _ client: Client) async throws -> [String] {
        do {
            let moved: MovedTags = try await client.get("/api/v1/repositories/\(name)")
            return moved.sentences
        } catch let error as ClientError where error.status == 404 {
            return []
        }
    }

    private var sentences: [String] {
        (tags ?? []).compactMap { tag in
            tag.moved_elsewhere.map { elsewhere in
                let place = elsewhere.digest.map { "is at \($0.prefix(19)), which Slipway did not put there," }
                return "tag \(tag.name) \(place ?? "is gone from the registry") since \(elsewhere.since); "
                    + "it was at build \(tag.build)"
            }
        }
    }
}
