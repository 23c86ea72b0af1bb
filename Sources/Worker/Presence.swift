import Engine
import Foundation
import Model
import Platform
import Queue
import Settings

/// Tells the queue that this worker is there, and what it is.
actor Presence {
    private let tools: Tools
    private let engine: EngineFinder
    private let pace: Pace
    private let name: String
    private let version: String
    private var isDrained = false

    init(tools: Tools, engine: EngineFinder, pace: Pace, name: String, version: String) {
        self.tools = tools
        self.engine = engine
        self.pace = pace
        self.name = name
        self.version = version
    }

    /// What rules can ask for: the operator's words, the engine and the platform.
    private var note: WorkerNote {
        get async {
            var labels = tools.settings.worker.labels
            if let engine = await engine.known {
                labels.formUnion(engine.kind.labels + [engine.platform])
                labels.formUnion(engine.platform.split(separator: "/").map(String.init))
            }
            return WorkerNote(
                name: name, labels: labels, slots: tools.settings.workers, version: version,
                instance: tools.instance)
        }
    }

    /// Before anything is claimed: what rules ask for is looked up with the worker's name.
    func begin() async {
        _ = await engine.engine()
        await tell(isFirst: true)
    }

    /// Tells it again and again until the task is cancelled; where nobody else has the queue, once is enough.
    func run() async {
        guard tools.store.isShared else { return }
        while (try? await tools.time.sleep(for: pace.renewal)) != nil { await tell(isFirst: false) }
    }

    func end() async {
        do {
            try await tools.store.checkOut(await note)
        } catch {
            // It is taken for lost in a while, which its name in a list does not change.
            tools.log.debug("the worker could not be signed off", ["error": error])
        }
    }

    private func tell(isFirst: Bool) async {
        guard tools.settings.workers > 0 else { return }
        do {
            let orders = try await tools.store.checkIn(await note)
            if orders.isDrained != isDrained {
                isDrained = orders.isDrained
                tools.log.info(
                    isDrained
                        ? "drained: this worker takes no builds until \"slipway resume \(name)\""
                        : "resumed: this worker takes builds again", ["name": name])
            }
            // At first it may be the one that this one takes the place of.
            guard orders.hasDouble, !isFirst else { return }
            tools.log.warning(
                "another worker is called \(name) too, and which of them runs what can't be told: give each a name of its own, under \"worker\" in its settings"
            )
        } catch {
            tools.log.warning("the queue could not be told that this worker is there", ["error": error])
        }
    }
}

extension BuilderKind {
    /// What rules call it.
    fileprivate var labels: [String] {
        switch self {
        case .buildKit: ["docker", "buildkit"]
        case .classic: ["docker"]
        case .buildah, .podman: [rawValue]
        }
    }
}
