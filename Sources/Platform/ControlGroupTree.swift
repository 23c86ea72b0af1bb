import CLinux
import Foundation

/// Where the service's own control group lies in each hierarchy of this machine.
struct ControlGroupTree {
    /// Where a group for one controller is to be made.
    struct Place {
        let controller: ControlGroup.Limits.Controller
        let folder: String
        /// The folder's name in version 2's hierarchy; nil in version 1.
        let path: String?
    }

    private struct Hierarchy {
        /// Of the service's own group.
        let folder: String
        let path: String
        /// Empty for version 2, whose folders tell of them.
        let controllers: [String]
    }

    private let hierarchies: [Hierarchy]
    private static let prefix = "slipway-build-"
    private static let leaf = "slipway-service"

    /// - Parameters:
    ///   - groups: `/proc/self/cgroup`, proc(5) and cgroups(7).
    ///   - mounts: `/proc/self/mountinfo`, proc_pid_mountinfo(5).
    init(
        groups: String = (try? String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8)) ?? "",
        mounts: String = (try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)) ?? ""
    ) {
        let mounts = mounts.split(separator: "\n").compactMap(Mount.init)
        hierarchies = groups.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
            guard fields.count == 3 else { return nil }
            let controllers = fields[1].split(separator: ",").map(String.init)
            let mount = mounts.first {
                controllers.isEmpty
                    ? $0.type == "cgroup2"
                    : $0.type == "cgroup" && $0.options.contains(controllers.first ?? "")
            }
            guard let mount, let inside = mount.place(of: fields[2]) else { return nil }
            return Hierarchy(folder: mount.point + inside, path: fields[2], controllers: controllers)
        }
    }

    private struct Mount {
        let root: String
        let point: String
        let type: String
        let options: [String]

        init?(_ line: Substring) {
            let halves = line.split(separator: " - ", maxSplits: 1)
            let (left, right) = (halves[0].split(separator: " "), (halves.last ?? "").split(separator: " "))
            guard halves.count == 2, left.count > 4, right.count > 2 else { return nil }
            (root, point, type) = (String(left[3]), String(left[4]), String(right[0]))
            options = right[2].split(separator: ",").map(String.init)
        }

        /// Where a group of the hierarchy is below the mount point, which may show a part only; empty for its top.
        func place(of group: String) -> String? {
            if root == "/" { return group == "/" ? "" : group }
            if group == root || group == "/" { return "" }
            return group.hasPrefix(root + "/") ? String(group.dropFirst(root.count)) : nil
        }
    }

    /// - Throws: `ControlGroup.Refused` where a controller is in no hierarchy, or can't be handed on.
    func places(for controllers: [ControlGroup.Limits.Controller]) throws -> [Place] {
        try controllers.map { controller in
            if let first = hierarchies.first(where: { $0.controllers.contains(controller.rawValue) }) {
                return Place(controller: controller, folder: first.folder, path: nil)
            }
            guard let unified = hierarchies.first(where: \.controllers.isEmpty) else {
                throw ControlGroup.Refused(
                    description:
                        "this machine has no control groups for \(controller.rawValue), so nothing can limit it")
            }
            // A group with processes can't hand controllers on, so the service itself moves into a leaf.
            let isInLeaf = unified.path.hasSuffix("/" + Self.leaf)
            let folder = isInLeaf ? String(unified.folder.dropLast(Self.leaf.count + 1)) : unified.folder
            let path = isInLeaf ? String(unified.path.dropLast(Self.leaf.count + 1)) : unified.path
            try handOn(controller, in: folder)
            return Place(controller: controller, folder: folder, path: path == "/" ? "" : path)
        }
    }

    /// Lets a group's children have a controller.
    private func handOn(_ controller: ControlGroup.Limits.Controller, in folder: String) throws {
        func words(_ file: String) -> [Substring] {
            ((try? String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8)) ?? "")
                .split(whereSeparator: \.isWhitespace)
        }
        let name = controller.rawValue
        if words("cgroup.subtree_control").contains(where: { $0 == name }) { return }
        guard words("cgroup.controllers").contains(where: { $0 == name }) else {
            throw ControlGroup.Refused(
                description: "the control group \(folder) has no controller for \(name); \(ControlGroup.Refused.advice)"
            )
        }
        let control = "\(folder)/cgroup.subtree_control"
        if Self.write("+\(name)", to: control) == 0 { return }
        guard errno == EBUSY else { throw ControlGroup.Refused.making(folder, errno) }
        let leaf = "\(folder)/\(Self.leaf)"
        guard mkdir(leaf, 0o755) == 0 || errno == EEXIST else { throw ControlGroup.Refused.making(leaf, errno) }
        // The supervisors of running children go along: theirs is the group in which the service began.
        for process in [getpid()] + Self.children() where Self.write("\(process)", to: leaf + "/cgroup.procs") != 0 {
            if errno != ESRCH { throw ControlGroup.Refused.making(leaf, errno) }
        }
        guard Self.write("+\(name)", to: control) == 0 else {
            let code = errno
            throw ControlGroup.Refused(
                description:
                    "the control group \(folder) can't hand on \(name), since others than the service are in it (\(String(cString: strerror(code)))); \(ControlGroup.Refused.advice)"
            )
        }
    }

    private static func children() -> [pid_t] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []).flatMap { task in
            ((try? String(contentsOfFile: "/proc/self/task/\(task)/children", encoding: .utf8)) ?? "")
                .split(separator: " ").compactMap { pid_t($0) }
        }
    }

    /// - Returns: 0, or -1 with errno.
    private static func write(_ text: String, to path: String) -> Int {
        let file = open(path, O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return -1 }
        let count = Foundation.write(file, text, text.utf8.count)
        let code = errno
        close(file)
        errno = code
        return count == text.utf8.count ? 0 : -1
    }

    // MARK: Names and ends

    /// The name tells whose the group is, so that those of services that were killed can be removed.
    static func newName() -> String { "\(prefix)\(getpid())-\(Crypto.randomBytes(4).hex)" }

    /// Removes the groups of services that are no more, with what still runs in them.
    static func removeAbandoned(beside folder: String) {
        let parent = (folder as NSString).deletingLastPathComponent
        for name in (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? [] where name.hasPrefix(prefix) {
            guard let service = pid_t(name.dropFirst(prefix.count).prefix(while: \.isNumber)),
                kill(service, 0) != 0 && errno == ESRCH
            else { continue }
            // What stays is found again at the next build.
            remove("\(parent)/\(name)", patience: .zero)
        }
    }

    /// Kills what is in a group and its children, and removes them, the innermost first.
    ///
    /// - Parameter patience: how long to wait for each process to end.
    @discardableResult
    static func remove(_ folder: String, patience: Duration) -> Bool {
        var isDirectory: ObjCBool = false
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
            let child = "\(folder)/\(name)"
            if FileManager.default.fileExists(atPath: child, isDirectory: &isDirectory), isDirectory.boolValue {
                remove(child, patience: patience)
            }
        }
        // Killed processes may have started others meanwhile; those of a group with a limit come to an end.
        for _ in 0..<100 {
            if rmdir(folder) == 0 || errno == ENOENT { return true }
            guard errno == EBUSY else { return false }
            let left = ((try? String(contentsOfFile: folder + "/cgroup.procs", encoding: .utf8)) ?? "")
                .split(separator: "\n").compactMap { pid_t($0) }
            for process in left where slipway_kill_and_wait(process, patience.milliseconds) != 0 { return false }
            // The last of them is still on its way out, of which nobody is told.
            if left.isEmpty { poll(nil, 0, 5) }
        }
        return false
    }
}
