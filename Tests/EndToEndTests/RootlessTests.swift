import Foundation
import Platform
import TestSupport
import Testing

extension EndToEnd {
    /// Slipway as an ordinary user, as the unit in deploy/ runs it: buildah with subordinate ids, and without root.
    @Suite(
        .enabled(
            if: getuid() == 0 && Machine.has("buildah", "docker-registry", "newuidmap", "unshare", "setpriv"),
            "needs root, and the Debian packages buildah, docker-registry and uidmap"),
        .enabled(
            if: ["passwd", "group", "subuid", "subgid"].allSatisfy {
                FileManager.default.fileExists(atPath: "/etc/" + $0)
            }, "needs /etc/subuid and /etc/subgid"))
    struct RootlessTests {
        private static let user = 61234

        /// Starts the service as a user that only its own mount namespace knows.
        ///
        /// - Parameter groups: folders of control groups to hand over to the user and to start in.
        private func bed(_ isolation: String, rule: String = "", groups: [String] = []) async throws -> Bed {
            let bed = try await Bed(
                rules: "    rules: [{branch: main, tags: latest\(rule)}]",
                environment: isolation.isEmpty ? [:] : ["BUILDAH_ISOLATION": isolation], start: false)
            try bed.git.addBusybox()
            let folder = bed.folder
            let id = Self.user
            for (file, line) in [
                ("passwd", "slipway-test:x:\(id):\(id)::\(folder["home"]):/bin/sh"), ("group", "slipway-test:x:\(id):"),
                ("subuid", "slipway-test:2000000:65536"), ("subgid", "slipway-test:2000000:65536"),
            ] {
                try folder.write(
                    String(contentsOfFile: "/etc/" + file, encoding: .utf8) + line + "\n", to: "etc/" + file)
            }
            let script = try folder.write(
                """
                set -e
                here=$1 groups=$2; shift 2
                for file in passwd group subuid subgid; do mount --bind "$here/etc/$file" "/etc/$file"; done
                for group in $groups; do
                    mkdir "$group"; chown -R \(id):\(id) "$group"; echo $$ >"$group/cgroup.procs"
                done
                exec setpriv --reuid \(id) --regid \(id) --clear-groups env HOME="$here/home" XDG_RUNTIME_DIR="$here/run" "$@"

                """, to: "start")
            let program = folder["slipway"]
            try FileManager.default.copyItem(atPath: Service.program, toPath: program)
            for name in ["home", "run"] {
                try FileManager.default.createDirectory(
                    atPath: folder[name], withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            }
            // Not the repositories: git serves nobody else's.
            try await Command.run("chown", ["\(id):\(id)", folder.path, folder["home"], folder["run"]])
            try await bed.startService(
                launcher: [
                    "/usr/bin/unshare", "--mount", "/bin/sh", script, folder.path, groups.joined(separator: " "),
                    program,
                ])
            return bed
        }

        private func dockerfile(_ command: String) -> String {
            "FROM scratch\nCOPY bin /bin\nCOPY hello /hello\nRUN [\"/bin/busybox\", \"sh\", \"-c\", \"\(command)\"]\n"
        }

        // By the isolation of the unit, and by a container runtime.
        @Test(.timeLimit(.minutes(6)), arguments: ["chroot", ""])
        func aPushBecomesAnImageWithoutRoot(_ isolation: String) async throws {
            let bed = try await bed(isolation)
            let status = try String(contentsOfFile: "/proc/\(bed.service.pid)/status", encoding: .utf8)
            #expect(status.contains("Uid:\t\(Self.user)\t\(Self.user)\t\(Self.user)\t\(Self.user)\n"))
            let look = dockerfile("/bin/busybox id -u; exec /bin/busybox cat /proc/self/uid_map")
            let end = try await bed.service.wait(for: try await bed.push("rootless", dockerfile: look).id)
            let log = try await bed.service.log(of: end.id)
            #expect(end.state == "finished", "\(end)\n\(log)")
            // Root in the step is the service's user outside, and others are its subordinate ids.
            #expect(log.contains(/0 +61234 +1\n +1 +2000000 +65536/), "\(log)")
            #expect(try await bed.hello("latest") == "rootless")
            // Nothing that attempts write can be looked into by others.
            #expect(try mode(bed.path + "/data/work") & 0o077 == 0)
            try await bed.expectNothingLeft()
            await bed.stop()
        }

        @Test(.timeLimit(.minutes(6)))
        func aLimitWithoutTheRightToGroupsIsRefused() async throws {
            let bed = try await bed("chroot", rule: ", memory: 128MiB")
            let end = try await bed.service.wait(for: try await bed.push("x", dockerfile: dockerfile("exit 0")).id)
            #expect(end.state == "failed")
            #expect(end.errorKind == "build")
            #expect(end.error.contains("the rule's limits can't be held"), "\(end.error)")
            #expect(end.error.contains("Delegate=yes"), "\(end.error)")
            try await bed.expectNothingLeft()
            await bed.stop()
        }

        // As under systemd with Delegate=yes.
        @Test(
            .timeLimit(.minutes(6)),
            .enabled(if: Machine.hasControlGroups1, "needs version 1 of control groups for memory and pids"),
            arguments: ["chroot", ""])
        func limitsHoldInGroupsOfItsOwn(_ isolation: String) async throws {
            let name = "slipway-test-\(Crypto.randomBytes(4).hex)"
            let groups = Machine.controlGroups1.map { "\($0)/\(name)" }
            let bed = try await bed(isolation, rule: ", memory: 128MiB, processes: 200", groups: groups)
            let greedy = dockerfile("/bin/busybox tail /dev/zero")
            let end = try await bed.service.wait(for: try await bed.push("x", dockerfile: greedy).id)
            #expect(end.error.contains("the rule's memory limit of 128 MiB was reached"), "\(end.error)")
            let good = try await bed.service.wait(
                for: try await bed.push("good", dockerfile: dockerfile("exec /bin/busybox true")).id)
            #expect(good.state == "finished", "\(good)")
            try await bed.expectNothingLeft()
            // The service's own group is empty again: the builds' groups are gone from it.
            for group in groups { #expect(rmdir(group) == 0, "\(group): \(String(cString: strerror(errno)))") }
            await bed.stop()
        }

        private func mode(_ path: String) throws -> Int {
            try #require(FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
        }
    }
}

extension Machine {
    /// The service's own groups in version 1's hierarchies for memory and pids.
    static var controlGroups1: [String] {
        let own = ((try? String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8)) ?? "").split(separator: "\n")
        return ["memory", "pids"].compactMap { name in
            guard let line = own.first(where: { $0.contains(":\(name):") }) else { return nil }
            let path = line.split(separator: ":", maxSplits: 2).last.map(String.init) ?? "/"
            return "/sys/fs/cgroup/\(name)" + (path == "/" ? "" : path)
        }
    }

    static var hasControlGroups1: Bool {
        controlGroups1.count == 2 && controlGroups1.allSatisfy { access($0 + "/cgroup.procs", W_OK) == 0 }
    }
}
