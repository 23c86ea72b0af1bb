import Checkout
import Model
import Platform
import Queue
import Registry
import Settings

/// What every attempt works with.
package struct Tools: Sendable {
    let settings: Settings
    let store: any Store
    let mirrors: Mirrors
    let workspaces: Workspaces
    let registry: RegistryClient
    let time: any TimeSource
    let log: Log
    let suspects = Suspects()

    package init(
        settings: Settings, store: any Store, mirrors: Mirrors, workspaces: Workspaces, registry: RegistryClient,
        time: any TimeSource, log: Log
    ) {
        self.settings = settings
        self.store = store
        self.mirrors = mirrors
        self.workspaces = workspaces
        self.registry = registry
        self.time = time
        self.log = log
    }
}

extension Tools {
    /// After what pauses a registry is asked again, where another answer may come in a moment.
    private static let pauses: [Duration] = [.milliseconds(200), .milliseconds(800)]

    /// Asks a registry.
    ///
    /// - Throws: `Failure` of the stage where the registry refuses, or fails to the last.
    func ask<Value: Sendable>(
        _ stage: Failure.Stage, _ question: @Sendable (RegistryClient) async throws -> Value
    ) async throws -> Value {
        var pauses = Self.pauses[...]
        while true {
            do {
                return try await question(registry)
            } catch let error as RegistryError {
                guard error.isTransient, let pause = pauses.popFirst() else { throw error.failure(stage: stage) }
                log.debug("asking the registry again", ["after": pause, "error": error])
                try await time.sleep(for: pause)
            }
        }
    }
}
