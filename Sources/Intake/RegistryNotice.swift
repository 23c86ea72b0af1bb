import Foundation
import Model

/// What a registry tells of tags that somebody pushed to it.
///
/// Nobody proves who sent it: it only says where to look.
package struct RegistryNotice: Sendable {
    package struct Pushed: Sendable, Hashable {
        /// The registry's name for itself; nil where it doesn't tell.
        package var host: String?
        /// `acme/base`.
        package var path: String
        package var tag: String
    }

    package let pushed: [Pushed]

    /// - Throws: `IntakeError.unreadable` where it is none of the bodies that are known.
    package init(_ body: Data) throws(IntakeError) {
        // Each has keys that the others lack.
        let shapes: [any RegistryBody.Type] = [
            Distribution.self, DistributionEvent.self, DockerHubPush.self, Harbor.self, Quay.self,
        ]
        let known = "a registry's notification as distribution, Docker Hub, Harbor, Quay or Azure sends it"
        guard (try? JSONSerialization.jsonObject(with: body)) is [String: Any] else {
            throw .unreadable(
                body.isEmpty ? "the body is empty; \(known) is JSON" : "the body is not a JSON object, as \(known) is")
        }
        let decoder = JSONDecoder()
        guard let found = shapes.lazy.compactMap({ try? decoder.decode($0, from: body) }).first else {
            throw .unreadable("the body is not \(known)")
        }
        pushed = found.pushed
    }

    /// Those of the images in use that it names.
    ///
    /// A registry goes by several names, and need not know the one that a Dockerfile has for it: where none in use is of the
    /// host that it tells, the path and the tag decide.
    package func images(in use: [ImageReference]) -> [ImageReference] {
        use.filter { image in
            pushed.contains { pushed in
                guard pushed.names(image) else { return false }
                return pushed.host == image.image.registry
                    || !use.contains { $0.image.registry == pushed.host && pushed.names($0) }
            }
        }
    }
}

extension RegistryNotice.Pushed {
    fileprivate func names(_ image: ImageReference) -> Bool { image.image.path == path && image.tag?.text == tag }
}

/// A body that tells of pushed tags.
private protocol RegistryBody: Decodable {
    var pushed: [RegistryNotice.Pushed] { get }
}

/// `application/vnd.docker.distribution.events.v1+json` (distribution, "Work with notifications").
private struct Distribution: RegistryBody {
    var events: [DistributionEvent]

    var pushed: [RegistryNotice.Pushed] { events.flatMap(\.pushed) }
}

/// One event; by itself as Azure Container Registry sends it.
private struct DistributionEvent: RegistryBody {
    var action: String
    var target: Target?
    var request: Request?

    struct Target: Decodable {
        var repository: String?
        /// Nil for layers, and for manifests that were pushed by their digest.
        var tag: String?
    }

    struct Request: Decodable {
        var host: String?
    }

    var pushed: [RegistryNotice.Pushed] {
        guard action == "push", let path = target?.repository, let tag = target?.tag else { return [] }
        return [RegistryNotice.Pushed(host: request?.host, path: path, tag: tag)]
    }
}

/// Docker Hub, "Webhooks".
private struct DockerHubPush: RegistryBody {
    var push_data: Push
    var repository: Repository

    struct Push: Decodable {
        var tag: String
    }

    struct Repository: Decodable {
        var repo_name: String
    }

    var pushed: [RegistryNotice.Pushed] {
        [RegistryNotice.Pushed(host: ImageName.dockerHub, path: repository.repo_name, tag: push_data.tag)]
    }
}

/// Harbor, "Configure Webhook Notifications": its own format, or CloudEvents.
private struct Harbor: RegistryBody {
    var type: String
    var event: Event

    struct Event: Decodable {
        var resources: [Resource]?
    }

    struct Resource: Decodable {
        /// `harbor.example.com/acme/base:latest`.
        var resource_url: String
    }

    private enum Key: String, CodingKey { case type, event_data, data }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        type = try fields.decode(String.self, forKey: .type)
        event = try fields.decode(Event.self, forKey: fields.contains(.event_data) ? .event_data : .data)
    }

    var pushed: [RegistryNotice.Pushed] {
        guard ["PUSH_ARTIFACT", "harbor.artifact.pushed"].contains(type) else { return [] }
        return (event.resources ?? []).compactMap { resource in
            guard let image = try? ImageReference(resource.resource_url), let tag = image.tag else { return nil }
            return RegistryNotice.Pushed(host: image.image.registry, path: image.image.path, tag: tag.text)
        }
    }
}

/// Quay, "Repository notifications".
private struct Quay: RegistryBody {
    /// `quay.io/acme/base`.
    var docker_url: String
    var updated_tags: [String]

    var pushed: [RegistryNotice.Pushed] {
        guard let image = try? ImageName(docker_url) else { return [] }
        return updated_tags.map { RegistryNotice.Pushed(host: image.registry, path: image.path, tag: $0) }
    }
}
