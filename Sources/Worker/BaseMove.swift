import Model
import Queue

/// An image that a build stands on points elsewhere than when it was built.
struct BaseMove: Sendable {
    let base: ImageReference
    let from: Digest
    let to: Digest
    /// The build that stands on it.
    let user: Build.ID

    /// What the causes of builds say of it: `base image debian:bookworm moved from sha256:… to sha256:…`, with the first
    /// 12 digits of each.
    var detail: String { "\(Self.head(base)) from \(Self.short(from)) to \(Self.short(to))" }

    /// What every move of an image begins with.
    static func head(_ base: ImageReference) -> String { "base image \(base.shown) moved" }

    private static func short(_ digest: Digest) -> Substring { digest.text.prefix("sha256:".count + 12) }
}

extension Build {
    /// Whether the build puts the image's tag somewhere, or did.
    func makes(_ image: ImageReference) -> Bool {
        self.image == image.image && tags.contains { $0.name == image.tag }
    }

    /// Whether the build may yet move the image's tag: its names are not known before its commit is.
    func mayYetMove(_ image: ImageReference) -> Bool {
        guard self.image == image.image, !state.isEnd else { return false }
        return commit == nil || tags.contains { $0.name == image.tag && !$0.moved && $0.reason == nil }
    }

    /// Whether it is one of the same branch or tag by the same rule.
    func isOfSame(_ other: Build) -> Bool {
        repository == other.repository && ref == other.ref && image == other.image && rule.number == other.rule.number
    }
}
