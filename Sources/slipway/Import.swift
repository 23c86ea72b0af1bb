import Foundation
import Model
import Settings

enum Import: Command {
    static let name = "import"
    static let usage = "import docker-hub FILE… [--output FILE]"
    static let about =
        "Writes the settings that do what Docker Hub's automated builds did, from their saved JSON; \"-\" is the standard input."
    static let options: Set<String> = ["output"]
    static let flags: Set<String> = []

    static func run(_ arguments: Arguments) async throws -> Exit {
        let words = try arguments.positionals(2...1000, "\"docker-hub\" and a file")
        guard words[0] == "docker-hub" else {
            throw UsageError("\"\(words[0])\" can't be imported from; docker-hub can")
        }
        let draft: DockerHubDraft
        do throws(InvalidText) {
            draft = try DockerHub.draft(files: Array(words.dropFirst()))
        } catch {
            Terminal.talk("slipway import: \(Terminal.harmless(error.description))")
            return .usage
        }
        if let output = arguments["output"] {
            try write(draft.yaml, to: output)
        } else {
            Terminal.write(Data(draft.yaml.utf8))
        }
        summarise(draft, file: arguments["output"] ?? "slipway.yaml")
        return .good
    }

    private static func write(_ yaml: String, to path: String) throws {
        do {
            // Settings that somebody has worked on must not go.
            try Data(yaml.utf8).write(to: URL(fileURLWithPath: path), options: .withoutOverwriting)
        } catch CocoaError.fileWriteFileExists {
            throw UsageError("\(path) is there already and stays as it is; give --output another name")
        } catch {
            throw UsageError("\(path) can't be written: \(error.localizedDescription)")
        }
    }

    private static func summarise(_ draft: DockerHubDraft, file: String) {
        let next = [
            "answer the comments marked \"# DECIDE:\": \(draft.decisions)",
            "set \(draft.variables.joined(separator: ", "))",
            "slipway check --config \(file) --connect",
        ]
        Terminal.talk("slipway import: repositories \(draft.repositories.count), rules \(draft.rules)")
        for (index, step) in next.enumerated() { Terminal.talk("  \(index + 1). \(step)") }
        for repository in draft.repositories {
            Terminal.talk("  \(repository): a webhook of its source to <url>/webhooks/\(repository)")
        }
    }
}
