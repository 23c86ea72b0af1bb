import Model
import Testing

/// Names of images, tags, versions, commits, digests and repositories.
@Suite struct NameTests {
    @Test(arguments: [
        // Hosts are told by ".", ":", "localhost" or an upper-case letter.
        ("registry.example.com/acme/shop", "registry.example.com", "acme/shop"), ("localhost/x", "localhost", "x"),
        ("localhost:5000/a/b/c", "localhost:5000", "a/b/c"), ("[::1]:5000/x", "[::1]:5000", "x"),
        ("HOST/x", "HOST", "x"),
        // Without a host it is Docker Hub, whose own images are in library/.
        ("acme/shop", "docker.io", "acme/shop"), ("busybox", "docker.io", "library/busybox"),
        ("docker.io/busybox", "docker.io", "library/busybox"), ("index.docker.io/a/b", "docker.io", "a/b"),
        // Separators.
        ("r.test/a.b_c__d-e--f/g", "r.test", "a.b_c__d-e--f/g"),
    ])
    func image(_ text: String, _ registry: String, _ path: String) throws {
        let image = try ImageName(text)
        #expect(image.registry == registry && image.path == path)
        #expect(try ImageName(image.text) == image)
    }

    @Test(arguments: [
        // Tags and digests.
        "r.test/a:1", "a:1.4", "localhost:5000/a:b", "r.test/a@sha256:\(String(repeating: "0", count: 64))",
        // What the grammar refuses.
        "", "r.test/", "r.test//a", "/a", "r.test/A", "r.test/a b", "r.test/-a", "r.test/a-", "r.test/a..b",
        "r.test/a___b",
        "r.test/é", "-r.test/a", "r.test:port/a", "https://r.test/a", "r.test/\(String(repeating: "a", count: 250))",
    ])
    func noImage(_ text: String) {
        #expect(throws: InvalidText.self) { try ImageName(text) }
    }

    @Test func aTagOnANameIsCalledOne() {
        #expect(
            throws: InvalidText("\"shop:1.4\" can't be an image's name: it carries a tag; tags come from the rules")
        ) {
            try ImageName("shop:1.4")
        }
    }

    @Test(arguments: ["latest", "1.4", "_x", "A-b.c_d", String(repeating: "a", count: 128)])
    func tag(_ text: String) throws {
        #expect(try Tag(text).text == text)
        #expect(Tag(nearest: text)?.text == text)
    }

    @Test(arguments: [
        // Nearest tag of what is none; nothing is near to nothing.
        (".a", "_a"), ("-a", "_a"), ("a/b", "a-b"), ("a b", "a-b"), ("é", "_"), ("aé", "a-"), ("+1", "_1"), ("", nil),
        (String(repeating: "a", count: 129), String(repeating: "a", count: 128)),
    ])
    func noTag(_ text: String, _ nearest: String?) throws {
        #expect(throws: InvalidText.self) { try Tag(text) }
        #expect(Tag(nearest: text)?.text == nearest)
        if let nearest { #expect(try Tag(nearest).text == nearest) }
    }

    @Test(arguments: [
        // Major, minor, patch and what is before them.
        ("1", "1"), ("v1", "1"), ("1.4", "1.4"), ("v1.4.2", "1.4.2"), ("release-2.0.0", "2.0.0"), ("app/v1.2", "1.2"),
        ("app-v3", "3"),
        // Pre-releases and build metadata.
        ("v1.4.2-rc.1", "1.4.2-rc.1"), ("1.0.0+build.5", "1.0.0"), ("1.0.0-a.b+c", "1.0.0-a.b"),
        // None.
        ("main", nil), ("v1.2.3.4", nil), ("1.x", nil), ("va1", nil), ("", nil), ("v", nil), ("v٣", nil),
        ("v1.2.3-", nil),
    ])
    func version(_ tag: String, _ text: String?) {
        #expect(Version(tag: tag)?.text == text)
    }

    @Test func commitsAreLowered() throws {
        let commit = try CommitID("0123456789ABCDEF0123456789abcdef01234567")
        #expect(
            commit.text == "0123456789abcdef0123456789abcdef01234567" && commit.prefix(7) == "0123456" && !commit.isZero
        )
        #expect(try CommitID(String(repeating: "0", count: 64)).isZero)
        for text in ["", "0123", String(repeating: "g", count: 40), String(repeating: "0", count: 41)] {
            #expect(throws: InvalidText.self) { try CommitID(text) }
        }
    }

    @Test func digests() throws {
        let hex = String(repeating: "0a", count: 32)
        #expect(try Digest("sha256:\(hex)").text == "sha256:\(hex)")
        #expect(try Digest("sha512:\(hex)\(hex)").text == "sha512:\(hex)\(hex)")
        for text in ["", hex, "sha256:\(hex)0", "sha256:\(hex.uppercased())", "md5:\(hex)", "sha256:\(hex)\n"] {
            #expect(throws: InvalidText.self) { try Digest(text) }
        }
    }

    @Test func repositories() throws {
        let name = try RepositoryName("Acme/shop.js_2-x")
        #expect(name.namespace == "Acme" && name.name == "shop.js_2-x" && name.text == "Acme/shop.js_2-x")
        for text in [
            "", "a", "a/", "/a", "a/b/c", "a/..", "./a", "a/b c", "a/é", "a/\(String(repeating: "b", count: 101))",
        ] {
            #expect(throws: InvalidText.self) { try RepositoryName(text) }
        }
    }
}
