import Foundation
import Platform

extension BuildahEngine {
    /// - Throws: `Unusable`.
    static func find(_ kind: Program, _ environment: BuilderEnvironment) async throws -> BuildahEngine {
        guard let program = ChildProcess.find(kind.rawValue, in: environment.variables) else {
            let name = kind.rawValue
            throw Unusable(reason: "there is no \(name) in PATH; on Debian: apt-get install \(name)")
        }
        let words = try await environment.ask(program, ["--version"]).split(whereSeparator: \.isWhitespace)
        // Asks for the storage too, which is what may not work for this user.
        _ = try await environment.ask(program, ["info"])
        let help = try await environment.ask(program, [kind == .buildah ? "bud" : "build", "--help"])
        let engine = BuildahEngine(
            builder: kind, program: program, environment: environment,
            version: words.drop { $0 != "version" }.dropFirst().first.map(String.init) ?? "of unknown version",
            isolation: Isolation(environment), remoteCache: RemoteCache(help: help))
        await engine.removeContainers(where: Self.isAbandoned)
        return engine
    }

    /// Removes the working containers whose note of the mounts file is of builds that are over.
    ///
    /// Each step may fail where another build removes its own meanwhile; what is left over is found at the next start.
    func removeContainers(where isOver: @Sendable (String) -> Bool) async {
        guard let ids = await containers() else { return }
        let folder = await containersFolder()
        for id in ids {
            if let path = await mountsFile(of: id, folder), isOver(path) { await removeContainer(id) }
        }
        guard let folder else { return }
        // Without room for its list, podman removes all of a container but its name there, and so the note too.
        let isHalfRemoved = { (id: String) in
            (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(id)/userdata"))?.isEmpty ?? true
        }
        let halfRemoved = (await containers() ?? []).filter(isHalfRemoved)
        if halfRemoved.isEmpty { return }
        // Or it is just being made.
        try? await Task.sleep(for: .milliseconds(500))
        for id in halfRemoved where isHalfRemoved(id) { await removeContainer(id) }
    }

    private func containers() async -> [String]? {
        let list =
            builder == .buildah ? ["containers", "--quiet"] : ["ps", "--all", "--external", "--quiet", "--no-trunc"]
        let ids = try? await environment.ask(program, list)
        return ids?.split(whereSeparator: \.isWhitespace).map(String.init)
    }

    private func removeContainer(_ container: String) async {
        _ = try? await environment.ask(program, ["rm"] + (builder == .podman ? ["--force"] : []) + [container])
    }

    /// Where podman keeps a folder for each container; nil for buildah.
    private func containersFolder() async -> String? {
        guard builder == .podman else { return nil }
        let folder = try? await environment.ask(
            program, ["info", "--format", "{{.Store.GraphRoot}}/{{.Store.GraphDriverName}}-containers"])
        return folder?.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// The mounts file that a working container was made with; nil for those of others.
    private func mountsFile(of container: String, _ folder: String?) async -> String? {
        let text: String?
        switch builder {
        case .buildah:
            let question = ["inspect", "--type", "container", "--format", "\"{{.DefaultMountsFilePath}}\"", container]
            text = try? await environment.ask(program, question)
        case .podman:
            // Podman has no question for it; the note is in buildah's own file about the container.
            text = environment.firstFile([folder.map { "\($0)/\(container)/userdata/buildah.json" }])
        }
        return text?.firstMatch(of: /"([^"]*\/slipway-mounts-[0-9]+\.conf)"/).map { String($0.1) }
    }

    /// Whether a mounts file is of a service that was killed.
    private static func isAbandoned(_ path: String) -> Bool {
        guard let match = path.firstMatch(of: /\/slipway-mounts-([0-9]+)\.conf$/), let service = pid_t(match.1) else {
            return false
        }
        return !FileManager.default.fileExists(atPath: path) || (kill(service, 0) != 0 && errno == ESRCH)
    }
}

/// How RUN steps are kept apart from the machine.
enum Isolation: Equatable {
    /// What buildah does by itself: an OCI runtime.
    case standard
    case runtime(String)
    /// Without a runtime that works here.
    case chroot

    init(_ environment: BuilderEnvironment) {
        if let wanted = environment["BUILDAH_ISOLATION"] {
            self = wanted == "chroot" ? .chroot : .standard
            return
        }
        let path = ["PATH": (environment["PATH"] ?? "") + ":/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin"]
        // crun, which buildah prefers, refuses to run where both kinds of control groups are mounted.
        let hybrid = FileManager.default.fileExists(atPath: "/sys/fs/cgroup/unified")
        if ChildProcess.find("crun", in: path) != nil && !hybrid {
            self = .standard
        } else if let runc = ChildProcess.find("runc", in: path) {
            self = .runtime(runc)
        } else {
            self = .chroot
        }
    }

    func options(of program: BuildahEngine.Program) -> [String] {
        switch self {
        case .standard: []
        case .runtime(let path): program == .buildah ? ["--runtime", path] : []
        case .chroot: ["--isolation", "chroot"]
        }
    }

    func globalOptions(of program: BuildahEngine.Program) -> [String] {
        if case .runtime(let path) = self, program == .podman { return ["--runtime", path] }
        return []
    }
}
