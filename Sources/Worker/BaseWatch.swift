import Foundation
import Model
import Platform
import Queue
import Registry
import Settings

/// Looks whether the images that builds stand on have moved, and has those builds made again.
///
/// It looks at each every so often, unless another process does, and at once where it is told that one may have moved.
/// One look follows the other.
package actor BaseWatch {
    /// Queues a build of the same on what moved; nil where none is to be made, or one was made for this move already.
    package typealias Rebuild = @Sendable (_ build: Build, _ detail: String) async throws -> Build?

    /// Questions at once.
    static let width = 4
    /// After how long a look that failed here, and not at a registry, is tried again.
    static let pause = Duration.seconds(60)
    /// After how long it is looked again at what a registry told of.
    static let settling = Duration.seconds(2)

    let tools: Tools
    let rebuild: Rebuild
    private let duty: Duty
    private var schedule = BaseSchedule()
    private var rests = Rests()
    /// What was said of images and builds that stay behind: it is said once.
    private var said: [String: String] = [:]
    /// Builds whose end is waited for, and what is looked at then.
    private var awaited: [Build.ID: Set<ImageReference>] = [:]
    private let waits = AsyncStream<Build.ID>.makeStream()
    private let notices = Told<ImageReference>()

    package init(tools: Tools, rebuild: @escaping Rebuild) {
        self.tools = tools
        self.rebuild = rebuild
        duty = Duty("base poll", holder: tools.instance, store: tools.store, time: tools.time, log: tools.log)
    }

    /// Looks at some images soon, as far as builds stand on them.
    package nonisolated func look(soonAt images: [ImageReference]) {
        if !images.isEmpty { tools.moved.add(images) }
    }

    /// Is told by a registry that somebody pushed to some images.
    package nonisolated func told(of images: [ImageReference]) {
        look(soonAt: images)
        notices.add(images)
    }

    /// Watches until the task is cancelled.
    package func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [duty] in await duty.run() }
            group.addTask { await self.lookRegularly() }
            group.addTask { await self.lookWhereTold() }
            group.addTask { await self.lookOnceMore() }
            group.addTask { await self.awaitEnds() }
        }
    }

    /// The settings are asked anew each time, as they may change.
    private func lookRegularly() async {
        repeat {
            look(soonAt: Array(await due()))
        } while (try? await tools.time.sleep(for: BaseSchedule.step(tools.settings.basePoll))) != nil
    }

    private func due() async -> Set<ImageReference> {
        do {
            let inUse = try await tools.store.basesInUse().map(\.reference)
            let poll = await duty.isOurs() ? tools.settings.basePoll : nil
            return schedule.due(inUse, poll: poll, now: tools.time.now)
        } catch {
            tools.log.error("the images that builds stand on could not be looked for", ["error": error])
            return []
        }
    }

    private func lookWhereTold() async {
        while !Task.isCancelled { await look(at: await tools.moved.next()) }
    }

    /// A registry may tell of a manifest before its tag points there, as distribution does.
    private func lookOnceMore() async {
        while !Task.isCancelled {
            let images = await notices.next()
            if !images.isEmpty, (try? await tools.time.sleep(for: Self.settling)) != nil {
                look(soonAt: Array(images))
            }
        }
    }

    // MARK: A look

    /// Asks where the images point now, and follows those that moved.
    func look(at images: Set<ImageReference>) async {
        guard !images.isEmpty else { return }
        do {
            let inUse = try await tools.store.basesInUse()
            let now = await digests(of: inUse.map(\.reference).filter(images.contains))
            let moves = inUse.flatMap { base in
                base.users.compactMap { user -> BaseMove? in
                    guard let digest = now[base.reference], digest != user.digest else { return nil }
                    return BaseMove(base: base.reference, from: user.digest, to: digest, user: user.build)
                }
            }
            var following = BaseFollowing(watch: self, moves, inUse)
            try await following.run()
        } catch is CancellationError {
            return
        } catch {
            again(images, after: Self.pause)
            tell("the looks", "what stands on moved base images could not be queued; it is tried again: \(error)")
            return
        }
        said["the looks"] = nil
    }

    /// A few at a time; those that can't be told are left out.
    private func digests(of images: [ImageReference]) async -> [ImageReference: Digest] {
        await withTaskGroup(of: (ImageReference, Digest?).self) { group in
            var digests: [ImageReference: Digest] = [:]
            for (index, image) in images.enumerated() {
                if index >= Self.width, let (image, digest) = await group.next() { digests[image] = digest }
                group.addTask { (image, await self.digest(of: image)) }
            }
            for await (image, digest) in group { digests[image] = digest }
            return digests
        }
    }

    private func digest(of image: ImageReference) async -> Digest? {
        guard let tag = image.tag, !Task.isCancelled else { return nil }
        guard !rests.isResting(image.image, tools.time.now) else {
            again([image], after: Rests.shortest)
            return nil
        }
        do {
            let since = tools.time.now
            let digest = try await tools.registry.digest(of: image.image, tag: tag)
            // Else a build that follows may believe an older answer, and be the same again.
            if let digest { await tools.bases.note(.digest(digest), for: image, since) }
            rests.answered(image.image)
            if digest == nil {
                tell(image.text, "\(image.image.registry) no longer has \(image.shown), which builds stand on")
            } else {
                said[image.text] = nil
            }
            return digest
        } catch let error as RegistryError {
            let pause = rests.failed(image.image, error, tools.time.now)
            again([image], after: pause)
            tell(image.text, "can't look whether base image \(image.shown) has moved; it is tried again: \(error)")
        } catch {
            // Only the task's end is left.
            tools.log.debug("a look at a base image was broken off", ["image": image.shown, "error": error])
        }
        return nil
    }

    func again(_ images: Set<ImageReference>, after pause: Duration) {
        schedule.again(images, after: pause, now: tools.time.now)
    }

    /// Says something to the operator, unless it is what was said last of the same.
    func tell(_ what: String, _ sentence: String) {
        guard said.updateValue(sentence, forKey: what) != sentence else { return }
        tools.log.warning(sentence)
    }

    // MARK: Builds that are waited for

    /// Looks at the images again when a build has ended.
    func wait(for build: Build.ID, then images: [ImageReference]) {
        if awaited.updateValue(awaited[build, default: []].union(images), forKey: build) == nil {
            waits.continuation.yield(build)
        }
    }

    private func awaitEnds() async {
        await withDiscardingTaskGroup { group in
            for await build in waits.stream { group.addTask { await self.awaitEnd(of: build) } }
            group.cancelAll()
        }
    }

    private func awaitEnd(of build: Build.ID) async {
        let changes = tools.store.changes(.build(build))
        do {
            if try await !hasEnded(build) {
                for await _ in changes {
                    if try await hasEnded(build) { break }
                }
            }
        } catch {
            tools.log.warning("a build could not be looked at", ["build": build, "error": error])
        }
        let images = awaited.removeValue(forKey: build) ?? []
        if !Task.isCancelled { look(soonAt: Array(images)) }
    }

    private func hasEnded(_ build: Build.ID) async throws -> Bool {
        try await tools.store.build(build)?.state.isEnd ?? true
    }
}
