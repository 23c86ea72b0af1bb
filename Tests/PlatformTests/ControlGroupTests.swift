import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Platform

@Suite struct ControlGroupTests {
    // Where groups go

    @Test func version1HasAHierarchyForEachController() throws {
        let tree = ControlGroupTree(
            groups: "8:pids:/\n4:memory:/outer/slice\n2:cpu,cpuacct:/x\n0::/\n",
            mounts: """
                32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
                35 31 0:32 /outer /sys/fs/cgroup/memory rw,relatime shared:4 - cgroup cgroup rw,memory
                39 31 0:36 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids
                41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
                """)
        let places = try tree.places(for: [.memory, .cpu, .pids])
        #expect(
            places.map(\.folder) == [
                "/sys/fs/cgroup/memory/slice", "/sys/fs/cgroup/cpu,cpuacct/x", "/sys/fs/cgroup/pids",
            ]
        )
        #expect(places.allSatisfy { $0.path == nil })
    }

    @Test(arguments: [
        // In the service's own group, and from the leaf that it moved to before.
        ("/system.slice/slipway.service", "/system.slice/slipway.service"),
        ("/system.slice/slipway.service/slipway-service", "/system.slice/slipway.service"), ("/", ""),
    ])
    func version2HasOne(own: String, parent: String) throws {
        let top = NSTemporaryDirectory() + "slipway-groups-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: top) }
        try FileManager.default.createDirectory(atPath: top + own, withIntermediateDirectories: true)
        try Data("memory pids\n".utf8).write(to: URL(fileURLWithPath: top + parent + "/cgroup.subtree_control"))
        try Data("cpu memory pids\n".utf8).write(to: URL(fileURLWithPath: top + parent + "/cgroup.controllers"))
        let tree = ControlGroupTree(groups: "0::\(own)\n", mounts: "41 31 0:38 / \(top) rw - cgroup2 cgroup2 rw\n")
        let place = try #require(try tree.places(for: [.memory]).first)
        #expect(place.folder == top + parent)
        #expect(place.path == parent)
        // Handed on first.
        _ = try tree.places(for: [.cpu])
        #expect(try String(contentsOfFile: top + parent + "/cgroup.subtree_control", encoding: .utf8).hasPrefix("+cpu"))
        for file in ["/cgroup.controllers", "/cgroup.subtree_control"] {
            try Data("memory\n".utf8).write(to: URL(fileURLWithPath: top + parent + file))
        }
        let refused = #expect(throws: ControlGroup.Refused.self) { try tree.places(for: [.pids]) }
        #expect(refused?.description.contains("no controller for pids") == true)
        #expect(refused?.description.contains("Delegate=yes") == true)
    }

    @Test func aMachineWithoutAnySaysSo() {
        let tree = ControlGroupTree(groups: "", mounts: "")
        let refused = #expect(throws: ControlGroup.Refused.self) { try tree.places(for: [.memory]) }
        #expect(refused?.description.contains("no control groups for memory") == true)
    }

    @Test func limitsAreWrittenAsTheKernelReadsThem() {
        let limits = ControlGroup.Limits(memory: 64 << 20, cpus: 1.5, processes: 20)
        func lines(_ isUnified: Bool) -> [String] {
            limits.controllers.flatMap { limits.settings($0, isUnified: isUnified) }.map { "\($0.file) \($0.value)" }
        }
        #expect(lines(true) == ["memory.max 67108864", "memory.swap.max 0", "cpu.max 150000 100000", "pids.max 20"])
        #expect(
            lines(false) == [
                "memory.limit_in_bytes 67108864", "memory.memsw.limit_in_bytes 67108864", "cpu.cfs_period_us 100000",
                "cpu.cfs_quota_us 150000", "pids.max 20",
            ])
    }

    // On this machine

    static var isPossible: Bool {
        guard let places = try? ControlGroupTree().places(for: [.memory, .cpu, .pids]) else { return false }
        return places.allSatisfy { access($0.folder, W_OK) == 0 }
    }

    static let path = ["PATH": "/usr/bin:/bin"]

    @Test(.enabled(if: isPossible, "needs the right to make control groups"))
    func memoryIsLimited() async throws {
        let kept = try await ControlGroup.use(.init(memory: 48 << 20)) { group in
            let greedy = ChildProcess(
                "/bin/sh", ["-c", "tail /dev/zero; echo $?"], environment: Self.path, group: group)
            let captured = try await greedy.capture(timeout: .seconds(60))
            #expect(String(decoding: captured.stdout, as: UTF8.self) == "137\n")
            #expect(group.outOfMemoryKills == 1)
            #expect(group.memoryWasFull)
            #expect(group.refusedProcesses == 0)
            return group
        }
        #expect(kept.folders.allSatisfy { !FileManager.default.fileExists(atPath: $0) })
    }

    @Test(.enabled(if: isPossible, "needs the right to make control groups"))
    func processesAndProcessorsAreLimited() async throws {
        try await ControlGroup.use(.init(cpus: 0.5, processes: 8)) { group in
            let script = "cat /proc/self/cgroup; for i in 1 2 3 4 5 6 7 8 9; do sleep 60 & done; echo never"
            let many = ChildProcess("/bin/sh", ["-c", script], environment: Self.path, group: group)
            let captured = try await many.capture(timeout: .seconds(60))
            let output = String(decoding: captured.stdout, as: UTF8.self)
            #expect(group.folders.allSatisfy { output.contains(($0 as NSString).lastPathComponent) })
            #expect(!output.contains("never"))
            #expect(group.refusedProcesses > 0)
            let quotas = group.folders.compactMap {
                (try? String(contentsOfFile: $0 + "/cpu.cfs_quota_us", encoding: .utf8))
                    ?? (try? String(contentsOfFile: $0 + "/cpu.max", encoding: .utf8))
            }
            #expect(quotas == ["50000\n"] || quotas == ["50000 100000\n"])
        }
    }

    @Test(.enabled(if: isPossible, "needs the right to make control groups"))
    func whatIsLeftInAGroupIsKilledAndItIsGone() async throws {
        struct Stop: Error {}
        // A process that no supervisor knows of, in a group below, as container runtimes make them.
        let sleeper = Program()
        sleeper.executableURL = URL(fileURLWithPath: "/bin/sleep")
        sleeper.arguments = ["600"]
        try sleeper.runUnmasked()
        let folders = Mutex<[String]>([])
        await #expect(throws: Stop.self) {
            try await ControlGroup.use(.init(processes: 50)) { group in
                folders.withLock { $0 = group.folders }
                for folder in group.folders {
                    try FileManager.default.createDirectory(
                        atPath: folder + "/inner", withIntermediateDirectories: false)
                    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: folder + "/inner/cgroup.procs"))
                    try file.write(contentsOf: Data("\(sleeper.processIdentifier)".utf8))
                }
                throw Stop()
            }
        }
        await sleeper.ended()
        #expect(sleeper.terminationStatus == SIGKILL)
        #expect(folders.withLock { $0.count } > 0)
        #expect(!folders.withLock { $0.contains { FileManager.default.fileExists(atPath: $0) } })
    }

    @Test func aGroupThatCannotBeEnteredIsNamed() async throws {
        let group = ControlGroup(folders: [], entrances: ["/nonexistent"], path: nil)
        let child = ChildProcess("/bin/sh", ["-c", "exit 0"], environment: Self.path, group: group)
        await #expect(throws: ChildProcessError.noGroup(program: "/bin/sh", code: ENOENT)) { try await child.capture() }
    }
}
