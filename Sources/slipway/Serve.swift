import Checkout
import Dispatch
import Engine
import Foundation
import HTTP
import Intake
import Model
import Platform
import Queue
import Registry
import Settings
import Status
import Synchronization
import Worker

enum Serve: Command {
    static let name = "serve"
    static let usage = "serve [--config FILE] [--grace 30s]"
    static let about = """
        The service: HTTP, queue, workers. Prints its address on stdout once it listens. SIGHUP reads the settings again.
        """
    static let options: Set<String> = ["config", "grace"]
    static let flags: Set<String> = ["debug"]

    static func run(_ arguments: Arguments) async throws -> Exit {
        let start = try Start(arguments)
        let machine = try await Machine.open(start.live, name: nil, start.log)
        try await serve(machine, start)
        return .good
    }

    private static func serve(_ machine: Machine, _ start: Start) async throws {
        let (live, log) = (machine.live, machine.log)
        // For what only a restart changes.
        let settings = live.now
        let listening = Mutex(settings.listen)
        let api = api(machine) { live.now.url ?? "http://\(listening.withLock { $0 })" }
        let router = api.router
        let server = HTTPServer(host: settings.listen.host, port: settings.listen.port, log: log) {
            await router.answer($0)
        }
        try await server.start()
        let address = ListenAddress(host: settings.listen.host, port: await server.port)
        listening.withLock { $0 = address }
        Terminal.print("http://\(address)")
        log.info(
            "listening", ["address": address, "repositories": settings.repositories.count, "workers": settings.workers])
        let poller = Poller(
            receiver: machine.receiver, holder: machine.tools.instance, time: SystemTime(), log: log,
            list: Source.listing)
        await machine.work(
            grace: start.grace, beside: [{ await poller.run() }], until: { await start.signals.stop() },
            end: { await server.stop(grace: .seconds(5)) })
    }

    private static func api(_ machine: Machine, url: @escaping @Sendable () -> String) -> API {
        let (live, engine) = (machine.live, machine.engine)
        return API(
            settings: live, store: machine.store, receiver: machine.receiver, time: SystemTime(), log: machine.log,
            version: Version.number, url: url, engine: { await engine.name },
            fault: {
                live.now.workers > 0 ? await engine.fault.map { "there is no engine, so builds wait: \($0)" } : nil
            },
            obstacle: { live.now.workers > 0 ? await machine.disk.shortage() : nil },
            look: { machine.bases.told(of: $0) },
            forecast: { repository, rule, ref, commit in
                guard let engine = await engine.engine() else {
                    throw ClientError("there is no engine: \(await engine.fault ?? "none was found")")
                }
                let found = try await machine.tools.outlook(
                    of: ref, at: commit, by: rule, in: repository, engine: engine)
                return Forecast(
                    commit: found.commit, inputs: found.inputs, reusable: found.reusable, reuse: found.reuse)
            })
    }
}
