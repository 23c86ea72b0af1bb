import Model
import Synchronization

/// Where the tags of base images pointed when this service last had the engine build on them.
///
/// Not kept for another life of the service: until then the engine's copies may have become any others.
final class TakenBases: Sendable {
    private let digests = Mutex<[ImageReference: Digest]>([:])

    func has(_ base: BaseImage) -> Bool { digests.withLock { $0[base.reference] == base.digest } }

    func took(_ base: BaseImage) { digests.withLock { $0[base.reference] = base.digest } }
}

extension BaseImage {
    var reference: ImageReference { ImageReference(image: image, tag: tag) }
}
