import Foundation
import Model

/// What is only read.
extension DatabaseStore {
    package func now() async throws -> Date { try await read("now") { try $0.now } }

    package func reusable(_ key: Digest, in image: ImageName, within age: Duration?) async throws -> Build? {
        try await read("reusable") { try $0.reusable(key, in: image, within: age) }
    }

    package func build(_ id: Build.ID) async throws -> Build? {
        try await read("build") { try $0.build(id) }
    }

    package func builds(_ query: BuildQuery) async throws -> [Build] {
        try await read("builds") { try $0.builds(query) }
    }

    package func lastFinished(before build: Build) async throws -> Build? {
        try await read("lastFinished") { try $0.lastFinished(before: build) }
    }

    package func delivery(_ id: String) async throws -> Delivery? {
        try await read("delivery") { try $0.delivery(id) }
    }

    package func deliveries(_ query: DeliveryQuery) async throws -> [Delivery] {
        try await read("deliveries") { try $0.deliveries(query) }
    }

    package func log(_ id: Build.ID, offset: Int, limit: Int) async throws -> Data {
        try await read("log") { try $0.log(id, offset: offset, limit: limit) }
    }

    package func logLength(_ id: Build.ID) async throws -> Int {
        try await read("logLength") { try $0.logLength(id) }
    }

    package func load() async throws -> QueueLoad {
        try await read("load") { try $0.load() }
    }

    package func tag(_ name: Tag, of image: ImageName) async throws -> TagHolder? {
        try await read("tag") { try $0.holder(of: name, image: image) }
    }
}
