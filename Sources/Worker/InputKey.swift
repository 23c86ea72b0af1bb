import Engine
import Foundation
import Model
import Platform

/// All that an image is made of.
struct InputKey {
    /// Of what the key is made over and how: another one makes every key another.
    static let version = 1

    var engine: BuilderKind
    /// `linux/amd64`.
    var platform = Engines.platform
    var dockerfile: Data
    /// Of all that the engine sees beside it.
    var context: Digest
    var target: String?
    var arguments: [String: String]
    var network: Rule.Limits.Network
    /// In the order in which the Dockerfile names them.
    var images: [(reference: ImageReference, digest: Digest)]

    /// The SHA-256 over all of it, each part with its length before it, so that no two things read the same.
    func digest() throws(InvalidText) -> Digest {
        var bytes = Data()
        func add(_ part: some Collection<UInt8>) {
            withUnsafeBytes(of: UInt64(part.count).bigEndian) { bytes.append(contentsOf: $0) }
            bytes.append(contentsOf: part)
        }
        func add(_ text: String) { add(text.utf8) }
        func add(count: Int) { add("\(count)") }

        add("slipway inputs \(Self.version)")
        add(engine.rawValue)
        add(platform)
        add(dockerfile)
        add(context.text)
        add(count: target == nil ? 0 : 1)
        if let target { add(target) }
        add(count: arguments.count)
        for (name, value) in arguments.sorted(by: { $0.key < $1.key }) {
            add(name)
            add(value)
        }
        add(network.rawValue)
        add(count: images.count)
        for image in images {
            add(image.reference.text)
            add(image.digest.text)
        }
        return try Digest("sha256:" + Crypto.sha256(bytes).hex)
    }
}
