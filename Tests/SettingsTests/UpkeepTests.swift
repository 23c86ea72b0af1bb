import Model
import Settings
import Testing

/// `retries`, `poll`, `base_poll`, `follow_base`, `sweep`, `keep`, `disk`, and the rules' `order` and `cancel_running`.
@Suite struct UpkeepTests {
    @Test func whatIsNotWrittenKeepsItsDefault() throws {
        for text in ["", "sweep: {}\nkeep: {builds: {}, logs: {}, deliveries: {}}\ndisk: {}"] {
            let settings = try read(text)
            #expect(settings.retries == 5)
            #expect(settings.basePoll == .seconds(3600))
            #expect(settings.sweep == Sweep(every: .seconds(3600), repairs: true))
            #expect(settings.keep == Keep())
            #expect(settings.disk == Disk(minimumFree: 1 << 30, cacheBudget: 20 << 30))
        }
        #expect(try read("keep: {builds: {count: 7}}").keep == Keep(builds: Keep.Bound(age: .days(365), count: 7)))
        #expect(try read("sweep: {repair: no}").sweep == Sweep(repairs: false))
        let found = try read(repository("rules: [{branch: main}, {tag: v1}]")).repositories[0]
        #expect(found.poll == .seconds(300))
        #expect(found.rules.allSatisfy { $0.order == .version && !$0.cancelRunning && $0.followsBase })
    }

    @Test func everyKey() throws {
        let settings = try read(
            """
            retries: 0
            sweep: {every: 30m, repair: false}
            keep:
              builds: {age: 2d, count: 500}
              logs: {age: 1d12h, count: 10000000}
              deliveries: {age: 36500d, count: 1}
            disk: {min_free: 512MiB, cache: 5GB}
            """)
        #expect(settings.retries == 0)
        #expect(settings.sweep == Sweep(every: .seconds(1800), repairs: false))
        let expected = Keep(
            builds: Keep.Bound(age: .days(2), count: 500),
            logs: Keep.Bound(age: .seconds(129_600), count: 10_000_000),
            deliveries: Keep.Bound(age: .days(36500), count: 1))
        #expect(settings.keep == expected)
        #expect(settings.disk == Disk(minimumFree: 512 << 20, cacheBudget: 5_000_000_000))
    }

    @Test func offIsNever() throws {
        let settings = try read(
            """
            sweep: {every: off}
            keep: {builds: off, logs: {age: 'off'}, deliveries: {age: off, count: off}}
            disk: {cache: off}
            """)
        #expect(settings.sweep == Sweep(every: nil))
        let none = Keep.Bound()
        #expect(settings.keep == Keep(builds: none, logs: none, deliveries: none))
        #expect(settings.disk.cacheBudget == nil)
        // The other bound of the same is left as it was.
        #expect(try read("keep: {builds: {age: off}}").keep.builds == Keep.Bound(count: 10_000))
    }

    @Test(arguments: [
        // top level, repository, what comes of it
        ("", "", 300), ("poll: 1h", "", 3600), ("poll: 1h", "poll: 10s", 10), ("poll: off", "", nil),
        ("poll: off", "poll: 7d", 604_800), ("poll: 1m", "poll: off", nil), ("", "poll: off", nil),
    ])
    func aRepositorysOwnPollWins(_ top: String, _ own: String, _ seconds: Int?) throws {
        let settings = try read("\(top)\n\(repository(own))")
        #expect(settings.repositories[0].poll == seconds.map { .seconds($0) })
        // Wherever the key stands in the file.
        #expect(try read("\(repository(own))\n\(top)").repositories[0].poll == seconds.map { .seconds($0) })
    }

    @Test(arguments: [
        ("10s", 10), ("30m", 1800), ("7d", 604_800), ("off", nil),
    ])
    func howOftenBaseImagesAreLookedAt(_ written: String, _ seconds: Int?) throws {
        let settings = try read("base_poll: \(written)\npoll: 1m\n\(repository(""))")
        #expect(settings.basePoll == seconds.map { .seconds($0) })
        #expect(settings.repositories[0].poll == .seconds(60))
    }

    @Test func whatRulesSayOfTheirBase() throws {
        let rules = try read(repository("rules: [{branch: a, follow_base: no}, {tag: b, follow_base: true}, {tag: c}]"))
            .repositories[0].rules
        #expect(rules.map(\.followsBase) == [false, true, true])
        // It is nothing of the images, so the commit tags are shared.
        #expect(Set(rules.map(\.commitTag.text)) == ["sha-{sha12}"])
    }

