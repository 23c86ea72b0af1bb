import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Pushes while everything fails; `Tests/Faults/run.sh` goes on for longer.
    @Suite(.enabled(if: Machine.has("docker-registry", "sqlite3"), "docker-registry or sqlite3 is missing"))
    struct FaultsTests {
        private static let program = URL(filePath: Service.program).deletingLastPathComponent().appending(
            path: "Faults"
        ).path

        @Test(
            .enabled(if: FileManager.default.isExecutableFile(atPath: program), "the program Faults is not built"),
            .timeLimit(.minutes(20)))
        func nothingIsLostAndNoTagGoesBack() async throws {
            try await run("--seed", "3", "--minutes", "2")
        }

        @Test(
            .enabled(if: FileManager.default.isExecutableFile(atPath: program), "the program Faults is not built"),
            .timeLimit(.minutes(15)))
        func nothingAcceptedIsLostByAKill() async throws {
            try await run("--loss")
        }

        @Test(
            .enabled(if: FileManager.default.isExecutableFile(atPath: program), "the program Faults is not built"),
            .enabled(if: Hosts.isPossible, "needs root, and network namespaces of its own (Debian package iproute2)"),
            .enabled(if: PostgreSQLServer.programs != nil && Machine.has("curl"), "PostgreSQL or curl is missing"),
            .timeLimit(.minutes(15)))
        func manyMachinesLoseNothingThoughEveryLinkIsCut() async throws {
            try await run("--hosts", "--seed", "1")
        }

        /// In a process of its own, whose faults are not those of the tests beside it.
        private func run(_ arguments: String...) async throws {
            let folder = try TemporaryDirectory()
            let program = Program()
            program.executableURL = URL(filePath: Self.program)
            program.arguments = arguments
            let file = try folder.write("", to: "said")
            program.standardOutput = FileHandle(forWritingAtPath: file)
            program.standardError = program.standardOutput
            try program.runUnmasked()
            await program.ended()
            let said = try String(contentsOfFile: file, encoding: .utf8)
            #expect(said.split(separator: "\n").last?.hasPrefix("good: ") == true, "\(said)")
            #expect(program.terminationStatus == 0)
            print(said)
        }
    }
}
