import Foundation

/// The images and layers in a storage of buildah and podman, as its own files tell (containers/storage, `images.json`
/// and `layers.json`): neither program tells which images are a build's steps, or what a layer takes up.
struct StorageContents {
    /// Of all images.
    let names: Set<String>
    /// The images that builds keep of their single steps, oldest first, by their ids.
    let steps: [String]
    /// What the layers take up that no other image is made of, in bytes.
    let cacheSize: Int

    /// - Throws: `Unusable` where the files are in another form; a Cocoa error where they can't be read.
    init(root: String, driver: String) throws {
        let images: [Image] = try Self.read("\(root)/\(driver)-images/images.json")
        let layers: [Layer] = try Self.read("\(root)/\(driver)-layers/layers.json")
        names = Set(images.flatMap { $0.names ?? [] })
        steps = images.filter(\.isStep).sorted { $0.created < $1.created }.map(\.id)
        let parents = Dictionary(layers.map { ($0.id, $0.parent) }) { first, _ in first }
        var held: Set<String> = []
        for image in images where !image.isStep {
            var layer = image.layer
            while let id = layer, held.insert(id).inserted { layer = parents[id] ?? nil }
        }
        cacheSize = layers.reduce(0) { held.contains($1.id) ? $0 : $0 + ($1.size ?? 0) }
    }

    private static func read<Entry: Decodable>(_ path: String) throws -> [Entry] {
        // Nothing was ever built or pulled.
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        do {
            return try JSONDecoder().decode([Entry].self, from: try Data(contentsOf: URL(fileURLWithPath: path)))
        } catch let error as DecodingError {
            throw Unusable(reason: "\(path) is not as containers/storage writes it: \(error)")
        }
    }

    private struct Image: Decodable {
        let id: String
        let names: [String]?
        let history: [String]?
        let layer: String?
        /// RFC 3339 with nine digits of a second at most, UTC: in the order of time as text.
        let created: String

        /// Buildah commits a step under a name of its own making, and takes that away.
        var isStep: Bool {
            guard names?.isEmpty ?? true, let history, !history.isEmpty else { return false }
            return history.allSatisfy { $0.wholeMatch(of: /(?:.*\/)?[0-9a-f]{64}-tmp:latest/) != nil }
        }

        private enum CodingKeys: String, CodingKey {
            case id, names, layer, created
            case history = "names-history"
        }
    }

    private struct Layer: Decodable {
        let id: String
        let parent: String?
        let size: Int?

        private enum CodingKeys: String, CodingKey {
            case id, parent
            case size = "diff-size"
        }
    }
}
