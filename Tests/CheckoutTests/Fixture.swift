import Checkout
import Foundation
import Model
import Platform
import Synchronization
import TestSupport
import Testing

/// A repository, the mirrors of a data directory, and the verbs of a checkout.
struct Fixture {
    let directory: TemporaryDirectory
    let repository: GitRepository
    let mirrors: Mirrors
    let log = LogLines()

    init(silence: Duration = .seconds(30)) async throws {
        directory = try TemporaryDirectory()
        repository = try await GitRepository.make(at: directory["source"])
        let lines = log
        mirrors = Mirrors(
            directory: directory["mirrors"], log: Log(threshold: .debug) { lines.append($0) }, silence: silence)
    }

    var source: GitSource { get throws { try GitSource(repository.path) } }

    func mirror(_ source: String? = nil, credentials: GitCredentials? = nil) throws -> Mirror {
        mirrors.mirror(
            for: try RepositoryName("acme/shop"), source: try source.map { try GitSource($0) } ?? self.source,
            credentials: credentials)
    }

    /// A directory that is not there yet.
    func workspace() -> String { directory["workspaces/\(UUID().uuidString)"] }

    /// Writes what a ref names now to a new workspace.
    func checkOut(_ ref: String = "refs/heads/main", from source: String? = nil) async throws -> String {
        let mirror = try mirror(source)
        let workspace = workspace()
        try await mirror.checkOut(try await mirror.fetch(RefName(ref)).id, into: workspace)
        return workspace
    }

    /// The mirror's own directory.
    var mirrorPath: String {
        get throws {
            let home = directory["mirrors/acme/shop"]
            let name = try FileManager.default.contentsOfDirectory(atPath: home).first
            return "\(home)/\(name ?? "")/mirror.git"
        }
    }
}

/// What was logged.
final class LogLines: Sendable {
    private let lines = Mutex<[String]>([])

    func append(_ line: String) { lines.withLock { $0.append(line) } }

    var all: [String] { lines.withLock { $0 } }
}

func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

func names(_ directory: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
}

func mode(_ path: String) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
}

/// Expects a `CheckoutError` whose sentence holds all of `words`.
func expectFailure(
    _ kind: Failure.Kind, _ words: String..., location: SourceLocation = #_sourceLocation,
    _ body: () async throws -> Void
) async {
    do {
        try await body()
        Issue.record("nothing failed", sourceLocation: location)
    } catch let error as CheckoutError {
        #expect(error.fault == kind, "\(error)", sourceLocation: location)
        #expect(error.failure.stage == .checkout, sourceLocation: location)
        for word in words { #expect(error.description.contains(word), "\(error)", sourceLocation: location) }
    } catch {
        Issue.record("another error: \(error)", sourceLocation: location)
    }
}
