import Foundation
import Model
import Platform
import TestSupport
import Testing

/// A folder in which one engine builds `COPY . /` of the table's tree.
struct Bench: Sendable {
    let engine: BuilderKind
    private let folder: BuildFolder
    private let environment: [String: String]
    private let program: String

    static func isHere(_ engine: BuilderKind) -> Bool { program(engine) != nil }

    /// BuildKit needs a docker that has it in itself or as buildx; the first docker of PATH may have neither.
    private static func program(_ engine: BuilderKind) -> String? {
        let environment = ProcessInfo.processInfo.environment
        switch engine {
        case .buildah, .podman: return ChildProcess.find(engine.rawValue, in: environment)
        case .buildKit, .classic:
            guard DockerDaemon.isAvailable else { return nil }
            let all = ChildProcess.findAll("docker", in: environment)
            return engine == .classic ? all.first : all.first { hasBuildKit($0) }
        }
    }

    private static func hasBuildKit(_ program: String) -> Bool {
        let process = Program()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = ["build", "--help"]
        process.environment = ["DOCKER_BUILDKIT": "1", "HOME": "/", "PATH": "/usr/bin:/bin"]
        process.standardOutput = output
        guard (try? process.runUnmasked()) != nil else { return false }
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return text.contains("--output")
    }

    init(_ engine: BuilderKind) throws {
        self.engine = engine
        program = try #require(Self.program(engine))
        folder = try BuildFolder()
        var environment = DockerDaemon.current?.environment ?? [:]
        environment["PATH"] = ProcessInfo.processInfo.environment["PATH"]
        environment["HOME"] = folder.path
        switch engine {
        case .buildKit: environment["DOCKER_BUILDKIT"] = "1"
        case .classic: environment["DOCKER_BUILDKIT"] = "0"
        case .buildah, .podman:
            let storage = "driver = \"vfs\"\ngraphroot = \"\(folder.path)/graph\"\nrunroot = \"\(folder.path)/run\"\n"
            try ("[storage]\n" + storage).write(
                toFile: folder.path + "/storage.conf", atomically: true, encoding: .utf8)
            environment["CONTAINERS_STORAGE_CONF"] = folder.path + "/storage.conf"
        }
        self.environment = environment
        try FileManager.default.createDirectory(
            atPath: folder.path + "/context", withIntermediateDirectories: true)
        try IgnoreTable.write(to: folder.path + "/context")
    }

    /// - Returns: the entries of the image; nil where the engine refuses the ignore file.
    func build(_ list: String, _ number: Int) async throws -> Set<String>? {
        let tar = "\(folder.path)/\(number).tar"
        let arguments: [String]
        if engine == .classic {
            // It has no ignore file of a Dockerfile's own.
            let context = "\(folder.path)/\(number)"
            try FileManager.default.createDirectory(atPath: context, withIntermediateDirectories: true)
            try IgnoreTable.write(to: context)
            try write(list, to: context + "/.dockerignore")
            try write("FROM scratch\nCOPY . /\n", to: context + "/ops/Dockerfile")
            arguments = [
                "build", "--quiet", "--tag", "ignore:\(number)", "--file", context + "/ops/Dockerfile", context,
            ]
        } else {
            let dockerfile = "\(folder.path)/\(number).Dockerfile"
            try write("FROM scratch\nCOPY . /\n", to: dockerfile)
            try write(list, to: dockerfile + ".dockerignore")
            let output = ["--output", "type=tar,dest=\(tar)", "--file", dockerfile, folder.path + "/context"]
            arguments = ["build"] + options + output
        }
        guard try await run(program, arguments) != nil else { return nil }
        if engine == .classic {
            let layer =
                "set -e; '\(program)' save --output '\(tar).image' ignore:\(number); "
                + "tar -xOf '\(tar).image' --wildcards '*/layer.tar' > '\(tar)'"
            _ = try #require(try await run("/bin/sh", ["-c", layer]))
        }
        let listing = try #require(try await run("tar", ["--quoting-style=literal", "-tf", tar]))
        let names = listing.split(separator: "\n").map { $0.hasPrefix("./") ? String($0.dropFirst(2)) : String($0) }
        return Set(names.filter { !$0.isEmpty }.map(Self.entry))
    }

    /// The entries of the image `COPY . /` of a folder with its own Dockerfile: each with its mode and its content; nil where
    /// the engine refuses it.
    ///
    /// - Parameter number: no other's.
    func see(_ context: String, _ number: Int) async throws -> [String]? {
        let tar = "\(folder.path)/\(number).tar"
        let output = ["--output", "type=tar,dest=\(tar)", "--file", context + "/Dockerfile", context]
        guard try await run(program, ["build"] + options + output) != nil else { return nil }
        let tree = "\(folder.path)/\(number).tree"
        try FileManager.default.createDirectory(atPath: tree, withIntermediateDirectories: true)
        _ = try #require(try await run("tar", ["-C", tree, "--no-same-owner", "-xpf", tar]))
        return try FileManager.default.subpathsOfDirectory(atPath: tree).sorted().map { name in
            let path = "\(tree)/\(name)"
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            switch attributes[.type] as? FileAttributeType {
            case .typeDirectory: return "\(name) folder"
            case .typeSymbolicLink:
                return "\(name) link \(try FileManager.default.destinationOfSymbolicLink(atPath: path))"
            default:
                let content = try Data(contentsOf: URL(fileURLWithPath: path))
                return "\(name) \(attributes[.posixPermissions] as? Int ?? 0) \(Crypto.sha256(content).hex)"
            }
        }
    }

    private var options: [String] {
        engine == .buildKit || engine == .classic ? [] : ["--isolation", "chroot", "--layers=false"]
    }

    /// Buildah's archives have no slash behind a folder's name.
    private static func entry(_ name: String) -> String {
        IgnoreTable.entries.contains(name + "/") ? name + "/" : name
    }

    private func write(_ text: String, to path: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }

    /// - Returns: what it wrote; nil where it failed.
    private func run(_ program: String, _ arguments: [String]) async throws -> String? {
        var environment = environment
        environment["LC_ALL"] = "C.UTF-8"
        let captured = try await ChildProcess(program, arguments, environment: environment).capture(
            timeout: .seconds(120))
        guard captured.ending == .exited(0) else { return nil }
        return String(decoding: captured.stdout, as: UTF8.self)
    }
}

/// Gone with all that builders mounted in it.
private final class BuildFolder: Sendable {
    let path = "/tmp/slipway-ignore-" + Crypto.randomBytes(4).hex

    init() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { Mounts.remove(path) }
}
