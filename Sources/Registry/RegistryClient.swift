import Foundation
import FoundationNetworking
import Model
import Platform

/// Speaks the distribution API (github.com/opencontainers/distribution-spec, version 1.1) to any number of registries.
///
/// One is made for the service and kept: it holds the connections and the tokens. All functions may be called at once,
/// from any task; each stops when its task is cancelled. Nothing is tried again here, and nothing waits for longer than
/// the timeout: whoever calls decides by `RegistryError.isTransient`.
package final class RegistryClient: Sendable {
    let configuration: @Sendable (_ host: String) -> RegistryConfiguration
    let dockerConfig: DockerConfig?
    let transport: Transport
    let time: any TimeSource
    let known = KnownAuthorizations()

    /// - Parameters:
    ///   - configuration: what the settings say about a registry, by its host as in image names; asked anew for each
    ///     request, so that changed settings hold at once.
    ///   - dockerConfig: asked where the settings hold no login.
    ///   - userAgent: of every request.
    ///   - timeout: of each request, from the connection to the last byte.
    package init(
        configuration: @escaping @Sendable (_ host: String) -> RegistryConfiguration, dockerConfig: DockerConfig?,
        userAgent: String = "slipway", timeout: Duration = .seconds(30), time: any TimeSource = SystemTime()
    ) {
        self.configuration = configuration
        self.dockerConfig = dockerConfig
        self.time = time
        transport = Transport(userAgent: userAgent, timeout: timeout)
    }

    /// What a tag points at.
    ///
    /// - Returns: nil where the registry has no such tag, or no such repository.
    /// - Throws: `RegistryError`; `digestMismatch` where the bytes are not those of the digest that the registry tells.
    package func manifest(of image: ImageName, tag: Tag) async throws -> Manifest? {
        try await manifest(of: image, reference: tag.text, written: ":\(tag)", expected: nil)
    }

    /// The manifest with a digest.
    ///
    /// - Returns: nil where the registry has no such manifest, or no such repository.
    /// - Throws: `RegistryError`; `digestMismatch` where other bytes came.
    package func manifest(of image: ImageName, digest: Digest) async throws -> Manifest? {
        try await manifest(of: image, reference: digest.text, written: "@\(digest)", expected: digest)
    }

    private func manifest(
        of image: ImageName, reference: String, written: String, expected: Digest?
    ) async throws -> Manifest? {
        let operation = RegistryOperation("read the manifest of \(image)\(written)", host: image.registry)
        let call = Call("GET", "\(image.path)/manifests/\(reference)", image, .pull, accept: Manifest.mediaTypes)
        let (response, login) = try await send(call, limit: Manifest.sizeLimit, operation)
        if response.status == 404 { return nil }
        guard response.status == 200 else { throw response.error(operation, login: login, now: time.now) }
        let contentType = response.headers["content-type"]
        guard let mediaType = Manifest.mediaType(contentType: contentType, body: response.body) else {
            throw RegistryError.notARegistry(
                operation,
                why: "its answer is of type \"\((contentType ?? "unknown").excerpt())\", which is no image manifest")
        }
        let told = response.headers[Self.digestHeader]
        let computed = try Manifest.digest(of: response.body, like: expected ?? told.flatMap { try? Digest($0) })
        if let expected, expected != computed {
            throw RegistryError.digestMismatch(operation, told: expected.text, computed: computed)
        }
        // With another algorithm than the expected digest's there is nothing to compare.
        if let told, expected == nil, told != computed.text {
            throw RegistryError.digestMismatch(operation, told: told, computed: computed)
        }
        return Manifest(mediaType: mediaType, body: response.body, digest: computed)
    }

    /// The digest of what a tag points at, without the manifest where the registry tells it so.
    ///
    /// - Returns: nil where the registry has no such tag, or no such repository.
    /// - Throws: `RegistryError`.
    package func digest(of image: ImageName, tag: Tag) async throws -> Digest? {
        let operation = RegistryOperation("read the digest of \(image):\(tag)", host: image.registry)
        let call = Call("HEAD", "\(image.path)/manifests/\(tag)", image, .pull, accept: Manifest.mediaTypes)
        let (response, login) = try await send(call, limit: Manifest.sizeLimit, operation)
        switch response.status {
        case 404:
            return nil
        case 200:
            if let told = response.headers[Self.digestHeader], let digest = try? Digest(told) { return digest }
            // The header is only a "SHOULD" of the specification; the bytes tell the digest without it.
            return try await manifest(of: image, tag: tag)?.digest
        case 405:
            return try await manifest(of: image, tag: tag)?.digest
        default:
            throw response.error(operation, login: login, now: time.now)
        }
    }

    /// Lets a tag point at a manifest whose blobs the repository has: the same bytes are put under the tag's name.
    ///
    /// - Returns: the manifest's digest, which the registry has confirmed where it tells one.
    /// - Throws: `RegistryError`.
    package func put(_ manifest: Manifest, as tag: Tag, to image: ImageName) async throws -> Digest {
        let operation = RegistryOperation("put the manifest under \(image):\(tag)", host: image.registry)
        var call = Call("PUT", "\(image.path)/manifests/\(tag)", image, .push)
        call.body = manifest.body
        call.contentType = manifest.mediaType
        let (response, login) = try await send(call, limit: WebClient.errorBodyLimit, operation)
        guard [200, 201, 202, 204].contains(response.status) else {
            throw response.error(operation, login: login, now: time.now)
        }
        if let told = response.headers[Self.digestHeader], told != manifest.digest.text,
            told.prefix(while: { $0 != ":" }) == manifest.digest.text.prefix(while: { $0 != ":" })
        {
            throw RegistryError.digestMismatch(operation, told: told, computed: manifest.digest)
        }
        return manifest.digest
    }

    private static let digestHeader = "docker-content-digest"
}
