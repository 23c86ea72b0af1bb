import Model

/// Who works, and who does what one of many is to do.
extension DatabaseStore {
    package func checkIn(_ worker: WorkerNote) async throws -> WorkerOrders {
        try await write("checkIn") { try $0.checkIn(worker) }
    }

    package func checkOut(_ worker: WorkerNote) async throws {
        try await write("checkOut") { try $0.checkOut(worker.name, instance: worker.instance) }
    }

    package func workers() async throws -> [WorkerState] { try await read("workers") { try $0.workers() } }

    package func drain(_ worker: String, _ isDrained: Bool) async throws -> Bool {
        try await write("drain") {
            // Its worker looks whenever something is pending.
            $0.tell([.pending])
            return try $0.drain(worker, isDrained)
        }
    }

    package func takeDuty(_ name: String, by holder: String, for time: Duration) async throws -> Bool {
        try await write("takeDuty") { try $0.takeDuty(name, by: holder, for: time) }
    }

    package func leaveDuties(of holder: String) async throws {
        try await write("leaveDuties") { try $0.leaveDuties(of: holder) }
    }

    package func labelsAsked() async throws -> [[String]] {
        try await read("labelsAsked") { try $0.labelsAsked().map(\.content) }
    }

    package func take(from bucket: String, at rate: Rate) async throws -> Duration? {
        try await write("take") { try $0.take(from: bucket, at: rate) }
    }
}
