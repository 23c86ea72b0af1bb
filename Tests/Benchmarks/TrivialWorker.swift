import Foundation
import Model
import Queue

/// A process that takes trivial builds from a shared queue until none is left; this program, begun by itself.
///
/// It says `ready`, begins with a line on its stdin, and says at its end which builds it claimed, as which attempt.
struct TrivialWorker: Sendable {
    private static let word = "trivial-worker"

    let name: String
    let database: String

    /// The words that begin one.
    var words: [String] { [Self.word, name, database] }

    init(name: String, database: String) {
        (self.name, self.database) = (name, database)
    }

    /// Nil where the program is to do something else.
    init?(_ words: ArraySlice<String>) {
        guard words.count == 3, words.first == Self.word else { return nil }
        self.init(name: words[words.startIndex + 1], database: words[words.startIndex + 2])
    }

    func run() async throws {
        let store = try await DatabaseStore.open(postgreSQL: PostgreSQLAddress(url: database))
        let note = WorkerNote(name: name, labels: [], slots: 1, version: "", instance: name)
        _ = try await store.checkIn(note)
        try FileHandle.standardOutput.write(contentsOf: Data("ready\n".utf8))
        _ = readLine()
        let claims = try await Self.work(on: store, as: name)
        try await store.checkOut(note)
        await store.close()
        let lines = claims.map { "\($0.build) \($0.attempt)\n" }.joined()
        try FileHandle.standardOutput.write(contentsOf: Data(lines.utf8))
    }

    /// - Returns: what was claimed.
    static func work(on store: any Store, as name: String) async throws -> [Hold] {
        var claims: [Hold] = []
        while true {
            guard let build = try await store.claim(limit: 1, worker: name, lease: .seconds(60)).first else {
                // Others may have been at all that it could see.
                if try await store.load().pending == 0 { return claims }
                continue
            }
            claims.append(build.hold)
            try await TrivialBuild(store: store, build: build).run()
        }
    }
}
