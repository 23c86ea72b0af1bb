import Foundation
import Model

extension RegistryClient {
    /// The instructions that an image hands on to what is built on it: Docker's `OnBuild`, from `ONBUILD`.
    ///
    /// - Parameter platform: whose image is looked at where the digest is an index's: `linux/amd64`.
    /// - Returns: nil where the registry has no such image.
    /// - Throws: `RegistryError`.
    package func triggers(of image: ImageName, digest: Digest, platform: String) async throws -> [String]? {
        let operation = RegistryOperation("read the configuration of \(image)@\(digest)", host: image.registry)
        guard let first = try await manifest(of: image, digest: digest) else { return nil }
        var form = try Self.decode(ManifestForm.self, first.body, operation)
        if let entries = form.manifests {
            guard let entry = entries.first(where: { $0.platform?.text == platform }) else {
                throw RegistryError.notARegistry(operation, why: "the image is for other platforms than \(platform)")
            }
            guard let one = try await manifest(of: image, digest: entry.digest) else { return nil }
            form = try Self.decode(ManifestForm.self, one.body, operation)
        }
        guard let configuration = form.config?.digest else {
            throw RegistryError.notARegistry(operation, why: "its manifest names no configuration")
        }
        let call = Call("GET", "\(image.path)/blobs/\(configuration)", image, .pull)
        let (response, login) = try await send(call, limit: Manifest.sizeLimit, operation)
        if response.status == 404 { return nil }
        guard response.status == 200 else { throw response.error(operation, login: login, now: time.now) }
        let computed = try Manifest.digest(of: response.body, like: configuration)
        guard computed == configuration else {
            throw RegistryError.digestMismatch(operation, told: configuration.text, computed: computed)
        }
        return try Self.decode(ConfigurationForm.self, response.body, operation).config?.OnBuild ?? []
    }

    private static func decode<Form: Decodable>(
        _ form: Form.Type, _ body: Data, _ operation: RegistryOperation
    ) throws(RegistryError) -> Form {
        do {
            return try JSONDecoder().decode(form, from: body)
        } catch {
            throw RegistryError.notARegistry(operation, why: "what it has there is no image that can be read")
        }
    }
}

/// An image's manifest or an index (OCI image spec, "Image Manifest" and "Image Index"), as far as it is asked for.
private struct ManifestForm: Decodable {
    struct Entry: Decodable {
        struct Platform: Decodable {
            let os: String?
            let architecture: String?

            var text: String { "\(os ?? "")/\(architecture ?? "")" }
        }

        let digest: Digest
        let platform: Platform?
    }

    let config: Entry?
    let manifests: [Entry]?
}

private struct ConfigurationForm: Decodable {
    struct Config: Decodable {
        // As it is written there.
        let OnBuild: [String]?
    }

    let config: Config?
}
