import Foundation
import TestSupport
import Testing

/// What the program said, and how it ended.
struct ProgramRun {
    let status: Int32
    let output: String
    let errors: String

    /// Runs `slipway` as a person would, in a folder of its own.
    static func slipway(_ arguments: [String], environment: [String: String] = [:]) async throws -> ProgramRun {
        let folder = try TemporaryDirectory()
        let program = Program()
        program.executableURL = URL(fileURLWithPath: Service.program)
        program.arguments = arguments
        program.environment = ["PATH": "/usr/bin:/bin", "HOME": folder.path].merging(environment) { $1 }
        let output = try folder.write("", to: "output")
        let errors = try folder.write("", to: "errors")
        program.standardOutput = FileHandle(forWritingAtPath: output)
        program.standardError = FileHandle(forWritingAtPath: errors)
        program.currentDirectoryURL = URL(fileURLWithPath: folder.path)
        try program.runUnmasked()
        await program.ended()
        return ProgramRun(
            status: program.terminationStatus, output: try String(contentsOfFile: output, encoding: .utf8),
            errors: try String(contentsOfFile: errors, encoding: .utf8))
    }
}

extension Bed {
    /// What the program says of this bed's service, where it ends well.
    func slipway(_ arguments: String...) async throws -> String {
        try await Command.run(Service.program, arguments, environment: ["SLIPWAY_URL": service.url])
    }

    /// What the program says where it ends with a status.
    func refusal(_ status: Int32, _ arguments: String...) async throws -> String {
        let failed = await #expect(throws: Command.Failed.self) {
            try await Command.run(Service.program, arguments, environment: ["SLIPWAY_URL": service.url])
        }
        #expect(failed?.status == status)
        return failed?.errors ?? ""
    }
}
