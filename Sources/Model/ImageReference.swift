/// An image as people write it: `host/name[:tag][@digest]`, in the grammar of github.com/distribution/reference.
package struct ImageReference: TextValue {
    package let image: ImageName
    package let tag: Tag?
    package let digest: Digest?

    /// With the registry's host always written out: `docker.io/library/alpine:3.20`.
    package var text: String {
        image.text + (tag.map { ":\($0)" } ?? "") + (digest.map { "@\($0)" } ?? "")
    }

    /// As people write it: Docker Hub's without its host, and its own images without `library/`.
    package var shown: String {
        guard image.registry == ImageName.dockerHub else { return text }
        return String(text.dropFirst("\(image.registry)/".count).trimmingPrefix("library/"))
    }

    package init(image: ImageName, tag: Tag? = nil, digest: Digest? = nil) {
        self.image = image
        self.tag = tag
        self.digest = digest
    }

    /// - Throws: `InvalidText` where the name, the tag or the digest breaks its grammar.
    package init(_ text: String) throws(InvalidText) {
        var name = text[...]
        if let at = name.firstIndex(of: "@") {
            digest = try Digest(String(name[name.index(after: at)...]))
            name = name[..<at]
        } else {
            digest = nil
        }
        // A colon before the last slash begins a port: "localhost:5000" alone is the name "localhost", tagged "5000".
        let lastPart = name.lastIndex(of: "/").map { name.index(after: $0) } ?? name.startIndex
        if let colon = name[lastPart...].lastIndex(of: ":") {
            tag = try Tag(String(name[name.index(after: colon)...]))
            name = name[..<colon]
        } else {
            tag = nil
        }
        image = try ImageName(String(name))
    }
}
