import Foundation
import Platform
import TestSupport

/// One way of building, used the same by the service and by the plain script.
enum Builder: String, CaseIterable, Sendable {
    case buildkit, classic, buildah

    var needsDocker: Bool { self != .buildah }

    /// The word of the settings' `engine`.
    var engine: String { needsDocker ? "docker" : rawValue }

    /// What both sides set in the environment that they inherit.
    ///
    /// - Parameter folder: buildah gets a storage of its own there, and leaves the user's alone.
    func environment(_ daemon: DockerDaemon?, in folder: String) throws -> [String: String] {
        // The distribution's programs first, so that both sides find the same docker.
        var variables = ["PATH": "/usr/bin:/usr/sbin:/bin:/sbin:/usr/local/bin:/usr/local/sbin"]
        switch self {
        case .buildkit, .classic:
            variables["DOCKER_HOST"] = daemon?.host
            variables["DOCKER_BUILDKIT"] = self == .buildkit ? "1" : "0"
        case .buildah:
            let file = folder + "/storage.conf"
            let text = """
                [storage]
                driver = "overlay"
                graphroot = "\(folder)/storage"
                runroot = "\(folder)/storage-run"
                """
            try Data(text.utf8).write(to: URL(fileURLWithPath: file))
            variables["CONTAINERS_STORAGE_CONF"] = file
        }
        return ProcessInfo.processInfo.environment.merging(variables) { $1 }
    }

    /// The plain script's commands.
    func buildCommand(_ reference: String, context: String, cold: Bool) -> [String] {
        let cache = cold ? ["--no-cache"] : []
        guard self == .buildah else { return ["docker", "build"] + cache + ["-q", "-t", reference, context] }
        return ["buildah", "bud"] + cache + runtime + [
            "--layers", "--tls-verify=false", "-q", "-t", reference, context,
        ]
    }

    func pushCommand(_ reference: String) -> [String] {
        needsDocker ? ["docker", "push", "-q", reference] : ["buildah", "push", "-q", "--tls-verify=false", reference]
    }

    /// crun, which buildah prefers, refuses to run where both kinds of control groups are mounted.
    private var runtime: [String] {
        let folders = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin"]
        guard FileManager.default.fileExists(atPath: "/sys/fs/cgroup/unified"),
            let runc = ChildProcess.find("runc", in: folders)
        else { return [] }
        return ["--runtime", runc]
    }
}
