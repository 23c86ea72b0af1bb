import Foundation
import Platform

/// An image with a shell for tests to build on: busybox-static, put into a registry by its API, with no builder's help.
package struct BaseImage: Sendable {
    /// `127.0.0.1:5000/base:1`.
    package let reference: String

    package static let busybox = "/bin/busybox"
    package static var isAvailable: Bool { FileManager.default.isExecutableFile(atPath: busybox) }

    /// - Parameters:
    ///   - registry: host and port of a registry that speaks plain HTTP.
    ///   - authorization: the header's value, for a registry that asks.
    ///   - labels: which images that are built on it have, too.
    ///   - triggers: as they stand after ONBUILD.
    package static func push(
        to registry: String, name: String = "base", tag: String = "1", authorization: String? = nil,
        labels: [String: String] = [:], triggers: [String] = []
    ) async throws -> BaseImage {
        let (tar, layer) = try await layer()
        let config = try JSONSerialization.data(
            withJSONObject: [
                "architecture": architecture, "os": "linux",
                "config": [
                    "Cmd": ["/bin/sh"], "Env": ["PATH=/bin"], "Labels": labels, "OnBuild": triggers,
                ] as [String: Any],
                "rootfs": ["type": "layers", "diff_ids": [digest(tar)]],
                // Without its time, buildah finds no layer on top of it in its cache again when it makes Docker's format.
                "history": [["created": "2000-01-01T00:00:00Z", "created_by": "busybox"]],
            ], options: [.sortedKeys])
        let upload = ImageUpload(address: "http://\(registry)/v2/\(name)", authorization: authorization)
        for blob in [layer, config] { try await upload.blob(blob) }
        let manifest = try JSONSerialization.data(
            withJSONObject: [
                "schemaVersion": 2, "mediaType": manifestType,
                "config": [
                    "mediaType": "application/vnd.docker.container.image.v1+json", "size": config.count,
                    "digest": digest(config),
                ],
                "layers": [
                    [
                        "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "size": layer.count,
                        "digest": digest(layer),
                    ] as [String: Any]
                ],
            ], options: [.sortedKeys])
        try await upload.manifest(manifest, as: tag, type: manifestType)
        return BaseImage(reference: "\(registry)/\(name):\(tag)")
    }

    private static let manifestType = "application/vnd.docker.distribution.manifest.v2+json"

    private static var architecture: String {
        #if arch(arm64)
            "arm64"
        #else
            "amd64"
        #endif
    }

    private static func digest(_ data: Data) -> String { "sha256:" + Crypto.sha256(data).hex }

    private static func layer() async throws -> (tar: Data, gzip: Data) {
        let script = """
            set -e
            folder=$(mktemp -d); trap 'rm -r "$folder"' EXIT
            mkdir -p "$folder/bin" "$folder/tmp" "$folder/etc"
            cp \(busybox) "$folder/bin/busybox"
            for name in $(\(busybox) --list); do [ "$name" = busybox ] || ln -s busybox "$folder/bin/$name"; done
            chmod 1777 "$folder/tmp"
            tar -C "$folder" --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -cf - .
            """
        let path = ["PATH": "/usr/bin:/bin"]
        let tar = try await ChildProcess("/bin/sh", ["-c", script], environment: path).capture(limit: 64 << 20)
        guard tar.ending == .exited(0) else {
            throw ImageUpload.Failed("no base image: \(String(decoding: tar.stderr, as: UTF8.self))")
        }
        let gzip = try await ChildProcess("gzip", ["-n"], environment: path, input: tar.stdout).capture(limit: 64 << 20)
        return (tar.stdout, gzip.stdout)
    }
}
