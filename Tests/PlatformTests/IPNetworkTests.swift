import Platform
import Testing

@Suite struct IPNetworkTests {
    @Test(arguments: [
        ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("10.1.2.3/8", "10.9.9.9", true),
        ("192.0.2.128/25", "192.0.2.127", false), ("192.0.2.128/25", "192.0.2.200", true),
        ("0.0.0.0/0", "203.0.113.1", true), ("0.0.0.0/0", "::1", false),
        ("192.0.2.1", "192.0.2.1", true), ("192.0.2.1", "192.0.2.2", false), ("192.0.2.1", "192.0.2.0/24", false),
        ("2001:db8::/33", "2001:db8:7fff::1", true), ("2001:db8::/33", "2001:db8:8000::1", false),
        ("::/0", "2001:db8::1", true), ("::1", "0:0:0:0:0:0:0:1", true),
        // an IPv4 address in IPv6 is the IPv4 one
        ("10.0.0.0/8", "::ffff:10.0.0.1", true), ("::ffff:10.0.0.0/104", "10.1.1.1", true),
        ("::ffff:0:0/95", "10.1.1.1", false),
    ])
    func contains(network: String, address: String, contains: Bool) throws {
        #expect(try #require(IPNetwork(network)).contains(try #require(IPNetwork(address))) == contains)
    }

    @Test(arguments: [
        "", "x", "10.0.0", "10.0.0.256", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/08", "10.0.0.0/8/8",
        "::1/129", "[::1]", "fe80::1%eth0", "10.0.0.1 ", "/8",
    ])
    func othersAreNone(_ text: String) {
        #expect(IPNetwork(text) == nil)
    }

    @Test(arguments: [
        ("FD00:0:0::1", "fd00::1"), ("10.1.2.3/8", "10.0.0.0/8"), ("10.0.0.1/32", "10.0.0.1"), ("::/0", "::/0"),
        ("::ffff:10.1.2.3/104", "10.0.0.0/8"),
    ])
    func oneNetworkHasOneText(_ written: String, _ text: String) {
        #expect(IPNetwork(written)?.description == text)
    }

    @Test func aCallerHasItsAddressOrItsSixtyFour() throws {
        #expect(IPNetwork("192.0.2.1")?.caller == IPNetwork("192.0.2.1"))
        #expect(IPNetwork("2001:db8:1:2:3::4")?.caller == IPNetwork("2001:db8:1:2::/64"))
    }
}
