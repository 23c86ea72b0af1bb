import Model
import Testing

@Suite struct GitSourceTests {
    @Test(arguments: [
        // Addresses.
        ("https://git.example.com/a.git", GitSource.Transport.https, "git.example.com"),
        ("http://localhost:8000/a", .http, "localhost:8000"), ("git://h.test/a", .git, "h.test"),
        ("ssh://git@h.test:22/a", .ssh, "h.test:22"), ("ssh://h.test/~a/b", .ssh, "h.test"),
        ("https://[::1]:8443/a", .https, "[::1]:8443"), ("http://git_server/a", .http, "git_server"),
        // ssh's short form, with a path from home or from the root.
        ("git@h.test:acme/shop.git", .ssh, "h.test"), ("h.test:a", .ssh, "h.test"),
        ("git@h.test:/srv/a.git", .ssh, "h.test"),
        // Paths.
        ("/srv/git/a.git", .path, ""), ("file:///srv/git/a.git", .path, ""),
    ])
    func source(_ text: String, _ transport: GitSource.Transport, _ host: String) throws {
        let source = try GitSource(text)
        #expect(source.transport == transport && source.host == host && source.text == text)
        #expect(source.path == (transport == .path ? "/srv/git/a.git" : nil))
    }

    @Test(arguments: [
        // No source, or one that carries what belongs under "credentials".
        "", "a", "./a", "../a", "https://h.test", "ftp://h.test/a", "https://me@h.test/a", "https://me:secret@h.test/a",
        "ssh://me:secret@h.test/a", "git://me@h.test/a", "https://me:se/cret@h.test/a", "https://me:secret@h.test",
        "ftp://me:secret@h.test/a", "https://me:s@ecret@h.test/a",
    ])
    func refusedWithoutShowingAPassword(_ text: String) {
        let error = #expect(throws: InvalidText.self) { try GitSource(text) }
        #expect(error?.description.contains("cret") == false)
    }

    @Test func aSecretIsNeverShown() {
        let login = Login(username: "me", password: Secret("swordfish"))
        #expect(!"\(login)".contains("swordfish") && !String(reflecting: login).contains("swordfish"))
        var dumped = ""
        dump(login, to: &dumped)
        #expect(!dumped.contains("swordfish"))
    }
}
