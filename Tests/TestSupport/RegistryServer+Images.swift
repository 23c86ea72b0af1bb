import Foundation
import FoundationNetworking
import Model
import Platform

extension RegistryServer {
    /// One manifest, as the registry has it.
    package struct StoredManifest: Sendable {
        package let mediaType: String
        package let body: Data
        package let digest: String
    }

    private struct Descriptor: Codable {
        var mediaType: String
        var digest: String
        var size: Int
        var platform: Platform?
        var annotations: [String: String]?

        struct Platform: Codable {
            var os: String
            var architecture: String
        }
    }

    private struct Form: Codable {
        var schemaVersion = 2
        var mediaType: String?
        var config: Descriptor?
        var layers: [Descriptor]?
        var manifests: [Descriptor]?
    }

    private struct Config: Codable {
        var architecture = "amd64"
        var os = "linux"
        var config: Run?
        var rootfs: RootFS?

        struct Run: Codable {
            var Labels: [String: String]?
        }
        struct RootFS: Codable {
            var type = "layers"
            var diff_ids: [String]
        }
    }

    /// The repository's tags, sorted; empty where there is no such repository.
    package func tags(_ image: String) async throws -> [String] {
        struct List: Decodable { var tags: [String]? }
        let (status, _, body) = try await request("GET", "\(image)/tags/list")
        return status == 404 ? [] : try (JSONDecoder().decode(List.self, from: body).tags ?? []).sorted()
    }

    /// Nil where there is no such tag or digest.
    package func manifest(_ image: String, _ reference: String) async throws -> StoredManifest? {
        let types = [
            "oci.image.index.v1", "oci.image.manifest.v1", "docker.distribution.manifest.list.v2",
            "docker.distribution.manifest.v2",
        ]
        let accept = types.map { "application/vnd.\($0)+json" }.joined(separator: ", ")
        let (status, headers, body) = try await request("GET", "\(image)/manifests/\(reference)", ["Accept": accept])
        if status == 404 { return nil }
        try require(status, 200, "read manifest \(image) \(reference)")
        return StoredManifest(
            mediaType: headers["content-type"] ?? "", body: body, digest: "sha256:" + Crypto.sha256(body).hex)
    }

    /// What the image's own configuration says under `Labels`.
    package func labels(image: String, tag: String) async throws -> [String: String] {
        guard let form = try await form(image, tag), let config = form.config else { return [:] }
        return try await JSONDecoder().decode(Config.self, from: blob(image, config.digest)).config?.Labels ?? [:]
    }

