import Model
import Testing

@Suite struct ImageReferenceTests {
    private static let digest = "sha256:" + String(repeating: "0123456789abcdef", count: 4)

    @Test(arguments: [
        // Names alone.
        ("alpine", "docker.io/library/alpine"),
        ("acme/shop", "docker.io/acme/shop"),
        ("docker.io/alpine", "docker.io/library/alpine"),
        ("index.docker.io/acme/shop", "docker.io/acme/shop"),
        ("registry.example.com/acme/shop", "registry.example.com/acme/shop"),
        ("registry.example.com/a/b/c/d", "registry.example.com/a/b/c/d"),
        ("localhost/shop", "localhost/shop"),
        ("localhost:5000/shop", "localhost:5000/shop"),
        ("[::1]:5000/shop", "[::1]:5000/shop"),
        ("10.0.0.1:5000/a__b/c--d", "10.0.0.1:5000/a__b/c--d"),
        // A colon is a port before the last slash, and begins a tag after it.
        ("alpine:3.20", "docker.io/library/alpine:3.20"),
        ("localhost:5000", "docker.io/library/localhost:5000"),
        ("localhost:5000/shop:1", "localhost:5000/shop:1"),
        ("registry.example.com/shop:_V-1.0", "registry.example.com/shop:_V-1.0"),
        ("[::1]:5000/shop:latest", "[::1]:5000/shop:latest"),
        // Digests, and both.
        ("localhost:5000/shop@\(digest)", "localhost:5000/shop@\(digest)"),
        ("alpine:3@\(digest)", "docker.io/library/alpine:3@\(digest)"),
    ])
    func reads(_ text: String, _ written: String) throws {
        let reference = try ImageReference(text)
        #expect(reference.text == written)
        #expect(try ImageReference(written) == reference)
        #expect(ImageReference(image: reference.image, tag: reference.tag, digest: reference.digest) == reference)
    }

    @Test(arguments: [
        "", ":", "@", ":tag", "@\(digest)", "shop:", "shop@", "shop:1:2", "shop@sha256:12", "shop@md5:\(digest)",
        "shop:-1", "shop:.1", "shop:a b", "shop:\(String(repeating: "t", count: 129))", "Shop/a b", "https://a.b/c",
        "a//b", "/a", "a/", "a.b/", "a.b/C", "a.b/c:d/e", "a.b/-c", "a.b/c_", "a.b/c___d", "a.b/c..d", "-a.b/c",
        "shop@\(digest)@\(digest)", "shop@\(digest):1", "a.b:x/c",
    ])
    func refuses(_ text: String) {
        #expect(throws: InvalidText.self) { try ImageReference(text) }
    }
}
