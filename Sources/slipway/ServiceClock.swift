import Foundation
import Platform
import Status
import Synchronization

/// The time as the service has it, which its times are to be compared with: this machine's clock may be another.
enum ServiceClock {
    /// How many seconds the service is ahead.
    private static let ahead = Mutex<TimeInterval>(0)

    static var now: Date { Date().addingTimeInterval(ahead.withLock { $0 }) }

    static func set(by service: ServiceJSON) {
        guard let now = service.now.flatMap(Timestamp.date) else { return }
        ahead.withLock { $0 = now.timeIntervalSinceNow }
    }
}

extension Client {
    /// How it is with the service.
    func service() async throws -> ServiceJSON {
        let service: ServiceJSON = try await get("/api/v1/service")
        ServiceClock.set(by: service)
        return service
    }
}