    /// The content of a file in an image, without any engine: its layers are unpacked one over the other.
    ///
    /// - Returns: nil where there is no such image, or no such file in it.
    package func readFile(_ path: String, image: String, tag: String) async throws -> Data? {
        guard let root = try await unpack(image: image, tag: tag) else { return nil }
        defer { try? FileManager.default.removeItem(at: root) }
        var place = root.appending(path: path).path
        for _ in 0..<10 {
            guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: place) else { break }
            // A link is followed inside of the image, never on this machine.
            place =
                target.hasPrefix("/")
                ? root.path + target : ((place as NSString).deletingLastPathComponent + "/" + target)
        }
        return FileManager.default.contents(atPath: place)
    }

    /// Every file, link and folder of an image, sorted, without a slash in front.
    package func files(image: String, tag: String) async throws -> [String] {
        guard let root = try await unpack(image: image, tag: tag) else { return [] }
        defer { try? FileManager.default.removeItem(at: root) }
        return try FileManager.default.subpathsOfDirectory(atPath: root.path).sorted()
    }

    /// Puts a tiny image into the registry: one layer with these files.
    ///
    /// - Returns: the manifest's digest.
    @discardableResult
    package func pushImage(
        _ image: String, tag: String, files: [String: String], labels: [String: String] = [:]
    ) async throws -> String {
        let root = folder.appending(path: "layer-\(UUID())")
        defer { try? FileManager.default.removeItem(at: root) }
        for (name, text) in files {
            let file = root.appending(path: name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
        let tar = try Shell.run("/bin/tar", ["--sort=name", "--mtime=@0", "-C", root.path, "-c", "."])
        let layer = try Shell.run("/bin/gzip", ["-n"], input: tar)
        let config = Config(
            config: Config.Run(Labels: labels), rootfs: Config.RootFS(diff_ids: ["sha256:" + Crypto.sha256(tar).hex]))
        let form = Form(
            mediaType: "application/vnd.oci.image.manifest.v1+json",
            config: try await upload(sorted(config), to: image, as: "application/vnd.oci.image.config.v1+json"),
            layers: [try await upload(layer, to: image, as: "application/vnd.oci.image.layer.v1.tar+gzip")])
        let body = try sorted(form)
        let (status, _, _) = try await request(
            "PUT", "\(image)/manifests/\(tag)", ["Content-Type": form.mediaType ?? ""], body)
        try require(status, 201, "push \(image):\(tag)")
        return "sha256:" + Crypto.sha256(body).hex
    }

    /// Removes the manifest that a tag points at, and every tag that does, as the registry's API allows.
    package func removeManifest(_ image: String, tag: String) async throws {
        guard let digest = try await manifest(image, tag)?.digest else { return }
        let (status, _, _) = try await request("DELETE", "\(image)/manifests/\(digest)")
        try require(status, 202, "remove the manifest of \(image):\(tag)")
    }

    /// Removes a tag and leaves its manifest, which this registry's API has no call for.
    package func removeTag(_ image: String, _ tag: String) throws {
        let tags = folder.appending(path: "storage/docker/registry/v2/repositories/\(image)/_manifests/tags")
        try FileManager.default.removeItem(at: tags.appending(path: tag))
    }

    /// Lets a tag point at a manifest that the registry has, as somebody does by hand.
    package func move(_ image: String, tag: String, to digest: String) async throws {
        guard let stored = try await manifest(image, digest) else {
            throw Shell.Failure(description: "the registry has no \(digest)")
        }
        let (status, _, _) = try await request(
            "PUT", "\(image)/manifests/\(tag)", ["Content-Type": stored.mediaType], stored.body)
        try require(status, 201, "move \(image):\(tag)")
    }

    private func sorted(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(value)
    }

    private func upload(_ data: Data, to image: String, as mediaType: String) async throws -> Descriptor {
        let (begun, headers, _) = try await request("POST", "\(image)/blobs/uploads/")
        try require(begun, 202, "begin an upload to \(image)")
        let digest = "sha256:" + Crypto.sha256(data).hex
        let location = headers["location"] ?? ""
        let (status, _, _) = try await request(
            "PUT", location + (location.contains("?") ? "&" : "?") + "digest=\(digest)",
            ["Content-Type": "application/octet-stream"], data)
        try require(status, 201, "upload a blob to \(image)")
        return Descriptor(mediaType: mediaType, digest: digest, size: data.count)
    }

    /// Of an index, the first manifest that is an image and no attestation.
    private func form(_ image: String, _ reference: String) async throws -> Form? {
        guard let stored = try await manifest(image, reference) else { return nil }
        let form = try JSONDecoder().decode(Form.self, from: stored.body)
        guard let manifests = form.manifests else { return form }
        guard let first = manifests.first(where: { $0.platform?.os != "unknown" }) else { return nil }
        return try await self.form(image, first.digest)
    }

    private func blob(_ image: String, _ digest: String) async throws -> Data {
        let (status, _, body) = try await request("GET", "\(image)/blobs/\(digest)")
        try require(status, 200, "read blob \(digest) of \(image)")
        return body
    }

    private func unpack(image: String, tag: String) async throws -> URL? {
        guard let form = try await form(image, tag) else { return nil }
        let root = folder.appending(path: "image-\(UUID())")
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        let layer = folder.appending(path: "layer-\(UUID()).tar")
        defer { try? FileManager.default.removeItem(at: layer) }
        for descriptor in form.layers ?? [] {
            try await blob(image, descriptor.digest).write(to: layer)
            let names = try String(decoding: Shell.run("/bin/tar", ["-tf", layer.path]), as: UTF8.self).split(
                separator: "\n")
            for name in names {
                let mark = (name as NSString).lastPathComponent
                guard mark.hasPrefix(".wh.") else { continue }
                let parent = root.appending(path: (name as NSString).deletingLastPathComponent)
                // OCI image spec, "Whiteouts": one for a name, or one for all that lower layers have in the folder.
                let gone =
                    mark == ".wh..wh..opq"
                    ? (try? FileManager.default.contentsOfDirectory(atPath: parent.path)) ?? []
                    : [String(mark.dropFirst(4))]
                for name in gone { try? FileManager.default.removeItem(at: parent.appending(path: name)) }
            }
            try Shell.run("/bin/tar", ["-xf", layer.path, "-C", root.path, "--exclude=.wh.*", "--no-same-owner"])
        }
        return root
    }

    private func require(_ status: Int, _ expected: Int, _ what: String) throws {
        guard status == expected else {
            throw Shell.Failure(description: "could not \(what): the registry answered \(status)")
        }
    }

    /// One request with the registry's own login.
    ///
    /// - Parameter target: a path after `/v2/`, or a whole address.
    private func request(
        _ method: String, _ target: String, _ headers: [String: String] = [:], _ body: Data? = nil
    ) async throws -> (status: Int, headers: [String: String], body: Data) {
        let text = target.contains("://") ? target : "\(usesTLS ? "https" : "http")://\(host)/v2/\(target)"
        guard let url = URL(string: text) else { throw Shell.Failure(description: "\(text) is no address") }
        var request = URLRequest(url: url)
        request.httpMethod = method
        request.httpBody = body
        for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
        if let login {
            let code = Data("\(login.username):\(login.password.value)".utf8).base64EncodedString()
            request.setValue("Basic \(code)", forHTTPHeaderField: "Authorization")
        }
        let (data, response) = try await URLSession.shared.data(for: request)
        guard let response = response as? HTTPURLResponse else { throw Shell.Failure(description: "no HTTP") }
        let pairs = response.allHeaderFields.map { ("\($0)".lowercased(), "\($1)") }
        return (response.statusCode, Dictionary(pairs) { first, _ in first }, data)
    }
}
