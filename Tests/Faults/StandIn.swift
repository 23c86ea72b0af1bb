import Foundation
import TestSupport

/// This program under the name of buildah: it answers what the service asks of that, and takes a moment of random length
/// instead of building.
///
/// It lives in `<folder>/bin`, keeps its images in `<folder>/images`, and notes what it does in `<folder>/journal`.
struct StandIn {
    private let folder: String
    private let words: [String]
    /// Of the attempt that it works for, as the paths that it is given tell.
    private let build: Int
    private let attempt: Int

    private var journal: Journal { Journal(path: folder + "/journal") }
    private var running: String { folder + "/running" }

    /// Nil where the program was started under its own name.
    init?(_ arguments: [String]) {
        let program = URL(filePath: arguments.first ?? "")
        guard program.lastPathComponent == "buildah" else { return nil }
        folder = program.deletingLastPathComponent().deletingLastPathComponent().path
        words = Array(arguments.dropFirst())
        let place = words.lazy.compactMap { $0.firstMatch(of: /\/work\/([0-9]+)-([0-9]+)\//) }.first
        build = place.flatMap { Int($0.1) } ?? 0
        attempt = place.flatMap { Int($0.2) } ?? 0
    }

    /// - Returns: its exit code.
    func run() async -> Int32 {
        // It keeps no cache in a registry.
        if words.contains("--help") { return 0 }
        let options = StandInOptions(words)
        switch options.command {
        case "--version": print("buildah version 1.28.2 (image-spec 1.0.2-dev, runtime-spec 1.0.2-dev)")
        case "info": print(options["--format"] == nil ? "{}" : folder + "/images")
        case "containers", "rm", "prune", "system": break
        case "images":
            // Without a name all are asked for, which the stand-in keeps to itself.
            if let name = options.rest.last, let id = try? StoredImage.read(name, in: folder).id { print(id) }
        case "rmi":
            options.rest.forEach { try? FileManager.default.removeItem(atPath: StoredImage.path($0, in: folder)) }
        case "bud", "build": return await noted { try await bud(options) }
        case "push": return await noted { try await push(options) }
        case "tag":
            return await noted {
                guard options.rest.count == 2 else { throw Found("tag takes two names") }
                try StoredImage.read(options.rest[0], in: folder).write(as: options.rest[1], in: folder)
            }
        case "inspect":
            guard options["--type"] == "image", let name = options.rest.last,
                let id = try? StoredImage.read(name, in: folder).id
            else { Self.fail("no such object") }
            print(id)
        default: Self.fail("the stand-in does not know \"\(words.joined(separator: " "))\"")
        }
        return 0
    }

    static func fail(_ sentence: String) -> Never {
        say("Error: \(sentence)")
        exit(125)
    }

    private static func say(_ line: String) {
        FileHandle.standardError.write(Data((line + "\n").utf8))
    }

    /// Notes the beginning and the end, and whether another attempt's process still lives.
    private func noted(_ work: () async throws -> Void) async -> Int32 {
        let what = words.first { ["bud", "build", "push", "tag"].contains($0) } ?? ""
        let mine = "\(running)/\(build)-\(attempt)-\(getpid())"
        if !FileManager.default.createFile(atPath: mine, contents: nil) { Self.fail("\(mine) can't be made") }
        journal.note(.begin, build: build, attempt: attempt, what)
        for other in (try? FileManager.default.contentsOfDirectory(atPath: running)) ?? [] {
            let parts = other.split(separator: "-").compactMap { Int($0) }
            guard parts.count == 3, parts[0] == build, parts[1] != attempt, build > 0 else { continue }
            // One that stands still with its machine does nothing.
            let process = Int32(parts[2])
            if Processes.commandLine(process).contains("/work/\(parts[0])-\(parts[1])/"), !Processes.isStopped(process)
            {
                journal.note(
                    .overlap, build: build, attempt: attempt, "\(what) with process \(parts[2]) of attempt \(parts[1])")
            }
        }
        defer {
            journal.note(.end, build: build, attempt: attempt, what)
            try? FileManager.default.removeItem(atPath: mine)
        }
        do {
            try await work()
            return 0
        } catch {
            Self.say("Error: \(error)")
            return 125
        }
    }

    private func bud(_ options: StandInOptions) async throws {
        guard let dockerfile = options["--file"], let reference = options["--tag"], let context = options.rest.last
        else {
            throw Found("bud takes a file, a tag and a context")
        }
        let steps = try String(contentsOfFile: dockerfile, encoding: .utf8)
        print("STEP 1/2: FROM scratch\nSTEP 2/2: COPY hello /hello")
        try await takeAMoment()
        if steps.contains("COPY missing") {
            throw Found(
                "building at STEP \"COPY missing /missing\": checking on sources under \"\(context)\": "
                    + "copier: stat: \"/missing\": no such file or directory")
        }
        let hello = try Data(contentsOf: URL(filePath: context + "/hello"))
        let image = StoredImage(file: hello, labels: try labels(options))
        try image.write(as: reference, in: folder)
        let id = try image.id
        try image.write(as: id, in: folder)
        if let file = options["--iidfile"] { try Data(id.utf8).write(to: URL(filePath: file)) }
        print("COMMIT \(reference)\n\(id)")
    }

    private func labels(_ options: StandInOptions) throws -> [String: String] {
        var labels: [String: String] = [:]
        for label in options.all("--label") {
            let parts = label.split(separator: "=", maxSplits: 1).map(String.init)
            labels[parts[0]] = parts.count > 1 ? parts[1] : ""
        }
        for file in options.all("--file").dropFirst() {
            let text = try String(contentsOfFile: file, encoding: .utf8)
            for match in text.matches(of: /"([^"]*)"="([^"]*)"/) { labels[String(match.1)] = String(match.2) }
        }
        return labels
    }

    private func push(_ options: StandInOptions) async throws {
        guard let name = options.rest.first, let target = options.rest.last else { throw Found("push takes an image") }
        let image = try StoredImage.read(name, in: folder)
        try await takeAMoment()
        try await image.push(to: target.replacing("docker://", with: "")) { event in
            journal.note(event, build: build, attempt: attempt, target)
        }
        print("Writing manifest to image destination")
    }

    /// In a child of its own, as a builder's step is: whoever ends this has that one to end too.
    private func takeAMoment() async throws {
        var random = Random(seed: UInt64(build) << 20 ^ UInt64(attempt) << 8 ^ UInt64(words.count))
        let milliseconds = random.oneIn(25) ? 500 + random.below(3000) : random.below(250)
        let sleep = Program()
        sleep.executableURL = URL(filePath: "/bin/sleep")
        sleep.arguments = [String(Double(milliseconds) / 1000)]
        try sleep.runUnmasked()
        await sleep.ended()
    }
}
