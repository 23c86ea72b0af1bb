import CLinux
import Foundation

/// A control group (cgroups(7)) of one run of a program: the limits that the program and all that it starts share.
///
/// It lies below the service's own group: in version 2 of control groups where its controllers are, else in version 1's
/// hierarchies for memory, cpu and pids, each limit in the one that knows it.
package struct ControlGroup: Sendable {
    /// The most that the group may take; nil is no limit.
    package struct Limits: Sendable, Equatable {
        /// Bytes, the page cache included and without swap.
        package var memory: Int?
        /// Processors' worth of time.
        package var cpus: Double?
        /// Processes and threads.
        package var processes: Int?

        package init(memory: Int? = nil, cpus: Double? = nil, processes: Int? = nil) {
            self.memory = memory
            self.cpus = cpus
            self.processes = processes
        }
    }

    /// What this machine does not let the service do; the description is a sentence for people.
    package struct Refused: Error, CustomStringConvertible {
        package let description: String
    }

    /// The group's folders: one, or in version 1 one for each hierarchy.
    let folders: [String]
    /// The folders that a program goes into to be in the group.
    let entrances: [String]
    /// The group's name in version 2's hierarchy, for programs that put what they start into groups of their own; nil
    /// in version 1, where such programs go on from the group that they are in.
    package let path: String?

    /// Whether the controllers are in version 2's hierarchy.
    package static var isUnified: Bool { FileManager.default.fileExists(atPath: "/sys/fs/cgroup/cgroup.controllers") }

    /// Makes a group for as long as `body` lasts; then what is still in it is killed.
    ///
    /// - Throws: `Refused` where the service may not make groups, or there is no controller for one of the limits;
    ///   whatever `body` throws.
    package static func use<Result: Sendable>(
        _ limits: Limits, isolation: isolated (any Actor)? = #isolation,
        _ body: (ControlGroup) async throws -> Result
    ) async throws -> Result {
        let group = try await Keeper.shared.make(limits)
        let result: Result
        do {
            result = try await body(group)
        } catch {
            await Keeper.shared.remove(group)
            throw error
        }
        await Keeper.shared.remove(group)
        return result
    }

    /// Where the blocking is done.
    private actor Keeper {
        static let shared = Keeper()
        private let executor = QueueExecutor(label: "slipway.groups")
        nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

        func make(_ limits: Limits) throws -> ControlGroup {
            try ControlGroup.make(limits, in: ControlGroupTree(), name: ControlGroupTree.newName())
        }

        func remove(_ group: ControlGroup) { group.remove() }
    }

    /// Makes a group in a tree.
    static func make(_ limits: Limits, in tree: ControlGroupTree, name: String) throws -> ControlGroup {
        let places = try tree.places(for: limits.controllers)
        let folders = places.map { "\($0.folder)/\(name)" }
        let path = places.lazy.compactMap(\.path).first.map { "\($0)/\(name)" }
        let group = ControlGroup(folders: Array(Set(folders)).sorted(), entrances: entrances(places, name), path: path)
        do {
            for folder in group.folders { ControlGroupTree.removeAbandoned(beside: folder) }
            for folder in group.folders + group.entrances where mkdir(folder, 0o755) != 0 && errno != EEXIST {
                throw Refused.making(folder, errno)
            }
            for (place, folder) in zip(places, folders) {
                for setting in limits.settings(place.controller, isUnified: place.path != nil) {
                    try Self.write(setting, in: folder)
                }
            }
        } catch {
            group.remove()
            throw error
        }
        return group
    }

    /// In version 2 a group with processes can have no groups with limits below it, as programs make that start
    /// containers; so those that begin are in one of their own.
    private static func entrances(_ places: [ControlGroupTree.Place], _ name: String) -> [String] {
        Set(places.map { "\($0.folder)/\(name)" + ($0.path == nil ? "" : "/builder") }).sorted()
    }

    /// How often the group's memory was full so that a process was killed for it.
    package var outOfMemoryKills: Int {
        counts("memory.events", "oom_kill") + counts("memory.oom_control", "oom_kill")
    }

    /// Whether the memory was used to its limit; also where only the page cache had to give way.
    package var memoryWasFull: Bool {
        if counts("memory.events", "max") > 0 { return true }
        // Version 1; newer kernels leave its failcnt at 0. Memory is charged in pieces of less than 1 MiB.
        let limit = number("memory.limit_in_bytes")
        return limit > 0 && number("memory.max_usage_in_bytes") > limit - (1 << 20)
    }

    /// How often a process could not be started for the limit.
    package var refusedProcesses: Int { counts("pids.events", "max") }

    /// The most processes and threads that there were at once; 0 where the kernel does not count them (before 6.1).
    package var mostProcesses: Int { number("pids.peak") }

    /// What a file with one number says; 0 where there is none.
    private func number(_ file: String) -> Int {
        folders.lazy.compactMap { Int(Self.text("\($0)/\(file)")) }.first ?? 0
    }

    private func counts(_ file: String, _ key: String) -> Int {
        var count = 0
        for folder in folders {
            for line in Self.text("\(folder)/\(file)").split(separator: "\n") where line.hasPrefix(key + " ") {
                count += Int(line.dropFirst(key.count + 1)) ?? 0
            }
        }
        return count
    }

    private static func text(_ path: String) -> String {
        ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "").trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private static func write(_ setting: Limits.Setting, in folder: String) throws {
        let path = "\(folder)/\(setting.file)"
        let file = open(path, O_WRONLY | O_CLOEXEC)
        // Kernels without accounting of swap have no file for it.
        if file < 0 && setting.isOptional && (errno == ENOENT || errno == EACCES) { return }
        guard let descriptor = Descriptor(file) else { throw Refused.making(path, errno) }
        let bytes = Array(setting.value.utf8)
        guard Foundation.write(descriptor.number, bytes, bytes.count) == bytes.count else {
            throw Refused.making(path, errno)
        }
    }

    /// Kills what is left in the group and removes it. Blocks until those processes have ended, 5 seconds at most for each.
    func remove() {
        // What stays is found by the service's next start.
        for folder in folders { ControlGroupTree.remove(folder, patience: .seconds(5)) }
    }
}

