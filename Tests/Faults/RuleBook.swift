/// The rules that every repository of the run has, and what they make of a ref.
enum RuleBook {
    /// As the settings hold them.
    static let text = """
            rules:
              - {branch: main, tags: [latest, tip]}
              - {branch: main, tags: 'copy-{sourceref}', build_args: {COPY: "yes"}}
              - {branch: '/^release-([0-9]+)$/', tags: 'r{\\1}', cancel_running: true}
              - {tag: '/^v([0-9]+)\\.([0-9]+)\\.([0-9]+)$/', tags: ['{\\1}.{\\2}.{\\3}', '{\\1}.{\\2}', released]}
        """

    /// The numbers of the rules that build a ref, and the tags of each that only this ref moves.
    static func own(_ ref: String) -> [(rule: Int, tags: [String])] {
        if ref == "refs/heads/main" { return [(1, ["latest", "tip"]), (2, ["copy-main"])] }
        if let match = ref.wholeMatch(of: /refs\/heads\/release-([0-9]+)/) { return [(3, ["r\(match.1)"])] }
        if let version = Release(ref) { return [(4, ["\(version)"])] }
        return []
    }

    /// Whether a rule lets a ref's builds move a tag.
    static func moves(_ tag: String, _ rule: Int, _ ref: String) -> Bool {
        let shared = Release(ref).map { [$0.series, Release.newest] } ?? []
        return own(ref).contains { $0.rule == rule && ($0.tags + shared).contains(tag) }
    }
}

/// A version that a Git tag names: `v1.4.2`.
struct Release: Comparable, Hashable, CustomStringConvertible {
    let major: Int
    let minor: Int
    let patch: Int

    init?(_ ref: String) {
        guard let match = ref.wholeMatch(of: /(?:refs\/tags\/)?v([0-9]+)\.([0-9]+)\.([0-9]+)/),
            let major = Int(match.1),
            let minor = Int(match.2), let patch = Int(match.3)
        else { return nil }
        (self.major, self.minor, self.patch) = (major, minor, patch)
    }

    /// The tags that several versions move.
    var series: String { "\(major).\(minor)" }
    static let newest = "released"

    var description: String { "\(major).\(minor).\(patch)" }

    static func < (a: Release, b: Release) -> Bool { (a.major, a.minor, a.patch) < (b.major, b.minor, b.patch) }
}
