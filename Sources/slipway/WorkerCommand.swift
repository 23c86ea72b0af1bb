import Platform
import Settings

enum WorkerCommand: Command {
    static let name = "worker"
    static let usage = "worker [--name NAME] [--config FILE] [--grace 30s]"
    static let about = """
        Only workers, for a database that others serve: takes builds from its queue, without HTTP. SIGHUP reads the settings
        again.
        """
    static let options: Set<String> = ["config", "grace", "name"]
    static let flags: Set<String> = ["debug"]

    static func run(_ arguments: Arguments) async throws -> Exit {
        let start = try Start(arguments)
        let settings = start.live.now
        guard settings.database != .sqlite else {
            throw ClientError(
                "workers of their own need a database that they share with \"slipway serve\": set \"database\" to postgresql://…"
            )
        }
        if let name = arguments["name"], !WorkerSettings.isName(name) {
            throw UsageError("--name \"\(name)\" is no worker's name")
        }
        guard settings.workers > 0 else { throw ClientError("\"workers\" is 0, so this worker would build nothing") }
        let machine = try await Machine.open(start.live, name: arguments["name"], start.log)
        start.log.info(
            "working", ["name": machine.name, "workers": settings.workers, "repositories": settings.repositories.count])
        await machine.work(grace: start.grace, until: { await start.signals.stop() })
        return .good
    }
}
