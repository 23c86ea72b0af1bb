import Foundation
import Model

/// A received request that is to be kept, and what came of it.
package struct NewDelivery: Sendable {
    /// Nil where no repository of the settings is the one that was told.
    package var repository: RepositoryName?
    package var kind: Cause.Kind
    /// `github`; nil for triggers and the API.
    package var host: String?
    /// What the sender calls it, the same when it is sent again: `X-GitHub-Delivery`.
    package var senderID: String?
    package var event: String?
    /// The name of the token that it came with; nil for webhooks.
    package var token: String?
    package var remoteAddress: String
    /// Without secrets.
    package var headers: [Header]
    package var body: Data
    package var receivedAt: Date
    /// The delivery that this one repeats, on somebody's word.
    package var redeliveryOf: String?
    /// Whether what was built before, or skipped, is built all the same.
    package var force: Bool
    /// Whether its builds take neither another build's image nor the engine's cache.
    package var isFresh: Bool
    /// What happened, where that is more than a push: the cause of its builds tells it.
    package var detail: String?
    package var builds: [NewBuild]
    /// The rules that build nothing.
    package var ignored: [Ignored]

    package init(
        repository: RepositoryName?, kind: Cause.Kind, host: String? = nil, senderID: String? = nil,
        event: String? = nil, token: String? = nil, remoteAddress: String, headers: [Header] = [], body: Data = Data(),
        receivedAt: Date, redeliveryOf: String? = nil, force: Bool = false, isFresh: Bool = false,
        detail: String? = nil, builds: [NewBuild] = [], ignored: [Ignored] = []
    ) {
        self.repository = repository
        self.kind = kind
        self.host = host
        self.senderID = senderID
        self.event = event
        self.token = token
        self.remoteAddress = remoteAddress
        self.headers = headers
        self.body = body
        self.receivedAt = receivedAt
        self.redeliveryOf = redeliveryOf
        self.force = force
        self.isFresh = isFresh
        self.detail = detail
        self.builds = builds
        self.ignored = ignored
    }
}

extension NewDelivery {
    /// A push whose delivery is forced is asked for by somebody, whatever changed in it: as by a retry.
    var causeOfBuilds: Cause.Kind { kind == .webhook && force ? .retry : kind }
}

/// One line of a request's head.
package struct Header: Sendable, Codable, Equatable {
    package var name: String
    package var value: String

    package init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

/// A rule that built nothing, and why.
package struct Ignored: Sendable, Codable, Equatable {
    /// Nil where the reason holds for the whole delivery.
    package var rule: Int?
    package var reason: String
    /// The build that is there already, where that is the reason.
    package var build: Build.ID?

    package init(rule: Int?, reason: String, build: Build.ID? = nil) {
        self.rule = rule
        self.reason = reason
        self.build = build
    }
}

package struct NewBuild: Sendable {
    package var repository: RepositoryName
    package var push: Push
    package var rule: Rule
    package var captures: [String]
    package var image: ImageName
    /// Nil where the commit isn't known yet.
    package var names: Rule.Names?

    package init(
        repository: RepositoryName, push: Push, rule: Rule, captures: [String], image: ImageName, names: Rule.Names?
    ) {
        self.repository = repository
        self.push = push
        self.rule = rule
        self.captures = captures
        self.image = image
        self.names = names
    }
}

/// How many builds may be pending.
package struct Room: Sendable, Equatable {
    package var inAll: Int
    package var perRepository: Int

    package init(inAll: Int = .max, perRepository: Int = .max) {
        self.inAll = inAll
        self.perRepository = perRepository
    }
}

/// As many builds are pending as may be.
package struct QueueFull: Error, Equatable, CustomStringConvertible {
    /// Nil where the bound is that of all repositories.
    package let repository: RepositoryName?
    package let limit: Int

    package init(repository: RepositoryName?, limit: Int) {
        self.repository = repository
        self.limit = limit
    }

    package var description: String {
        (repository.map { "\(limit) builds of \($0) are pending" } ?? "\(limit) builds are pending")
            + ", which is the limit; send it again when some of them have ended"
    }
}

/// What became of a delivery.
package struct Acceptance: Sendable {
    package var delivery: String
    package var builds: [Build]
    /// The rules that built nothing, those that the store itself found built already among them.
    package var ignored: [Ignored]
    /// Older builds that ended `superseded` by these, or are to.
    package var superseded: [Build.ID]

    package init(delivery: String, builds: [Build], ignored: [Ignored], superseded: [Build.ID] = []) {
        self.delivery = delivery
        self.builds = builds
        self.ignored = ignored
        self.superseded = superseded
    }
}

/// A delivery as it was kept.
package struct Delivery: Sendable, Equatable, Identifiable {
    package var id: String
    package var repository: RepositoryName?
    package var kind: Cause.Kind
    package var host: String?
    package var senderID: String?
    package var event: String?
    package var token: String?
    package var remoteAddress: String
    package var headers: [Header]
    /// The first part of the body; empty in lists.
    package var body: Data
    /// Of the whole body, in bytes.
    package var bodyLength: Int
    package var receivedAt: Date
    package var redeliveryOf: String?
    package var built: [Built]
    package var ignored: [Ignored]

    /// A rule and the build that it made.
    package struct Built: Sendable, Equatable {
        package var rule: Int
        package var build: Build.ID

        package init(rule: Int, build: Build.ID) {
            self.rule = rule
            self.build = build
        }
    }

    package init(
        id: String, repository: RepositoryName?, kind: Cause.Kind, host: String?, senderID: String?, event: String?,
        token: String?, remoteAddress: String, headers: [Header], body: Data, bodyLength: Int, receivedAt: Date,
        redeliveryOf: String?, built: [Built], ignored: [Ignored]
    ) {
        self.id = id
        self.repository = repository
        self.kind = kind
        self.host = host
        self.senderID = senderID
        self.event = event
        self.token = token
        self.remoteAddress = remoteAddress
        self.headers = headers
        self.body = body
        self.bodyLength = bodyLength
        self.receivedAt = receivedAt
        self.redeliveryOf = redeliveryOf
        self.built = built
        self.ignored = ignored
    }
}

package struct DeliveryQuery: Sendable {
    package var repository: RepositoryName?
    package var kinds: [Cause.Kind]
    /// Deliveries that came before this one.
    package var before: String?
    package var limit: Int

    package init(
        repository: RepositoryName? = nil, kinds: [Cause.Kind] = [], before: String? = nil, limit: Int = 50
    ) {
        self.repository = repository
        self.kinds = kinds
        self.before = before
        self.limit = limit
    }
}
