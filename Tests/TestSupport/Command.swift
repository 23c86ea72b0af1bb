import Foundation

/// Runs programs to their end.
package enum Command {
    /// A program ended with something else than 0.
    package struct Failed: Error, CustomStringConvertible {
        package let command: String
        package let status: Int32
        package let errors: String

        package var description: String { "\(command) ended with \(status): \(errors)" }
    }

    /// - Parameter environment: added to PATH and HOME, which is all that the program gets.
    /// - Returns: what the program wrote to stdout, without the last line end.
    /// - Throws: `Failed` where it ends with something else than 0.
    @discardableResult
    package static func run(
        _ program: String, _ arguments: [String], in directory: String? = nil, environment: [String: String] = [:],
        input: Data? = nil
    ) async throws -> String {
        let process = try self.process(program, arguments, in: directory, environment: environment)
        // Files rather than pipes: however much is written, the program never waits for a reader.
        let scratch = try TemporaryDirectory()
        let (output, errors, standardInput) = (scratch["output"], scratch["errors"], scratch["input"])
        for file in [output, errors] { try Data().write(to: URL(fileURLWithPath: file)) }
        try (input ?? Data()).write(to: URL(fileURLWithPath: standardInput))
        process.standardOutput = FileHandle(forWritingAtPath: output)
        process.standardError = FileHandle(forWritingAtPath: errors)
        process.standardInput = FileHandle(forReadingAtPath: standardInput)
        try process.runUnmasked()
        await process.ended()
        let status = process.terminationStatus
        let text = { (file: String) in
            String(decoding: try Data(contentsOf: URL(fileURLWithPath: file)), as: UTF8.self)
                .trimmingCharacters(in: .newlines)
        }
        guard status == 0 else {
            throw Failed(
                command: ([program] + arguments).joined(separator: " "), status: status, errors: try text(errors))
        }
        return try text(output)
    }

    /// The absolute path of a program; nil where this machine has none.
    package static func path(of program: String) -> String? {
        if program.hasPrefix("/") { return FileManager.default.isExecutableFile(atPath: program) ? program : nil }
        let directories = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        return (directories + ["/usr/sbin", "/usr/local/sbin"]).map { "\($0)/\(program)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    static func process(
        _ program: String, _ arguments: [String], in directory: String?, environment: [String: String]
    ) throws -> Program {
        guard let path = path(of: program) else {
            throw Failed(command: program, status: 127, errors: "this machine has no such program")
        }
        let process = Program()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        if let directory { process.currentDirectoryURL = URL(fileURLWithPath: directory) }
        let inherited = ProcessInfo.processInfo.environment.filter { ["PATH", "HOME", "LANG"].contains($0.key) }
        process.environment = inherited.merging(environment) { $1 }
        return process
    }
}
