import Foundation
import HTTP
import Intake
import Model
import Queue
import Settings

extension API {
    static let mostDeliveries = 500

    /// Newest first, those of the repositories that the caller sees.
    func deliveries(_ request: HTTPRequest, _ path: Path) async throws -> HTTPResponse {
        let caller = try access.caller(request, needs: .read)
        var query = DeliveryQuery(before: request.query("before"))
        if let name = request.query("repository") { query.repository = try RepositoryName(name) }
        query.kinds = try (request.query("kind") ?? "").split(separator: ",").map { text in
            guard let kind = Cause.Kind(rawValue: String(text)) else {
                let known = Cause.Kind.allCases.map(\.rawValue).joined(separator: ", ")
                throw InvalidText("kind \"\(String(text).excerpt())\" is not one of \(known)")
            }
            return kind
        }
        if let limit = request.query("limit") {
            query.limit = Int(try number("limit", limit, in: 1...Int64(Self.mostDeliveries)))
        }
        let (found, next) = try await page(query.limit, where: { (delivery: Delivery) in caller.sees(delivery) }) {
            before, limit in
            (query.before, query.limit) = (before ?? query.before, limit)
            return try await store.deliveries(query)
        }
        return .json(
            200,
            DeliveryListJSON(
                deliveries: found.map { DeliveryJSON($0, url: url) }, next: next, turned_away: gate.turnedAway))
    }

    func delivery(_ request: HTTPRequest, _ path: Path) async throws -> HTTPResponse {
        let caller = try access.caller(request, needs: .read)
        return .json(200, WholeDeliveryJSON(try await delivery(path, seenBy: caller), url: url))
    }

    /// Takes a delivery again; with `force=1` what is built already, or was skipped, is built all the same.
    func redeliver(_ request: HTTPRequest, _ path: Path) async throws -> HTTPResponse {
        let caller = try access.caller(request, needs: .build)
        try await admit(caller)
        let delivery = try await delivery(path, seenBy: caller)
        let force = ["1", "true"].contains(request.query("force"))
        return try await again {
            try await receiver.redeliver(delivery, by: caller.name, force: force, inbound(request))
        }
    }

    /// Builds the push of a build again; with `{"no_cache": true}` from nothing that was built before.
    func retry(_ request: HTTPRequest, _ path: Path) async throws -> HTTPResponse {
        let caller = try access.caller(request, needs: .build)
        try await admit(caller)
        let build = try await seen(request, path)
        return try await again { try await receiver.retry(build, by: caller.name, inbound(request)) }
    }

    private func again(_ take: () async throws -> Receiver.Answer) async throws -> HTTPResponse {
        do {
            return try await answer(take())
        } catch let error as NotRepeatable {
            throw Refusal(409, "It can't be taken again", "\(error)")
        }
    }

    private func delivery(_ path: Path, seenBy caller: Access.Caller) async throws -> Delivery {
        let id = path["id"]
        guard let delivery = try await store.delivery(id), caller.sees(delivery) else {
            throw Refusal(404, "Not known here", "there is no delivery \"\(id.excerpt())\"")
        }
        return delivery
    }
}

extension Access.Caller {
    /// Deliveries of no repository are for those who see every one.
    func sees(_ delivery: Delivery) -> Bool {
        delivery.repository.map(sees) ?? repositories.contains("*")
    }
}
