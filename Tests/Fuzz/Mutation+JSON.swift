import TestSupport

/// Changes of the tree: what parses, and means something else.
extension Mutation {
    /// One node on a random way from the root is changed.
    static func of(_ tree: JSON, _ random: inout Random) -> JSON {
        switch tree {
        case .object(var members) where !members.isEmpty && !random.oneIn(12):
            let index = place(in: members, &random)
            switch random.below(16) {
            case 0: members.remove(at: index)
            case 1: members[index].value = replacement(&random)
            // The readers must not each take another of the two.
            case 2: members.insert(JSON.Member(name: members[index].name, value: replacement(&random)), at: 0)
            case 3: members.append(members[random.below(members.count)])
            case 4: members[index].name = text(members[index].name, &random)
            case 5: members[index].value = members[random.below(members.count)].value
            default: members[index].value = of(members[index].value, &random)
            }
            return .object(members)
        case .list(var values) where !values.isEmpty && !random.oneIn(12):
            let index = random.below(values.count)
            switch random.below(8) {
            case 0: values.remove(at: index)
            case 1: values += Array(repeating: values[index], count: random.below(random.oneIn(50) ? 3000 : 20))
            case 2: values.swapAt(index, random.below(values.count))
            default: values[index] = of(values[index], &random)
            }
            return .list(values)
        case .text(let old) where !random.oneIn(3): return .text(text(old, &random))
        default:
            switch random.below(8) {
            case 0: return .list([tree])
            case 1: return .object([JSON.Member(name: "id", value: tree)])
            default: return replacement(&random)
            }
        }
    }

    /// The fields that the readers look at; most of a payload is none of these, and would take most of the changes.
    private static let read: Set = [
        "ref", "before", "after", "deleted", "head_commit", "commits", "id", "message", "author", "repository",
        "project",
        "clone_url", "default_branch", "event_name", "object_kind", "checkout_sha", "git_http_url", "push", "changes",
        "new", "old", "target", "hash", "type", "name", "toHash", "fromHash", "refId", "toCommit", "links", "clone",
        "href",
        "eventType", "resource", "refUpdates", "newObjectId", "oldObjectId", "remoteUrl", "Records", "codecommit",
        "references", "commit", "eventSourceARN", "detail", "resources", "event", "referenceFullName", "build",
        "docker_tag", "source_type", "source_name", "branch", "tag", "force", "build_args",
    ]

    private static func place(in members: [JSON.Member], _ random: inout Random) -> Int {
        let index = random.below(members.count)
        guard random.oneIn(2) else { return index }
        let rest = members[index...].firstIndex { read.contains($0.name) }
        return rest ?? members.firstIndex { read.contains($0.name) } ?? index
    }

    private static let refs = [
        "refs/heads/main", "refs/tags/v1", "refs/heads/../x", "refs/heads/\u{0}", "refs/pull/1/head", "main",
        "refs/heads/",
        "refs/heads/é\u{301}日本", "refs/tags/" + String(repeating: "n", count: 1100), "refs/heads/a/b/c.lock", "HEAD",
        "refs/tags/{\\1}", "refs/heads/a b", "refs/heads/-x",
    ]

    private static let numbers = [
        "0", "-1", "9223372036854775807", "9223372036854775808", "1.5e300", "1e999", "-0", "01", "0x1", "NaN", "1.",
        "true", "null", "nul", "\"\\ud800\"", "\"\\x\"", "\"", "'a'", "", "{\"a\":1,\"a\":2}",
    ]

    private static func replacement(_ random: inout Random) -> JSON {
        switch random.below(14) {
        case 0: .raw("null")
        case 1: .raw("true")
        case 2, 3: .raw(random.pick(numbers))
        case 4: .text("")
        case 5: .text(String(repeating: "a", count: random.pick([1, 1025, random.oneIn(20) ? 100_000 : 10])))
        case 6: .text(String(repeating: random.pick(["0", "F", "g", "１"]), count: random.pick([40, 64, 39])))
        case 7, 8: .text(random.pick(refs))
        case 9: .list([])
        case 10: .object([])
        case 11:
            .list((0..<random.pick([2, random.oneIn(10) ? 3000 : 10])).map { .raw("\($0)") })
        case 12:
            random.oneIn(5)
                ? deep(random.pick([20, 400, 600]))
                : .object(
                    (0..<(random.oneIn(10) ? 1000 : 10)).map { JSON.Member(name: "k\($0)", value: .raw("\($0)")) })
        default:
            .text(
                random.pick([
                    "\u{1f600}", "é\u{301}", "'; DROP TABLE builds; --", "\u{1b}[31m", "{\\1}", "../../etc/passwd",
                    "[skip ci]", "https://git.example.com/acme/shop.git", "https://[::1/x", "file:///etc", "a:", "@:b",
                ]))
        }
    }

    private static func deep(_ depth: Int) -> JSON {
        (0..<depth).reduce(.list([])) { tree, level in
            level % 2 == 0 ? .list([tree]) : .object([JSON.Member(name: "k", value: tree)])
        }
    }

    private static func text(_ old: String, _ random: inout Random) -> String {
        switch random.below(7) {
        case 0: old + random.pick(["\u{0}", " ", "x", "\u{301}", "/", ".git", "\n", "\u{202e}"])
        case 1: random.pick(["\u{0}", " ", "x", "\u{301}", "/", "refs/heads/", "refs/tags/"]) + old
        case 2: String(old.prefix(random.below(old.count + 1)))
        case 3: String(old.dropFirst(random.below(old.count + 1)))
        case 4: old.uppercased()
        case 5: random.pick(refs)
        default: old + old
        }
    }
}
