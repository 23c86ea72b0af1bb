import Checkout
import Foundation
import Model
import Platform
import Queue
import Registry
import Settings

/// What every attempt works with.
package struct Tools: Sendable {
    let live: LiveSettings
    let store: any Store
    let mirrors: Mirrors
    let workspaces: Workspaces
    let registry: RegistryClient
    let time: any TimeSource
    let log: Log
    /// This life of the process: tells it from all others that share the queue.
    package let instance = UUID().uuidString
    /// What the settings were when an attempt began.
    private var settled: Settings?
    /// Of the attempt that they work for; nil outside of attempts.
    private(set) var lease: Lease?
    let suspects = Told<Suspect>()
    let turns = Turns()
    let moved = Told<ImageReference>()
    let bases: BaseDigests
    let takenBases = TakenBases()

    package init(
        settings: LiveSettings, store: any Store, mirrors: Mirrors, workspaces: Workspaces, registry: RegistryClient,
        time: any TimeSource, log: Log
    ) {
        live = settings
        self.store = store
        self.mirrors = mirrors
        self.workspaces = workspaces
        self.registry = registry
        self.time = time
        self.log = log
        bases = BaseDigests(registry, time: time)
    }

    var settings: Settings { settled ?? live.now }

    /// The same with the settings as they are now, whatever becomes of them: an attempt ends as it began.
    var settledNow: Tools {
        var tools = self
        tools.settled = live.now
        return tools
    }
}

extension Tools {
    /// The same for one attempt: once its lease is over no registry is asked for anything.
    func under(_ lease: Lease) -> Tools {
        var tools = self
        tools.lease = lease
        return tools
    }

    /// After what pauses a registry is asked again, where another answer may come in a moment.
    private static let pauses: [Duration] = [.milliseconds(200), .milliseconds(800)]

    /// Asks a registry.
    ///
    /// - Throws: `Failure` of the stage where the registry refuses, or fails to the last; `LeaseLost`.
    func ask<Value: Sendable>(
        _ stage: Failure.Stage, _ question: @Sendable (RegistryClient) async throws -> Value
    ) async throws -> Value {
        var pauses = Self.pauses[...]
        while true {
            do {
                try lease?.check("ask the registry")
                return try await question(registry)
            } catch let error as RegistryError {
                guard error.isTransient, error.retryAfter == nil, let pause = pauses.popFirst() else {
                    throw error.failure(stage: stage)
                }
                log.debug("asking the registry again", ["after": pause, "error": error])
                try await time.sleep(for: pause)
            }
        }
    }
}
