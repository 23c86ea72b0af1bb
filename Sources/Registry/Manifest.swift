import Foundation
import Model
import Platform

/// An image's manifest or index, byte for byte as the registry keeps it: its digest is that of these bytes.
package struct Manifest: Sendable, Hashable {
    package let mediaType: String
    package let body: Data
    package let digest: Digest

    /// OCI image spec "Media types", and the two of Docker's image manifest version 2, schema 2.
    package static let mediaTypes = [
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    ]

    /// The least that a registry must take is 4 MiB (distribution spec, "Pushing manifests"); larger ones are refused.
    package static let sizeLimit = 4 << 20

    package init(mediaType: String, body: Data, digest: Digest) {
        self.mediaType = mediaType
        self.body = body
        self.digest = digest
    }

    /// The digest of a body, by the algorithm of another digest; SHA-256 where there is none to follow.
    package static func digest(of body: Data, like other: Digest? = nil) throws(InvalidText) -> Digest {
        if let other, other.text.hasPrefix("sha512:") {
            return try Digest("sha512:" + Crypto.sha512(body).hex)
        }
        return try Digest("sha256:" + Crypto.sha256(body).hex)
    }

    /// The media type of a body that came under a `Content-Type`, or nil where it is no manifest.
    ///
    /// Some registries and proxies say only `application/json`; the body then names its type itself.
    static func mediaType(contentType: String?, body: Data) -> String? {
        let named = contentType?.split(separator: ";").first.map {
            $0.trimmingCharacters(in: .whitespaces).lowercased()
        }
        if let named, mediaTypes.contains(named) { return named }
        guard named == nil || named == "application/json" || named == "text/plain" || named == "" else { return nil }
        struct Head: Decodable {
            var mediaType: String?
        }
        guard let written = (try? JSONDecoder().decode(Head.self, from: body))?.mediaType else { return nil }
        return mediaTypes.contains(written) ? written : nil
    }
}
