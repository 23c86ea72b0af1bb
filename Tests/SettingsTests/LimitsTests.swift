import Model
import Settings
import Testing

/// `limits` and `trusted_proxies`.
@Suite struct LimitsTests {
    @Test func whatIsNotWrittenKeepsItsDefault() throws {
        #expect(try read("").limits == Limits() && read("limits: {}").limits == Limits())
        let limits = try read("limits: {per_token: 10/s, pending: 500}").limits
        #expect(try limits == Limits(perToken: Rate("10/s"), pending: 500))
    }

    @Test func everyLimit() throws {
        let text = """
            limits:
              per_token: 'off'
              per_address: 1000/h
              delay: 250ms
              pending: 10000000
              pending_per_repository: 1
            """
        let expected = try Limits(
            perToken: nil, perAddress: Rate("1000/h"), delay: 250, pending: 10_000_000, pendingPerRepository: 1)
        #expect(try read(text).limits == expected)
        #expect(try read("limits: {per_address: off}").limits.perAddress == nil)
    }

    @Test(arguments: [("0s", 0), ("0ms", 0), ("1s500ms", 1500), ("60s", 60_000), ("1m", 60_000), ("60000ms", 60_000)])
    func delays(_ written: String, _ milliseconds: Int) throws {
        #expect(try read("limits: {delay: \(written)}").limits.delay == milliseconds)
    }

    @Test(arguments: [
        Case("limits: {per_tokne: 1/s}", "1:10: unknown key \"per_tokne\" in limits; nearest is \"per_token\""),
        Case(
            "limits: 5",
            "1:9: limits must be a mapping of \"per_token\", \"per_address\", \"delay\", \"pending\", \"pending_per_repository\", not text"
        ),
        Case(
            "limits: {per_token: 5}",
            "1:21: per_token: \"5\" is not a rate; 10/s, 300/m and 1000/h are, and off is no limit"),
        Case(
            "limits: {per_address: 5/d}",
            "1:23: per_address: \"5/d\" is not a rate; 10/s, 300/m and 1000/h are, and off is no limit"),
        Case(
            "limits: {delay: 5}", "1:17: delay is \"5\"; a duration is written as in 500ms, 2s or 1m"),
        Case("limits: {delay: 61s}", "1:17: delay is \"61s\"; 0s to 60s can be"),
        Case("limits: {delay: 60s1ms}", "1:17: delay is \"60s1ms\"; 0s to 60s can be"),
        Case("limits: {pending: 0}", "1:19: pending is \"0\"; a whole number from 1 to 10000000 can be"),
        Case(
            "limits: {pending_per_repository: 10000001}",
            "1:34: pending_per_repository is \"10000001\"; a whole number from 1 to 10000000 can be"),
        // Milliseconds are for the delay.
        Case(
            rule("{branch: main, timeout: 1s500ms}"),
            "6:33: timeout is \"1s500ms\"; a duration is written as in 90s, 30m, 1h or 1h30m"),
    ])
    func faulty(_ example: Case) {
        #expect(faults(example.text) == example.faults)
    }

    @Test(arguments: [
        // addresses, as the system writes them
        ("10.0.0.1", "10.0.0.1"), ("'::1'", "::1"), ("FD00:0:0::1", "fd00::1"),
        // networks, without the bits that are not theirs
        ("10.0.0.0/8", "10.0.0.0/8"), ("10.1.2.3/8", "10.0.0.0/8"), ("192.168.255.255/18", "192.168.192.0/18"),
        ("fd12:3456::1/7", "fc00::/7"), ("2001:db8:ffff::/33", "2001:db8:8000::/33"),
        // networks of one address
        ("10.0.0.1/32", "10.0.0.1"), ("fd00::1/128", "fd00::1"),
        // IPv4 in IPv6
        ("'::ffff:10.0.0.1'", "10.0.0.1"), ("'::ffff:10.1.0.0/104'", "10.0.0.0/8"),
    ])
    func proxies(_ written: String, _ canonical: String) throws {
        #expect(try read("trusted_proxies: \(written)").trustedProxies.map(\.description) == [canonical])
        let two = try read("trusted_proxies: [127.0.0.1, \(written)]").trustedProxies
        #expect(two.map(\.description) == ["127.0.0.1", canonical])
        #expect(try warnings("trusted_proxies: \(written)\n" + repository("")) == [])
    }

    @Test(arguments: [
        "proxy.test", "10.0.0", "10.0.0.0/33", "fd00::/129", "10.0.0.0/", "10.0.0.0/+8", "10.0.0.0/8/8", "/8",
        "10.0.0.0/255.0.0.0",
    ])
    func noProxy(_ written: String) {
        #expect(
            faults("trusted_proxies: [\(written)]") == [
                "1:19: \"\(written)\" is not an IP address or a network: 10.0.0.1, 10.0.0.0/8 and fd00::/8 are"
            ])
    }

    @Test func trustInEverybodyIsTold() throws {
        let text = "trusted_proxies: [0.0.0.0/0, '::/0']\n" + repository("")
        #expect(
            try warnings(text) == [
                "1:19: 0.0.0.0/0 is every address, so that anybody can pretend to be another",
                "1:30: ::/0 is every address, so that anybody can pretend to be another",
            ])
    }
}
