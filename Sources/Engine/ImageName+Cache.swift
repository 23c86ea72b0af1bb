import Model

extension ImageName {
    /// The place beside an image where builders keep their cache: `…/acme/shop/cache`; on Docker Hub, whose names have two
    /// parts, `acme/shop-cache`. Nil where the image's name is too long to lengthen.
    package var cache: ImageName? {
        try? ImageName(text + (registry == Self.dockerHub ? "-cache" : "/cache"))
    }

    /// Whether a name is one under which buildah keeps a step in such a place; what it takes from there stays under it in
    /// its storage too.
    package static func isOfCache(_ name: String) -> Bool {
        name.wholeMatch(of: /.+[\/-]cache:[0-9a-f]{64}/) != nil
    }
}
