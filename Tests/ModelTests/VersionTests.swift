import Model
import Testing

@Suite struct VersionTests {
    private func version(_ tag: String) throws -> Version { try #require(Version(tag: tag), "\(tag)") }

    /// Each precedes the next: semver.org's own example first.
    static let rising = [
        "v0.9.9", "v1.0.0-alpha", "v1.0.0-alpha.1", "v1.0.0-alpha.beta", "v1.0.0-beta", "v1.0.0-beta.2",
        "v1.0.0-beta.11", "v1.0.0-rc.1", "v1.0.0", "v1.0.1-0", "v1.0.1", "v1.1", "v1.9.0", "v1.10.0",
        "v1.10.99999999999999999999998", "v1.10.99999999999999999999999", "v2-B", "v2-a", "v2", "v2.0.1", "v10",
    ]

    @Test func precedenceIsThatOfSemver() throws {
        for (i, lower) in Self.rising.enumerated() {
            for (j, upper) in Self.rising.enumerated() {
                #expect(try version(lower).precedes(version(upper)) == (i < j), "\(lower) \(upper)")
            }
        }
    }

    @Test(arguments: [("1.4", "v1.4.0"), ("1", "1.0.0"), ("v1.04.2", "1.4.2"), ("1.4.2+a", "1.4.2+b")])
    func writtenOtherwiseItIsTheSame(_ one: String, _ other: String) throws {
        let (one, other) = (try version(one), try version(other))
        #expect(!one.precedes(other) && !other.precedes(one))
        #expect(!one.isBelow(other) && !other.isBelow(one))
    }

    @Test func aReleaseIsAboveEveryPrerelease() throws {
        #expect(try version("v2.0.0-rc.1").isBelow(version("v1.0.0")))
        #expect(try !version("v1.0.0").isBelow(version("v2.0.0-rc.1")))
        #expect(try version("v1.0.0").isBelow(version("v1.0.1")))
        #expect(try version("v1.0.0-rc.2").isBelow(version("v1.0.0-rc.10")))
    }
}
