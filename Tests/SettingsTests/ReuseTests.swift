import Model
import Settings
import Testing

/// `reuse`, `max_age`, `cache` and `cache_from` of a rule.
@Suite struct ReuseTests {
    /// What a rule says of former builds.
    struct Words: Sendable, Equatable {
        var reuse = true
        var maxAge: Int?
        var cache = true
        var registryCache = false
        var cacheFrom: [String] = []

        init(
            reuse: Bool = true, maxAge: Int? = nil, cache: Bool = true, registryCache: Bool = false,
            cacheFrom: [String] = []
        ) {
            self.reuse = reuse
            self.maxAge = maxAge
            self.cache = cache
            self.registryCache = registryCache
            self.cacheFrom = cacheFrom
        }

        init(_ rule: Rule) {
            self.init(
                reuse: rule.reuse, maxAge: rule.maxAge, cache: rule.cache, registryCache: rule.registryCache,
                cacheFrom: rule.cacheFrom)
        }
    }

    @Test(arguments: [
        ("timeout: 1h", Words()),
        ("reuse: true, cache: yes", Words()), ("reuse: no", Words(reuse: false)),
        ("max_age: 7d", Words(maxAge: 7 * 86400)), ("max_age: 1h", Words(maxAge: 3600)),
        ("max_age: 365d", Words(maxAge: 365 * 86400)),
        ("cache: false", Words(cache: false)), ("cache: registry", Words(registryCache: true)),
        ("cache: \"registry\"", Words(registryCache: true)),
        // As written, with or without a tag.
        ("cache_from: r.test/b:main", Words(cacheFrom: ["r.test/b:main"])),
        (
            "cache: registry, cache_from: [acme/base, 'localhost:5000/a']",
            Words(registryCache: true, cacheFrom: ["acme/base", "localhost:5000/a"])
        ),
    ])
    func whatIsWrittenHolds(keys: String, words: Words) throws {
        #expect(try Words(read(rule("{branch: main, \(keys)}")).repositories[0].rules[0]) == words)
    }

    @Test(arguments: [
        Case(rule("{branch: main, reuse: 7d}"), "6:31: reuse is \"7d\"; write true or false"),
        Case(
            rule("{branch: main, max_age: 7}"),
            "6:33: max_age is \"7\"; a duration is written as in 12h, 7d or 30d"),
        Case(rule("{branch: main, max_age: 30m}"), "6:33: max_age is \"30m\"; 3600s to 365d can be"),
        Case(rule("{branch: main, max_age: 366d}"), "6:33: max_age is \"366d\"; 3600s to 365d can be"),
        Case(rule("{branch: main, cache: regstry}"), "6:31: cache is \"regstry\"; write true, false or registry"),
        Case(
            rule("{branch: main, cache_from: []}"),
            "6:36: cache_from has no image; leave it out where there is none"),
        Case(
            rule("{branch: main, cache_from: \"r.test/b:\"}"),
            "6:36: \"\" can't be a tag: 1 to 128 letters, digits, \"_\", \".\", \"-\" that don't begin with \".\" or \"-\" can"
        ),
        Case(
            rule("{branch: main, cache_from: \"r.test/b@sha256:\(String(repeating: "a", count: 64))\"}"),
            "6:36: \"r.test/b@sha256:\(String(repeating: "a", count: 64))\" can't be a cache: a digest never gets anything new; name a tag"
        ),
        Case(
            rule("{branch: main, cache: false, cache_from: r.test/b}"),
            "6:38: cache_from is for rules with a cache, and this one has cache: false"),
        Case(rule("{branch: main, maxage: 7d}"), "6:24: unknown key \"maxage\" in a rule; nearest is \"max_age\""),
    ])
    func whatCannotBeIsRefused(_ one: Case) {
        #expect(faults(one.text) == one.faults)
    }

    @Test func anAgeThatNothingIsTakenByIsToldOf() throws {
        #expect(
            try warnings(rule("{branch: main, reuse: false, max_age: 7d}")) == [
                "6:38: max_age has no effect where reuse is false: every push builds an image of its own"
            ])
    }

    /// Where layers are taken from is no other recipe.
    @Test func aCacheMakesNoOtherCommitTag() throws {
        let rules = try read(
            repository(
                "rules:\n  - {branch: a}\n  - {branch: b, cache: registry}\n  - {branch: c, cache_from: r.test/c}")
        ).repositories[0].rules
        #expect(rules.map(\.commitTag.text) == ["sha-{sha12}", "sha-{sha12}", "sha-{sha12}"])
    }
}
