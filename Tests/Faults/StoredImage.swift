import Foundation
import Platform
import TestSupport

/// An image of the stand-in's own storage: one layer with one file, and labels.
struct StoredImage: Codable {
    var file: Data
    var labels: [String: String]

    /// As an engine's: the digest of the configuration.
    var id: String { get throws { Crypto.sha256(try config).hex } }

    static func path(_ name: String, in folder: String) -> String {
        folder + "/images/" + Crypto.sha256(Data(name.replacing("sha256:", with: "").utf8)).hex
    }

    static func read(_ name: String, in folder: String) throws -> StoredImage {
        guard let data = FileManager.default.contents(atPath: path(name, in: folder)) else {
            throw Found("\(name): image not known")
        }
        return try JSONDecoder().decode(StoredImage.self, from: data)
    }

    func write(as name: String, in folder: String) throws {
        try JSONEncoder().encode(self).write(to: URL(filePath: Self.path(name, in: folder)), options: .atomic)
    }

    /// - Parameter note: told before and after the manifest is put, which is what counts.
    func push(to reference: String, note: (Journal.Event) -> Void) async throws {
        guard let match = reference.wholeMatch(of: /([^\/]+)\/(.+):([^:\/]+)/) else {
            throw Found("\(reference) is no reference")
        }
        let upload = ImageUpload(address: "http://\(match.1)/v2/\(match.2)")
        let (layer, config) = (layer, try config)
        for blob in [layer, config] { try await upload.blob(blob) }
        func descriptor(_ type: String, _ data: Data) -> [String: Any] {
            ["mediaType": type, "size": data.count, "digest": "sha256:" + Crypto.sha256(data).hex]
        }
        let type = "application/vnd.oci.image.manifest.v1+json"
        let manifest = try JSONSerialization.data(
            withJSONObject: [
                "schemaVersion": 2, "mediaType": type,
                "config": descriptor("application/vnd.oci.image.config.v1+json", config),
                "layers": [descriptor("application/vnd.oci.image.layer.v1.tar", layer)],
            ], options: [.sortedKeys])
        note(.put)
        try await upload.manifest(manifest, as: String(match.3), type: type)
        note(.done)
    }

    private var config: Data {
        get throws {
            try JSONSerialization.data(
                withJSONObject: [
                    "architecture": "amd64", "os": "linux", "config": ["Labels": labels],
                    "rootfs": ["type": "layers", "diff_ids": ["sha256:" + Crypto.sha256(layer).hex]],
                ], options: [.sortedKeys])
        }
    }

    /// A tar (POSIX.1-1988, ustar) with the one file `hello`.
    private var layer: Data {
        var header = Data(count: 512)
        func put(_ text: String, at offset: Int) {
            header.replaceSubrange(offset..<offset + text.utf8.count, with: text.utf8)
        }
        func octal(_ number: Int, _ digits: Int) -> String {
            let text = String(number, radix: 8)
            return String(repeating: "0", count: max(0, digits - text.count)) + text
        }
        put("hello", at: 0)
        put(octal(0o644, 7), at: 100)
        put(octal(0, 7), at: 108)
        put(octal(0, 7), at: 116)
        put(octal(file.count, 11), at: 124)
        put(octal(0, 11), at: 136)
        put("        ", at: 148)
        put("0ustar", at: 156)
        put("00", at: 263)
        put(octal(header.reduce(0) { $0 + Int($1) }, 6) + "\0 ", at: 148)
        return header + file + Data(count: (512 - file.count % 512) % 512 + 1024)
    }
}
