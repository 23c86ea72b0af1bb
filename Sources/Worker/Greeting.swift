import Model
import Platform
import Registry

/// A first question to each registry that images go to, so that a first build need not wait for what only that costs.
package struct Greeting: Sendable {
    private let tools: Tools

    /// How long a registry may take.
    private static let patience = Duration.seconds(10)

    package init(tools: Tools) {
        self.tools = tools
    }

    /// Comes back when all have answered, or may no longer.
    package func run() async {
        let settings = tools.settings
        guard settings.workers > 0 else { return }
        await withTaskGroup(of: Void.self) { group in
            for host in Set(settings.repositories.map(\.image.registry)) {
                group.addTask { await greet(host) }
            }
        }
    }

    private func greet(_ host: String) async {
        do {
            let answer: Void? = try await withDeadline(Self.patience) { try await tools.registry.ping(host: host) }
            if answer == nil { tools.log.debug("a registry gave no first answer in time", ["registry": host]) }
        } catch {
            // Builds say more, and try again.
            tools.log.debug("a registry gave no first answer", ["registry": host, "error": error])
        }
    }
}
