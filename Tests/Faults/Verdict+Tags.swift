import Foundation

/// Where tags are, and where they were.
extension Verdict {
    func checkTags() async throws {
        for origin in world.origins {
            var released: [Release: Set<String>] = [:]
            for (ref, head) in await origin.heads.sorted(by: { $0.key < $1.key }) {
                for (rule, tags) in RuleBook.own(ref) {
                    let right = await checkHead(origin, ref, head, rule, tags)
                    let any = Set(
                        builds.filter { $0.repository == origin.name && $0.ref == ref && $0.state == "finished" }
                            .compactMap(\.digest))
                    if let release = Release(ref), !any.isEmpty { released[release] = right.isEmpty ? any : right }
                }
            }
            var newest: [String: Release] = [:]
            for release in released.keys {
                for name in [release.series, Release.newest] { newest[name] = max(newest[name] ?? release, release) }
            }
            for (name, release) in newest { check(origin, name, released[release] ?? [], "version \(release)") }
            for tag in files.tags(origin.name) {
                try await checkHistory(origin, tag)
            }
        }
    }

    /// - Returns: the digests of which one is right; empty where nobody can tell.
    private func checkHead(
        _ origin: Origin, _ ref: String, _ head: String, _ rule: Int, _ tags: [String]
    ) async -> Set<String> {
        let builds = of(origin.name, ref, head).filter { $0.rule == rule }
        let finished = Set(builds.filter { $0.state == "finished" }.compactMap(\.digest))
        let what = "\(ref) at \(head.prefix(12))"
        if finished.isEmpty {
            if builds.isEmpty {
                world.findings.add("\(origin.name): rule \(rule) has no build of \(what)")
            } else if await origin.isGood(head), !builds.contains(where: { $0.state == "cancelled" }) {
                world.findings.add(
                    "\(origin.name): \(what) was not built: \(builds.map(\.shown).joined(separator: "; "))")
            } else {
                world.counts.add("heads without an image")
            }
        } else {
            for tag in tags { check(origin, tag, finished, what) }
        }
        return finished
    }

    private func check(_ origin: Origin, _ tag: String, _ right: Set<String>, _ what: String) {
        world.counts.add("tags looked at")
        let digest = files.digest(origin.name, tag)
        guard digest.map(right.contains) != true else { return }
        let holder = builds.last { $0.digest == digest }?.shown ?? "no build"
        world.findings.add(
            "\(origin.name):\(tag) should be at \(what) (builds \(builds.filter { right.contains($0.digest ?? "") }.map(\.id))), "
                + "and is at \(digest ?? "nothing") of \(holder)")
    }

    /// A commit tag never named another image, and no other tag went back to a commit before.
    private func checkHistory(_ origin: Origin, _ tag: String) async throws {
        let history = try files.history(origin.name, tag)
        world.counts.add("moves of tags", history.count)
        if tag.hasPrefix("sha-") {
            if history.count != 1 { world.findings.add("\(origin.name):\(tag) named several images: \(history)") }
            return
        }
        // Of what the tag may have been told to be at last: an image may be that of several pushes.
        var last: [Place] = []
        for digest in history {
            let places = try await places(of: digest, origin, tag)
            var next: [Place] = []
            var reason: String?
            for place in places {
                var reasons: [String] = []
                for before in last {
                    if let reason = await whyNot(from: before, to: place, origin) { reasons.append(reason) }
                }
                if last.isEmpty || reasons.count < last.count { next.append(place) } else { reason = reasons.first }
            }
            if let reason, next.isEmpty { world.findings.add("\(origin.name):\(tag) \(reason)") }
            last = next.isEmpty ? places : next
        }
    }

    /// What an image was built from, or taken for.
    private struct Place: Hashable {
        let commit: String
        let ref: String
    }

    private func places(of digest: String, _ origin: Origin, _ tag: String) async throws -> [Place] {
        let labels = try files.labels(digest)
        let made = Place(
            commit: labels["org.opencontainers.image.revision"] ?? "",
            ref: labels["org.opencontainers.image.ref.name"] ?? "")
        if !(await origin.isKnown(made.commit)) {
            world.findings.add("\(origin.name):\(tag) named an image of no commit: \(labels)")
        }
        let told = builds.filter {
            $0.repository == origin.name && $0.digest == digest && RuleBook.moves(tag, $0.rule, $0.ref)
        }
        // One that was ended in the middle never noted the digest.
        return told.isEmpty
            ? [made]
            : Set(told.map { Place(commit: $0.commit ?? "", ref: $0.ref) }).sorted {
                ($0.commit, $0.ref) < ($1.commit, $1.ref)
            }
    }

    /// Why a tag must not have gone from one to another.
    private func whyNot(from before: Place, to after: Place, _ origin: Origin) async -> String? {
        guard before.commit != after.commit else { return nil }
        if let older = Release(before.ref), let newer = Release(after.ref), older != newer {
            return newer < older ? "went from \(older) back to \(newer)" : nil
        }
        guard await origin.isAncestor(after.commit, of: before.commit) else { return nil }
        return "went from \(before.commit.prefix(12)) back to \(after.commit.prefix(12)), which came before"
    }
}
