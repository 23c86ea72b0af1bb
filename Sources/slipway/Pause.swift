import Status

enum Pause: Command {
    static let name = "pause"
    static let usage = "pause [--reason R] [--json]"
    static let about = """
        Lets no build begin until "slipway resume", also after a restart; what runs goes on, and what comes in waits.
        """
    static let options = Client.options.union(["reason"])
    static let flags: Set<String> = ["json"]

    static func run(_ arguments: Arguments) async throws -> Exit {
        _ = try arguments.positionals(0...0, "")
        let service: ServiceJSON = try await Client(arguments).post("/api/v1/pause", body: Why(arguments))
        try show(service, arguments)
        if let reason = arguments["reason"], service.paused?.reason != reason {
            Terminal.talk("it was paused before, so this reason is not noted")
        }
        return .good
    }

    /// Whether and why builds wait now.
    static func show(_ service: ServiceJSON, _ arguments: Arguments) throws {
        if arguments.has("json") {
            try Status.show(json: service)
        } else {
            for sentence in service.waits { Terminal.print(sentence) }
            Terminal.print("pending \(service.pending), running \(service.running)")
        }
    }
}

enum Resume: Command {
    static let name = "resume"
    static let usage = "resume [WORKER] [--json]"
    static let about = "Ends a pause: pending builds begin. With a worker's name, lets it take builds again."
    static let options = Client.options
    static let flags: Set<String> = ["json"]

    static func run(_ arguments: Arguments) async throws -> Exit {
        let client = try Client(arguments)
        guard let name = try arguments.positionals(0...1, "").first else {
            try Pause.show(try await client.post("/api/v1/resume"), arguments)
            return .good
        }
        let worker: WorkerJSON = try await client.post(Workers.path(name, "resume"))
        if arguments.has("json") {
            try Status.show(json: worker)
        } else {
            Terminal.print("worker \(worker.name) takes builds")
        }
        return .good
    }
}
