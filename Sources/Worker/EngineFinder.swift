import Engine
import Foundation
import Platform

/// Finds the engine of this machine, again and again until there is one: a daemon may start after Slipway.
package actor EngineFinder {
    private let find: @Sendable () async throws -> any Engine
    private let log: Log
    private var found: (any Engine)?
    /// The engine's name, once it was found.
    package var name: String? { found?.name }
    /// Why there is none, as last said.
    private(set) package var fault: String?
    /// The engine as last said.
    private var told: String?

    package init(log: Log, find: @escaping @Sendable () async throws -> any Engine) {
        self.log = log
        self.find = find
    }

    /// Looks for it anew: it may be what failed.
    func doubt() {
        found = nil
    }

    /// The one that was found, without looking for it.
    package var known: (any Engine)? { found }

    /// Nil where there is none now.
    package func engine() async -> (any Engine)? {
        if let found { return found }
        do {
            let engine = try await find()
            found = engine
            fault = nil
            if told != engine.name { log.info("the engine is \(engine.name)") }
            told = engine.name
            return engine
        } catch {
            if fault != "\(error)" { log.error("there is no engine, so builds wait: \(error)") }
            fault = "\(error)"
            told = nil
            return nil
        }
    }
}