    @Test(arguments: [
        ("0B", 0), ("7B", 7), ("1KB", 1000), ("1MB", 1_000_000), ("1GB", 1_000_000_000), ("1KiB", 1024),
        ("3MiB", 3_145_728), ("1GiB", 1_073_741_824), ("1 GiB", 1_073_741_824),
    ])
    func sizes(_ written: String, _ bytes: Int) throws {
        #expect(
            try read("disk: {min_free: \(written), cache: \(written)}").disk
                == Disk(minimumFree: bytes, cacheBudget: bytes))
    }

    @Test func whatRulesSayOfOrder() throws {
        let rules = try read(
            repository(
                "rules:\n  - {tag: v1, order: commit}\n  - {tag: v2, order: version}\n  - {branch: a, cancel_running: yes}"
            )
        )
        .repositories[0].rules
        #expect(rules.map(\.order) == [.commit, .version, .version])
        #expect(rules.map(\.cancelRunning) == [false, false, true])
    }

    @Test(arguments: [
        Case("retries: 101", "1:10: retries is \"101\"; a whole number from 0 to 100 can be"),
        Case("retries: -1", "1:10: retries is \"-1\"; a whole number from 0 to 100 can be"),
        Case("retrys: 1", "1:1: unknown key \"retrys\" in settings; nearest is \"retries\""),

        Case("poll: 9s", "1:7: poll is \"9s\"; 10s to 7d can be"),
        Case("poll: 7d1s", "1:7: poll is \"7d1s\"; 10s to 7d can be"),
        Case("poll: never", "1:7: poll is \"never\"; a duration is written as in 30s, 5m or 1h, or off"),
        Case(repository("poll: 5"), "5:11: poll is \"5\"; a duration is written as in 30s, 5m or 1h, or off"),
        Case("poll: {every: 5m}", "1:7: poll must be text, not a mapping"),

        Case("base_poll: 9s", "1:12: base_poll is \"9s\"; 10s to 7d can be"),
        Case("base_poll: 8d", "1:12: base_poll is \"8d\"; 10s to 7d can be"),
        Case("base_poll: no", "1:12: base_poll is \"no\"; a duration is written as in 30s, 5m or 1h, or off"),
        Case("base_poll: [1h]", "1:12: base_poll must be text, not a list"),
        Case("base_pol: 1h", "1:1: unknown key \"base_pol\" in settings; nearest is \"base_poll\""),

        Case("sweep: off", "1:8: sweep must be a mapping of \"every\", \"repair\", not text"),
        Case("sweep: {evry: 1h}", "1:9: unknown key \"evry\" in sweep; nearest is \"every\""),
        Case("sweep: {every: 0s}", "1:16: every is \"0s\"; 1s to 30d can be"),
        Case("sweep: {repair: maybe}", "1:17: repair is \"maybe\"; write true or false"),

        Case("keep: off", "1:7: keep must be a mapping of \"builds\", \"logs\", \"deliveries\", not text"),
        Case("keep: {build: {}}", "1:8: unknown key \"build\" in keep; nearest is \"builds\""),
        Case("keep: {logs: {agee: 1d}}", "1:15: unknown key \"agee\" in logs; nearest is \"age\""),
        Case("keep: {logs: 90d}", "1:14: logs must be a mapping of \"age\", \"count\", not text"),
        Case(
            "keep: {builds: {age: 90, count: 0}}",
            "1:22: age is \"90\"; a duration is written as in 12h, 30d or 365d, or off",
            "1:33: count is \"0\"; a whole number from 1 to 10000000 can be"),
        Case("keep: {deliveries: {age: 36501d}}", "1:26: age is \"36501d\"; 1s to 36500d can be"),
        Case(
            "keep: {deliveries: {age: 1h1d}}",
            "1:26: age is \"1h1d\"; a duration is written as in 12h, 30d or 365d, or off"),

        Case("disk: 1GiB", "1:7: disk must be a mapping of \"min_free\", \"cache\", not text"),
        Case("disk: {minfree: 1GiB}", "1:8: unknown key \"minfree\" in disk; nearest is \"min_free\""),
        Case(
            "disk: {min_free: off}",
            "1:18: min_free is \"off\"; a size is written as in 512MiB, 1GiB or 2GB"),
        Case(
            "disk: {min_free: 1, cache: 1gib}",
            "1:18: min_free is \"1\"; a size is written as in 512MiB, 1GiB or 2GB",
            "1:28: cache is \"1gib\"; a size is written as in 512MiB, 20GiB or 50GB, or off"),
        Case(
            "disk: {cache: 1.5GiB}",
            "1:15: cache is \"1.5GiB\"; a size is written as in 512MiB, 20GiB or 50GB, or off"),

        Case(
            rule("{branch: main, order: commit}"),
            "6:24: order is for rules for tags; a branch's builds are ordered by their commits"),
        Case(
            rule("{tag: v1, cancel_running: true}"),
            "6:19: cancel_running is for rules for branches, never for tags: each tag is built to its end"),
        Case(rule("{tag: v1, order: versoin}"), "6:26: order \"versoin\" is not known; nearest is \"version\""),
        Case(rule("{branch: main, cancel_running: 1}"), "6:40: cancel_running is \"1\"; write true or false"),
        Case(rule("{branch: main, follow_base: maybe}"), "6:37: follow_base is \"maybe\"; write true or false"),
        Case(rule("{branch: main, follow_base: [true]}"), "6:37: follow_base must be text, not a list"),
        Case(
            rule("{branch: main, folow_base: true}"),
            "6:24: unknown key \"folow_base\" in a rule; nearest is \"follow_base\""),
        Case(
            rule("{branch: main, cancel_runing: true}"),
            "6:24: unknown key \"cancel_runing\" in a rule; nearest is \"cancel_running\""),
    ])
    func faulty(_ example: Case) {
        #expect(faults(example.text) == example.faults)
    }

    /// Rules that differ only in this build the same, so they share their commit tags.
    @Test func orderIsNothingOfTheImages() throws {
        let rules = try read(
            repository("rules: [{branch: a}, {branch: b, cancel_running: yes}, {tag: c, order: commit}]")
        )
        .repositories[0].rules
        #expect(Set(rules.map(\.commitTag.text)) == ["sha-{sha12}"])
    }
}

extension Duration {
    fileprivate static func days(_ count: Int) -> Duration { .seconds(count * 86400) }
}
