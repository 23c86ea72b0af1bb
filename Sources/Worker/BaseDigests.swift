import Engine
import Foundation
import Model
import Platform
import Registry

/// What the tags of images point at now, asked of their registries and believed for a short time.
///
/// A question is asked once at a time, however many want its answer; different ones are asked at once.
actor BaseDigests {
    /// How long an answer is believed.
    static let age = Duration.seconds(30)
    /// How long a registry may take, before the image is built without its answer.
    static let patience = Duration.seconds(10)

    enum Answer: Sendable, Equatable {
        case digest(Digest)
        /// Why nothing can be told, in a sentence that names the image.
        case unknown(String)
    }

    private struct Kept {
        let digest: Digest
        /// Before the registry was asked.
        let since: Date
    }

    private let registry: RegistryClient
    private let time: any TimeSource
    private let patience: Duration
    private var kept: [ImageReference: Kept] = [:]
    /// Images that hand nothing on to what is built on them, by their digests.
    private var plain: Set<Digest> = []
    private var asking: [ImageReference: Task<Answer, Never>] = [:]

    init(_ registry: RegistryClient, time: any TimeSource, patience: Duration = BaseDigests.patience) {
        self.registry = registry
        self.time = time
        self.patience = patience
    }

    /// The answers for several images, in their order.
    ///
    /// - Parameter anew: whether only an answer to a question that is asked now will do.
    nonisolated func answers(for images: [ImageReference], anew: Bool = false) async -> [Answer] {
        await withTaskGroup(of: (Int, Answer).self) { group in
            for (index, image) in images.enumerated() {
                group.addTask { (index, await self.answer(for: image, anew: anew)) }
            }
            let answers = await group.reduce(into: [Int: Answer]()) { $0[$1.0] = $1.1 }
            return images.indices.compactMap { answers[$0] }
        }
    }

    /// What an image's tag points at, `latest` where it names none; a digest that it names itself needs no question.
    func answer(for image: ImageReference, anew: Bool = false) async -> Answer {
        if let digest = image.digest { return .digest(digest) }
        // Written either way it is one image.
        var image = image
        if image.tag == nil, let latest = try? Tag("latest") { image = ImageReference(image: image.image, tag: latest) }
        if !anew {
            if let kept = kept[image], isBelieved(kept) { return .digest(kept.digest) }
            if let task = asking[image] { return await task.value }
        }
        let since = time.now
        let task = Task { [registry, image] in await Self.ask(registry, image) }
        asking[image] = task
        let answer = await task.value
        if asking[image] == task { asking[image] = nil }
        note(answer, for: image, since)
        return answer
    }

    /// Why it can't be known what an image hands on to what is built on it (ONBUILD); nil where it is nothing.
    ///
    /// An image is asked for once: what a digest names never changes.
    func doubt(of image: ImageReference, at digest: Digest) async -> String? {
        if plain.contains(digest) { return nil }
        let platform = Engines.platform
        do {
            let answer = try await withDeadline(patience) { [registry] in
                try await registry.triggers(of: image.image, digest: digest, platform: platform)
            }
            guard let answer, let triggers = answer else {
                return answer == nil
                    ? "\(image.image.registry) did not tell in \(Int(patience.seconds)) s what \(image) hands on"
                    : "\(image.image.registry) has no \(image.image)@\(digest)"
            }
            if let first = triggers.first { return "\(image) hands on \"ONBUILD \(first.excerpt())\"" }
        } catch {
            return "\(error)"
        }
        if plain.count >= Self.mostPlain { plain = [] }
        plain.insert(digest)
        return nil
    }

    private static let mostPlain = 1000

    /// Keeps an answer to a question that was asked at `since`, of an image with its tag.
    func note(_ answer: Answer, for image: ImageReference, _ since: Date) {
        // One that was asked later may have been answered sooner.
        if let other = kept[image], other.since > since, isBelieved(other) { return }
        kept[image] = nil
        guard case .digest(let digest) = answer else { return }
        kept = kept.filter { isBelieved($0.value) }
        kept[image] = Kept(digest: digest, since: since)
    }

    private func isBelieved(_ kept: Kept) -> Bool {
        // The time of day may have been set back meanwhile.
        (0..<Self.age.seconds).contains(time.now.timeIntervalSince(kept.since))
    }

    private static func ask(_ registry: RegistryClient, _ image: ImageReference) async -> Answer {
        do {
            let tag = try image.tag ?? Tag("latest")
            let answer = try await withDeadline(patience) { try await registry.digest(of: image.image, tag: tag) }
            guard let answer else {
                return .unknown(
                    "\(image.image.registry) did not tell in \(Int(patience.seconds)) s what \(image) points at")
            }
            guard let digest = answer else { return .unknown("\(image.image.registry) has no \(image)") }
            return .digest(digest)
        } catch {
            return .unknown("\(error)")
        }
    }
}
