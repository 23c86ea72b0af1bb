import Foundation
import Model
import Queue

/// Has what stands on moved images built again: in the order in which the images stand on one another, and not for ever.
struct BaseFollowing {
    /// How many moves may have led to one another.
    static let longestChain = 16
    /// Builds of one repository that are looked through for those that will move an image.
    private static let livingBuilds = 1000
    /// Builds of one branch or tag that are looked through for one that came since.
    private static let finishedBuilds = 50

    private let watch: BaseWatch
    private let moves: [Build.ID: [BaseMove]]
    /// What each build stands on.
    private let bases: [Build.ID: [ImageReference]]

    /// What the builds to be followed stand on, what that stands on, and so on, as far as it is built here.
    private var foundations: [Build.ID: Set<ImageReference>] = [:]

    private var tools: Tools { watch.tools }

    init(watch: BaseWatch, _ moves: [BaseMove], _ inUse: [BaseInUse]) {
        self.watch = watch
        self.moves = Dictionary(grouping: moves, by: \.user)
        bases = inUse.reduce(into: [:]) { bases, base in
            for user in base.users { bases[user.build, default: []].append(base.reference) }
        }
    }

    /// - Throws: what the store throws; `QueueFull` where there is no room for more, and then some are left.
    mutating func run() async throws {
        var users: [Build] = []
        for id in moves.keys.sorted() {
            guard let user = try await tools.store.build(id) else { continue }
            users.append(user)
            foundations[id] = try await foundation(of: id)
        }
        // Builds that have to wait for another, and which.
        var left: [(user: Build, other: Build.ID)] = []
        for user in ordered(users) {
            try Task.checkCancellation()
            let moves = moves[user.id] ?? []
            if let other = try await toWaitFor(user, left) {
                left.append((user, other))
                await watch.wait(for: other, then: moves.map(\.base))
            } else if try await isOutdated(user) {
                await watch.again(Set(moves.map(\.base)), after: BaseWatch.pause)
            } else {
                try await build(user, after: moves)
            }
        }
    }

    /// First those that stand on none of the others. Those in a circle come as they were built.
    private func ordered(_ users: [Build]) -> [Build] {
        var (rest, ordered) = (users, [Build]())
        while !rest.isEmpty {
            let next = rest.firstIndex { user in
                !rest.contains { other in other.id != user.id && stands(user, on: other) }
            }
            ordered.append(rest.remove(at: next ?? 0))
        }
        return ordered
    }

    private func stands(_ user: Build, on other: Build) -> Bool {
        (foundations[user.id] ?? []).contains(where: other.makes)
    }

    private func foundation(of build: Build.ID) async throws -> Set<ImageReference> {
        var found: Set<ImageReference> = []
        var next = bases[build] ?? []
        while let image = next.popLast() {
            guard found.insert(image).inserted, let tag = image.tag,
                let holder = try await tools.store.tag(tag, of: image.image)
            else { continue }
            next += bases[holder.build] ?? []
        }
        return found
    }

    /// A build that will move something that the user stands on, or that something of it stands on, or is one of the user's own: both in one are better than
    /// one after the other.
    private func toWaitFor(_ user: Build, _ left: [(user: Build, other: Build.ID)]) async throws -> Build.ID? {
        if let other = left.first(where: { stands(user, on: $0.user) }) { return other.other }
        let foundation = foundations[user.id] ?? []
        let images = Set(foundation.map(\.image))
        let makers = tools.settings.repositories.filter { images.contains($0.image) }.map(\.name)
        for repository in Set(makers).union([user.repository]) {
            let living = try await tools.store.builds(
                BuildQuery(
                    repository: repository, states: [.pending, .building, .pushing], limit: Self.livingBuilds))
            let other = living.first { build in build.isOfSame(user) || foundation.contains(where: build.mayYetMove) }
            if let other { return other.id }
        }
        return nil
    }

    /// Whether a build of the same has taken the user's place since it was looked what is in use.
    private func isOutdated(_ user: Build) async throws -> Bool {
        try await tools.store.builds(
            BuildQuery(
                repository: user.repository, states: [.finished], ref: user.ref, limit: Self.finishedBuilds)
        )
        .contains { $0.id > user.id && $0.isOfSame(user) && $0.tags.contains(where: \.moved) }
    }

    private func build(_ user: Build, after moves: [BaseMove]) async throws {
        for move in moves {
            let chain = try await chain(to: move)
            let name = "\(user.repository) \(user.ref) \(user.rule.number) \(move.base)"
            if chain.contains(where: user.makes) {
                let by = chain.prefix { !user.makes($0) }.map(\.image.path)
                let way = by.isEmpty ? "" : " by way of \(by.reversed().joined(separator: ", "))"
                await watch.tell(name, "\(user.image.path) stands on itself\(way): it is not rebuilt again")
                continue
            }
            guard chain.count < Self.longestChain else {
                await watch.tell(
                    name, "\(chain.count) moves led to that of \(move.base.shown): \(user.image.path) is not rebuilt")
                continue
            }
            do {
                guard let build = try await watch.rebuild(user, move.detail) else { continue }
                tools.log.info(
                    "\(move.detail)",
                    ["build": build.id, "repository": build.repository, "ref": build.ref, "rule": build.rule.number])
                return
            } catch let full as QueueFull {
                throw full
            } catch {
                // The others need not wait for it.
                await watch.again([move.base], after: BaseWatch.pause)
                await watch.tell(
                    name,
                    "\(user.repository) could not be queued though its \(move.detail); it is tried again: \(error)")
            }
        }
    }

    /// The moves that led to one another, the last first, as far as they were followed here: the image that moved was built
    /// because another had.
    private func chain(to move: BaseMove) async throws -> [ImageReference] {
        var chain = [move.base]
        var last = (image: move.base.image, digest: move.to)
        while chain.count < Self.longestChain,
            let build = try await tools.store.build(of: last.digest, in: last.image, tag: nil),
            build.cause.kind == .base,
            let detail = build.cause.detail,
            let before = build.inputs?.bases.first(where: { base in
                detail.hasPrefix(BaseMove.head(base.reference) + " ")
            })
        {
            chain.append(before.reference)
            last = (before.image, before.digest)
        }
        return chain
    }
}
