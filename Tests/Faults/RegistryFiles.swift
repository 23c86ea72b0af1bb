import Foundation

/// What a registry keeps, read from its files: they tell what a tag named before, too.
struct RegistryFiles {
    private let root: URL

    init(_ storage: URL) { root = storage }

    private func tagFolder(_ image: String) -> URL { root.appending(path: "repositories/\(image)/_manifests/tags") }

    func tags(_ image: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: tagFolder(image).path)) ?? []).sorted()
    }

    /// Nil where there is no such tag.
    func digest(_ image: String, _ tag: String) -> String? {
        try? String(contentsOf: tagFolder(image).appending(path: "\(tag)/current/link"), encoding: .utf8)
    }

    /// Every image that the tag ever named, in the order in which each was put there last.
    func history(_ image: String, _ tag: String) throws -> [String] {
        let folder = tagFolder(image).appending(path: "\(tag)/index/sha256")
        guard FileManager.default.fileExists(atPath: folder.path) else { return [] }
        return try FileManager.default.contentsOfDirectory(atPath: folder.path).map { digest in
            var status = stat()
            stat(folder.appending(path: "\(digest)/link").path, &status)
            return (digest: "sha256:" + digest, time: status.st_mtim)
        }.sorted { ($0.time.tv_sec, $0.time.tv_nsec) < ($1.time.tv_sec, $1.time.tv_nsec) }.map(\.digest)
    }

    /// The labels of an image.
    func labels(_ digest: String) throws -> [String: String] {
        struct Manifest: Decodable {
            struct Config: Decodable { var digest: String }
            var config: Config
        }
        struct Config: Decodable {
            struct Run: Decodable { var Labels: [String: String]? }
            var config: Run
        }
        let manifest = try JSONDecoder().decode(Manifest.self, from: blob(digest))
        return try JSONDecoder().decode(Config.self, from: blob(manifest.config.digest)).config.Labels ?? [:]
    }

    private func blob(_ digest: String) throws -> Data {
        let hex = digest.replacing("sha256:", with: "")
        return try Data(contentsOf: root.appending(path: "blobs/sha256/\(hex.prefix(2))/\(hex)/data"))
    }
}
