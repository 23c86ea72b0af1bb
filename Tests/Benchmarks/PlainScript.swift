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

    struct Failed: Error, CustomStringConvertible {
        let description: String
    }

    /// Builds what the branch names now.
    func run(cold: Bool) async throws -> Lap {
        if FileManager.default.fileExists(atPath: folder) { try FileManager.default.removeItem(atPath: folder) }
        var lap = Lap()
        try await run(["git", "clone", "-q", "--depth", "1", "file://" + project.git.bare, folder])
        let tag = try await run(["git", "-C", folder, "rev-parse", "HEAD"]).prefix(12)
        lap.end("clone")
        try await run(builder.buildCommand("\(image):\(tag)", context: folder, cold: cold))
        lap.end("build")
        try await run(builder.pushCommand("\(image):\(tag)"))
        lap.end("push")
        return lap
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
