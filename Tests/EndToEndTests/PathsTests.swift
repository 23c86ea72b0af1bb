import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Which pushes build what, by the files that changed and by what the commit's message says.
    @Suite(.enabled(if: Machine.has("buildah", "docker-registry")))
    struct PathsTests {
        private let rules = """
                rules:
                  - {branch: '/.*/', tags: 'shop-{branch}', dockerfile: shop/Dockerfile, paths: [shop/**], paths_ignore: ['**.md']}
                  - {branch: '/.*/', tags: 'tools-{branch}', dockerfile: tools/Dockerfile, paths: [tools/**]}
                  - {tag: '/.*/', tags: '{tag}', dockerfile: shop/Dockerfile}
            """

        private struct Yard {
            let bed: Bed

            /// Commits these files, tells of the push, and waits for its builds.
            ///
            /// - Returns: the builds' ends, in the order of the rules.
            func push(
                _ files: [String: String], _ message: String = "A change", to ref: String = "refs/heads/main",
                force: Bool = false
            ) async throws -> [Service.BuildView] {
                for (path, text) in files { try bed.git.write(path, text) }
                let commit = try bed.git.commit(message)
                try bed.git.push(ref, force: force)
                var ends: [Service.BuildView] = []
                for build in try await bed.tell(ref, commit).builds {
                    ends.append(try await bed.service.wait(for: build.id))
                }
                return ends
            }

            /// What /hello says in the image of a tag.
            func hello(_ tag: String) async throws -> String? { try await bed.hello(tag) }
        }

        private func dockerfile(_ folder: String) -> [String: String] {
            ["\(folder)/Dockerfile": "FROM scratch\nCOPY hello /hello\n", "\(folder)/hello": "\(folder) 1"]
        }

        private func yard() async throws -> (Yard, [Service.BuildView]) {
            let yard = Yard(bed: try await Bed(rules: rules))
            return (yard, try await yard.push(dockerfile("shop").merging(dockerfile("tools")) { $1 }))
        }

        @Test(.timeLimit(.minutes(6)))
        func aPushBuildsWhatItChanged() async throws {
            let (yard, first) = try await yard()
            #expect(first.map(\.state) == ["finished", "finished"], "the first push of a branch: \(first)")
            let shop = try await yard.push(["shop/hello": "shop 2"])
            #expect(shop.map(\.state) == ["finished", "cancelled"], "\(shop)")
            let reason =
                "no file of paths (tools/**) changed since build \(first[1].id) (commit \(first[1].commit?.prefix(7) ?? ""))"
            #expect(shop[1].json["reason"] as? String == reason)
            #expect(shop[0].json["reason"] is NSNull)
            #expect(shop[1].commit == shop[0].commit)
            #expect(shop[1].json["started_at"] is String && shop[1].json["finished_at"] is String)
            #expect(try await yard.bed.service.log(of: shop[1].id).contains("slipway: skipped: \(reason)\n"))
            #expect(try await yard.hello("shop-main") == "shop 2")
            #expect(try await yard.hello("tools-main") == "tools 1")

            let tools = try await yard.push(["tools/hello": "tools 2", "shop/README.md": "Words"])
            #expect(tools.map(\.state) == ["cancelled", "finished"], "\(tools)")
            let neither = try await yard.push(["docs/a": "a"])
            #expect(neither.map(\.state) == ["cancelled", "cancelled"], "\(neither)")
            #expect(try await yard.hello("tools-main") == "tools 2")

            // The terminal tells why, too.
            let status = try await Command.run(
                Service.program, ["status", "\(shop[1].id)", "--url", yard.bed.service.url])
            #expect(status.contains("cancelled") && status.contains(reason), "\(status)")
            let list = try await Command.run(Service.program, ["status", "--url", yard.bed.service.url])
            #expect(list.contains("no file of paths"), "\(list)")
            try await yard.bed.expectNothingLeft()
            await yard.bed.stop()
        }

        @Test(.timeLimit(.minutes(6)))
        func newBranchesForcePushesAndTagsAreBuilt() async throws {
            let (yard, _) = try await yard()
            let branch = try await yard.push(["docs/a": "a"], to: "refs/heads/other")
            #expect(branch.map(\.state) == ["finished", "finished"], "\(branch)")
            for tag in ["v1", "v2"] {
                let build = try await yard.push(["docs/a": tag], to: "refs/tags/\(tag)")
                #expect(build.map(\.state) == ["finished"], "\(build)")
                #expect(try await yard.hello(tag) == "shop 1")
            }
            let before = try await yard.push(["docs/a": "b"], to: "refs/heads/other")
            #expect(before.map(\.state) == ["cancelled", "cancelled"], "\(before)")
            try yard.bed.git.git("reset", "-q", "--hard", "\(branch[0].commit ?? "")~1")
            let forced = try await yard.push(["docs/a": "c"], to: "refs/heads/other", force: true)
            #expect(forced.map(\.state) == ["finished", "finished"], "\(forced)")
            await yard.bed.stop()
        }

        /// What a failed build had to build is still to be built, whatever the next push changes.
        @Test(.timeLimit(.minutes(6)))
        func theLastImageCountsNotTheLastPush() async throws {
            let (yard, _) = try await yard()
            let broken = try await yard.push([
                "shop/Dockerfile": "FROM scratch\nCOPY hello /hello\nCOPY more.md /more.md\n", "shop/hello": "shop 2",
            ])
            #expect(broken.map(\.state) == ["failed", "cancelled"], "\(broken)")
            let mended = try await yard.push(["shop/more.md": "Not of the rule's paths"])
            #expect(mended.map(\.state) == ["finished", "cancelled"], "\(mended)")
            #expect(try await yard.hello("shop-main") == "shop 2")
            await yard.bed.stop()
        }

        @Test(.timeLimit(.minutes(6)))
        func theCommitsMessageMaySkipIt() async throws {
            let (yard, _) = try await yard()
            let skipped = try await yard.push(["shop/hello": "shop 2"], "Fix a comment [Skip CI]")
            #expect(skipped.map(\.state) == ["cancelled", "cancelled"], "\(skipped)")
            #expect(skipped.first?.json["reason"] as? String == "the commit's message says [skip ci]")
            #expect(skipped.first?.json["message"] as? String == "A change", "the sender tells less than Git")
            #expect(try await yard.hello("shop-main") == "shop 1")
            // Asked for, it is built.
            let asked = try await yard.bed.service.request(
                "POST", "/triggers/\(Bed.triggerToken)",
                body: Data(#"{"source_type": "Branch", "source_name": "main"}"#.utf8))
            for build in asked.builds {
                let end = try await yard.bed.service.wait(for: build.id)
                #expect(end.state == "finished", "\(end)")
            }
            #expect(asked.builds.count == 2, "\(asked.text)")
            #expect(try await yard.hello("shop-main") == "shop 2")
            await yard.bed.stop()
        }
    }
}
