import Model
import Settings
import Testing

/// `memory`, `cpus`, `processes` and `network` of a rule.
@Suite struct BuildLimitsTests {
    @Test(arguments: [
        ("memory: 2GiB", Rule.Limits(memory: 2 << 30)), ("memory: 512MB", Rule.Limits(memory: 512_000_000)),
        ("cpus: 1.5", Rule.Limits(cpus: 1.5)), ("cpus: 2", Rule.Limits(cpus: 2)),
        ("processes: 512", Rule.Limits(processes: 512)), ("network: none", Rule.Limits(network: .none)),
        ("network: default", Rule.Limits()), ("cache: false", Rule.Limits()),
        (
            "memory: 64MiB, cpus: 0.25, processes: 32, network: none",
            Rule.Limits(memory: 64 << 20, cpus: 0.25, processes: 32, network: .none)
        ),
    ])
    func whatIsWrittenHolds(keys: String, limits: Rule.Limits) throws {
        #expect(try read(rule("{branch: main, \(keys)}")).repositories[0].rules[0].limits == limits)
    }

    @Test(arguments: [
        Case(rule("{branch: main, memory: 2g}"), "6:32: memory is \"2g\"; a size is written as in 512MiB or 2GiB"),
        Case(rule("{branch: main, memory: 1MiB}"), "6:32: memory is less than 32MiB, which no builder can run in"),
        Case(rule("{branch: main, cpus: 0}"), "6:30: cpus is \"0\"; a number from 0.05 to 1024 as 1.5 can be"),
        Case(rule("{branch: main, cpus: -1}"), "6:30: cpus is \"-1\"; a number from 0.05 to 1024 as 1.5 can be"),
        Case(rule("{branch: main, cpus: 1e3}"), "6:30: cpus is \"1e3\"; a number from 0.05 to 1024 as 1.5 can be"),
        Case(rule("{branch: main, cpus: 9999}"), "6:30: cpus is \"9999\"; a number from 0.05 to 1024 as 1.5 can be"),
        Case(
            rule("{branch: main, processes: 1}"),
            "6:35: processes is \"1\"; a whole number from 16 to 4194304 can be"),
        Case(
            rule("{branch: main, network: host}"),
            "6:33: network \"host\" is not known; valid are \"default\", \"none\""),
        Case(rule("{branch: main, memry: 2GiB}"), "6:24: unknown key \"memry\" in a rule; nearest is \"memory\""),
    ])
    func whatCannotBeIsRefused(_ one: Case) {
        #expect(faults(one.text) == one.faults)
    }

    @Test func anImageBuiltWithoutNetworkIsAnother() throws {
        let rules = try read(
            repository("rules:\n  - {branch: a}\n  - {branch: b, network: none}\n  - {branch: c, memory: 64MiB}")
        )
        .repositories[0].rules
        #expect(rules.map(\.commitTag.text) == ["sha-{sha12}", "sha-{sha12}-2", "sha-{sha12}"])
    }
}
