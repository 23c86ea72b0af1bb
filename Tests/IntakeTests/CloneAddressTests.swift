import Model
import Testing

@testable import Intake

@Suite struct CloneAddressTests {
    @Test(arguments: [
        ("https://git.example.com/acme/shop.git", "https://git.example.com/acme/shop"),
        ("https://git.example.com/acme/shop.git", "https://GIT.example.COM/acme/shop.git/"),
        ("https://git.example.com/acme/shop.git", "git@git.example.com:acme/shop.git"),
        ("https://git.example.com/acme/shop.git", "ssh://git@git.example.com:2222/acme/shop.git"),
        ("https://git.example.com:8443/acme/shop.git", "ssh://git@git.example.com/acme/shop"),
        ("git@git.example.com:acme/shop.git", "https://someone@git.example.com/acme/shop.git"),
        ("git@git.example.com:/acme/shop.git", "git@git.example.com:acme/shop"),
        ("git://git.example.com/acme/shop", "https://git.example.com/acme/shop.git"),
        ("https://git.example.com/a/b/c/shop.git", "git@git.example.com:a/b/c/shop.git"),
        ("https://dev.example.com/org/My%20Project/_git/shop", "https://org@dev.example.com/org/My Project/_git/shop"),
        ("ssh://git@[2001:db8::1]:2222/acme/shop", "ssh://git@[2001:DB8::1]:2222/acme/shop.git"),
        ("https://git.example.com/acme/shop.git", "https://git.example.com/Acme/Shop.git"),
        ("/srv/git/shop.git", "file:///srv/git/shop.git"),
        ("/srv/git/shop.git", "/srv/git/shop.git"),
    ])
    func areOfOneRepository(source: String, told: String) throws {
        let sources = [try GitSource("https://git.example.com/other/repository.git"), try GitSource(source)]
        #expect(CloneAddress.places(of: ["not an address", told], in: sources, source: \.self).map(\.text) == [source])
    }

    @Test(arguments: [
        ("https://git.example.com/acme/shop.git", "https://git.example.org/acme/shop.git"),
        ("https://git.example.com/acme/shop.git", "https://git.example.com/acme/shop2.git"),
        ("https://git.example.com/acme/shop.git", "https://git.example.com/shop.git"),
        ("https://git.example.com/acme/shop.git", "https://git.example.com/x/acme/shop.git"),
        ("https://git.example.com/acme/shop.git", "https://git.example.com.evil.test/acme/shop.git"),
        ("https://git.example.com:3000/acme/shop.git", "https://git.example.com:3001/acme/shop.git"),
        ("https://git.example.com:3000/acme/shop.git", "https://git.example.com/acme/shop.git"),
        ("https://git.example.com/acme/shop.git", "/acme/shop.git"),
        ("/srv/git/shop.git", "/srv/git/Shop.git"),
        ("https://git.example.com/acme/shop.git", "https://git.example.com"),
        ("https://git.example.com/acme/shop.git", "https://git.example.com/"),
        ("https://git.example.com/acme/shop.git", ""),
        ("https://git.example.com/acme/shop.git", ".git"),
    ])
    func areNot(source: String, told: String) throws {
        #expect(CloneAddress.places(of: [told], in: [try GitSource(source)], source: \.self).isEmpty)
    }

    @Test func theRightCaseGoesBeforeAnyCase() throws {
        let sources = try ["https://h.test/a/Shop.git", "https://h.test/a/shop.git"].map { try GitSource($0) }
        for source in sources {
            #expect(CloneAddress.places(of: [source.text], in: sources, source: \.self) == [source])
        }
        #expect(CloneAddress.places(of: ["https://h.test/A/SHOP"], in: sources, source: \.self) == sources)
    }
}
