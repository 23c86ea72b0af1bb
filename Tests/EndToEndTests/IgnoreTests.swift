import Foundation
import Model
import Platform
import TestSupport
import Testing

@testable import Checkout

extension EndToEnd {
    /// What the engines themselves make of the ignore files of the table, entry for entry.
    @Suite(.dockerDaemon)
    struct IgnoreTests {
        @Test(.enabled(if: Bench.isHere(.buildKit), "needs root, and docker 20.10 or docker with buildx"))
        func buildKitSeesWhatWeSay() async throws { try await compare(.buildKit) }

        @Test(.enabled(if: DockerDaemon.isAvailable, "needs root and the Debian packages docker.io and iptables"))
        func theClassicBuilderSeesWhatWeSay() async throws { try await compare(.classic) }

        @Test(.enabled(if: Bench.isHere(.buildah), "needs the Debian package buildah"))
        func buildahSeesWhatWeSay() async throws { try await compare(.buildah) }

        /// A part of the table: it is buildah's code.
        @Test(.enabled(if: Bench.isHere(.podman), "needs the Debian package podman"))
        func podmanSeesWhatWeSay() async throws { try await compare(.podman, each: 8) }

        private func compare(_ engine: BuilderKind, each step: Int = 1) async throws {
            let bench = try Bench(engine)
            let numbers = Array(stride(from: 0, to: IgnoreTable.lists.count, by: step))
            // Several at a time, since most of a build is waiting.
            let width = 4
            try await withThrowingTaskGroup(of: Void.self) { group in
                for first in 0..<width {
                    group.addTask {
                        for number in numbers where number % (width * step) / step == first {
                            try await check(number, bench)
                        }
                    }
                }
                try await group.waitForAll()
            }
        }

        private func check(_ number: Int, _ bench: Bench) async throws {
            let list = IgnoreTable.lists[number]
            let file = IgnoreFile(list, engine: bench.engine, dockerfile: "ops/Dockerfile")
            let said = IgnoreTable.sights { path, isFolder in
                let sight = file.sight(of: path, isDirectory: isFolder)
                return (sight == .seen, sight == .unsure, file.mayTakeIn(below: path))
            }
            guard let found = try await bench.build(list, number) else {
                // A list that an engine refuses is one of which nothing is said.
                #expect(said.seen.isEmpty, "\(bench.engine) refuses \(list.debugDescription)")
                return
            }
            let missing = said.seen.subtracting(found).sorted()
            #expect(missing.isEmpty, "\(bench.engine) does not see, with \(list.debugDescription): \(missing)")
            let more = found.subtracting(said.seen.union(said.unsure)).sorted()
            #expect(more.isEmpty, "\(bench.engine) sees, with \(list.debugDescription): \(more)")
        }
    }
}

/// A folder in which one engine builds `COPY . /` of the table's tree.
private struct Bench: Sendable {
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
            arguments =
                engine == .buildKit
                ? ["build"] + output : ["build", "--isolation", "chroot", "--layers=false"] + output
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