extension ControlGroup.Limits {
    enum Controller: String, CaseIterable {
        case memory, cpu, pids
    }

    struct Setting {
        let file: String
        let value: String
        var isOptional = false
    }

    var controllers: [Controller] {
        (memory == nil ? [] : [.memory]) + (cpus == nil ? [] : [.cpu]) + (processes == nil ? [] : [.pids])
    }

    /// What is written, in the order in which the kernel takes it (its cgroup-v2.rst, cgroup-v1/memory.rst, sched-bwc.rst).
    func settings(_ controller: Controller, isUnified: Bool) -> [Setting] {
        switch controller {
        case .memory:
            guard let memory else { return [] }
            return isUnified
                ? [
                    Setting(file: "memory.max", value: "\(memory)"),
                    Setting(file: "memory.swap.max", value: "0", isOptional: true),
                ]
                : [
                    Setting(file: "memory.limit_in_bytes", value: "\(memory)"),
                    Setting(file: "memory.memsw.limit_in_bytes", value: "\(memory)", isOptional: true),
                ]
        case .cpu:
            guard let cpus else { return [] }
            let (period, quota) = (100_000, Int((cpus * 100_000).rounded()))
            return isUnified
                ? [Setting(file: "cpu.max", value: "\(quota) \(period)")]
                : [
                    Setting(file: "cpu.cfs_period_us", value: "\(period)"),
                    Setting(file: "cpu.cfs_quota_us", value: "\(quota)"),
                ]
        case .pids:
            return processes.map { [Setting(file: "pids.max", value: "\($0)")] } ?? []
        }
    }
}

extension ControlGroup.Refused {
    static let advice =
        "limits need control groups that the service may make: run it as root, or under systemd with Delegate=yes as in deploy/slipway.service"

    static func making(_ path: String, _ code: Int32) -> Self {
        Self(description: "the control group \(path) can't be made: \(String(cString: strerror(code))); \(advice)")
    }
}
