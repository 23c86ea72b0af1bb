import Foundation
import Model
import TestSupport
import Testing

@testable import Engine

@Suite struct LabelStepTests {
    private let folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    private func step(_ dockerfile: String, target: String? = nil, labels: [String: String] = ["b": "2 3", "a": "1"])
        throws -> LabelStep?
    {
        let file = try folder.write(dockerfile, to: "Dockerfile")
        return LabelStep(
            ImageBuild(
                workspace: folder.path, dockerfile: file, context: folder.path, reference: "localhost/a:1",
                target: target, labels: labels))
    }

    @Test func isOneInstructionAfterTheLast() throws {
        let step = try #require(try step("# one\nFROM scratch\nCOPY a /a"))
        #expect(step.instruction == "LABEL \"a\"=\"1\" \"b\"=\"2 3\"\n")
        #expect(
            String(decoding: step.whole, as: UTF8.self)
                == "# one\nFROM scratch\nCOPY a /a\nLABEL \"a\"=\"1\" \"b\"=\"2 3\"\n")
    }

    @Test(arguments: [
        // By name in any case, and by number.
        ("TWO", true), ("two", true), ("1", true),
        // Stages before the last, and none at all.
        ("one", false), ("0", false), ("2", false), ("three", false),
    ])
    func isForTheLastStageOnly(_ target: String, _ isLast: Bool) throws {
        let file = "FROM a AS one\nRUN true\nFROM --platform=linux/amd64 b as Two\nRUN true\n"
        #expect(try (step(file, target: target) != nil) == isLast)
    }

    @Test func takesTheFirstStageOfAName() throws {
        #expect(try step("FROM a AS one\nFROM b AS one\n", target: "one") == nil)
    }

    @Test(arguments: ["x\"y", "x'y", "x\\y", "x$y", "x`y", "x\ny", "é"])
    func leavesOddValuesToTheOption(_ value: String) throws {
        #expect(try step("FROM a\n", labels: ["a": value]) == nil)
        #expect(try step("FROM a\n", labels: [value: "a"]) == nil)
    }

    @Test(arguments: [
        // Nothing to stand behind, and a last line that goes on.
        "", "ARG A=1\n", "FROM a\nRUN one \\\n", "# escape=`\nFROM a\nRUN one `\n\n",
    ])
    func leavesOddFilesToTheOption(_ dockerfile: String) throws {
        #expect(try step(dockerfile) == nil)
    }

    @Test func needsLabels() throws {
        #expect(try step("FROM a\n", labels: [:]) == nil)
    }
}
