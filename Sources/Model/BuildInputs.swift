/// What an image is made of, as far as it can be known before anything is built.
package struct BuildInputs: Sendable, Equatable {
    /// Over all of it: two builds have the same key where an engine would see the same. Nil where something of it can't be
    /// known.
    package var key: Digest?
    /// Why there is no key, in words: ``ADD https://example.com/a.tar` has no checksum`.
    package var doubt: String?
    /// The images that the Dockerfile names by a tag, each once, by image and tag.
    package var bases: [BaseImage]

    package init(key: Digest? = nil, doubt: String? = nil, bases: [BaseImage] = []) {
        self.key = key
        self.doubt = doubt
        self.bases = bases
    }
}

/// An image that a Dockerfile names by a tag, and where that pointed.
package struct BaseImage: Sendable, Hashable {
    package var image: ImageName
    package var tag: Tag
    package var digest: Digest

    package init(image: ImageName, tag: Tag, digest: Digest) {
        self.image = image
        self.tag = tag
        self.digest = digest
    }
}
