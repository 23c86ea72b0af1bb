import Foundation
import Platform
import TestSupport

/// What a post-receive script of four lines does: clone, name, build, push.
struct PlainScript: Sendable {
    let builder: Builder
    let project: Project
    /// Without the tag.
    let image: String
    /// The clone's, removed before each run.
    let folder: String
    let environment: [String: String]
    /// Within the clone.
    var context = "."

    struct Failed: Error, CustomStringConvertible {
        let description: String
    }

    /// Builds what a branch names now.
    func run(cold: Bool = false, branch: String = "main") async throws -> Lap {
        try clear()
        var lap = Lap()
        let tag = try await clone(branch)
        lap.end("clone")
        try await run(builder.buildCommand("\(image):\(tag)", context: "\(folder)/\(context)", cold: cold))
        lap.end("build")
        try await run(builder.pushCommand("\(image):\(tag)"))
        lap.end("push")
        return lap
    }

    /// Builds an image of each folder, after one clone, so many at once.
    func run(folders: [String], jobs: Int) async throws -> Lap {
        try clear()
        var lap = Lap()
        let tag = try await clone("main")
        lap.end("clone")
        try await inTurns(folders, jobs: jobs) { name in
            let reference = "\(image)/\(name):\(tag)"
            try await run(builder.buildCommand(reference, context: "\(folder)/\(name)", cold: false))
            try await run(builder.pushCommand(reference))
        }
        lap.end("build and push")
        return lap
    }

    private func clear() throws {
        if FileManager.default.fileExists(atPath: folder) { try FileManager.default.removeItem(atPath: folder) }
    }

    /// - Returns: the tag, of the commit.
    private func clone(_ branch: String) async throws -> String {
        try await run(["git", "clone", "-q", "--depth", "1", "-b", branch, "file://" + project.git.bare, folder])
        return String(try await run(["git", "-C", folder, "rev-parse", "HEAD"]).prefix(12))
    }

    /// Runs one command as the service's children are run: started here, its output taken through a pipe.
    @discardableResult
    private func run(_ words: [String]) async throws -> String {
        guard let path = ChildProcess.find(words[0], in: environment) else {
            throw Failed(description: "there is no \(words[0]) in PATH")
        }
        return try await withCheckedThrowingContinuation { done in
            Thread.detachNewThread {
                done.resume(with: Result { try start(path, Array(words.dropFirst())) })
            }
        }
    }

    private func start(_ path: String, _ arguments: [String]) throws -> String {
        let (program, output) = (Program(), Pipe())
        program.executableURL = URL(fileURLWithPath: path)
        program.arguments = arguments
        program.environment = environment.merging(["GIT_CONFIG_GLOBAL": "/dev/null"]) { $1 }
        program.standardOutput = output
        program.standardError = output
        try program.runUnmasked()
        let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        program.waitUntilExit()
        guard program.terminationStatus == 0 else {
            throw Failed(description: "\(path) \(arguments.joined(separator: " ")):\n\(text.suffix(2000))")
        }
        return text
    }
}

/// Does something with each element, with no more than `jobs` of them at once.
func inTurns<Element: Sendable>(
    _ elements: [Element], jobs: Int, _ body: @escaping @Sendable (Element) async throws -> Void
) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        for (place, element) in elements.enumerated() {
            if place >= jobs { try await group.next() }
            group.addTask { try await body(element) }
        }
        try await group.waitForAll()
    }
}
