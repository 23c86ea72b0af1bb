import Platform
import Testing

@testable import Intake

@Suite struct TrustedProxiesTests {
    private let proxies = TrustedProxies(["10.0.0.0/8", "2001:db8::/32", "127.0.0.1"].compactMap(IPNetwork.init))

    @Test(
        arguments: [
            // no proxy: its header is only its word
            ("192.0.2.1", ["198.51.100.7"], "192.0.2.1"), ("unknown", ["198.51.100.7"], "unknown"),
            // a proxy that tells nothing
            ("10.0.0.1", [], "10.0.0.1"), ("10.0.0.1", [""], "10.0.0.1"),
            // the last that is no proxy
            ("10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", ["203.0.113.9, 198.51.100.7"], "198.51.100.7"),
            ("127.0.0.1", ["203.0.113.9,198.51.100.7, 10.1.2.3"], "198.51.100.7"),
            ("10.0.0.1", ["198.51.100.7", "10.2.2.2"], "198.51.100.7"),
            ("::ffff:10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
            ("2001:db8::1", ["2001:db9::7"], "2001:db9::7"),
            // all of them proxies
            ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            // with ports
            ("10.0.0.1", ["198.51.100.7:51234"], "198.51.100.7"), ("10.0.0.1", ["[2001:db9::7]:443"], "2001:db9::7"),
            // what can't be read
            ("10.0.0.1", ["198.51.100.7, garbage"], "10.0.0.1"), ("10.0.0.1", ["unknown"], "10.0.0.1"),
            ("10.0.0.1", ["198.51.100.0/24"], "10.0.0.1"), ("10.0.0.1", ["[::1"], "10.0.0.1"),
            ("10.0.0.1", ["999.1.1.1"], "10.0.0.1"), ("10.0.0.1", ["garbage, 198.51.100.7"], "198.51.100.7"),
        ] as [(String, [String], String)])
    func callers(peer: String, forwarded: [String], caller: String) {
        #expect(proxies.caller(peer: peer, forwardedFor: forwarded) == caller)
    }

    @Test func withoutProxiesNoHeaderIsBelieved() {
        #expect(TrustedProxies([]).caller(peer: "127.0.0.1", forwardedFor: ["192.0.2.1"]) == "127.0.0.1")
    }
}
