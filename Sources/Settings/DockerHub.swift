import Foundation
import Model

/// What people can save from Docker Hub's automated builds, read.
package enum DockerHub {
    /// Sources with all their repositories' texts; no saved file comes near it.
    private static let limit = 16 << 20

    /// - Parameter paths: files of JSON that belong together; `-` is the standard input.
    /// - Throws: `InvalidText` for a file that can't be read or holds no automated builds.
    package static func draft(files paths: [String]) throws(InvalidText) -> DockerHubDraft {
        var documents: [(name: String, bytes: [UInt8])] = []
        for path in paths {
            let (name, file) = path == "-" ? ("the standard input", "/dev/stdin") : (path, path)
            do throws(InvalidText) {
                documents.append((name, try TextFile.bytes(at: file, limit: limit)))
            } catch {
                throw InvalidText("\(name) can't be read: \(error)")
            }
        }
        return try draft(of: documents)
    }

    /// - Parameter documents: JSON, and what sentences call it.
    package static func draft(of documents: [(name: String, bytes: [UInt8])]) throws(InvalidText) -> DockerHubDraft {
        var heap = Heap()
        for (name, bytes) in documents {
            do throws(InvalidText) {
                try heap.take(try DockerHubJSON(bytes))
            } catch {
                throw InvalidText("\(name) holds no automated builds of Docker Hub: \(error)")
            }
        }
        return DockerHubDraft(try heap.sources(), isWhole: heap.isWhole)
    }
}

/// The objects of all documents, told apart.
private struct Heap {
    private enum Kind {
        case source, classic
    }

    private var found: [(kind: Kind, object: DockerHubJSON)] = []
    /// Objects of `/api/build/v1/setting/`.
    private var settings: [DockerHubJSON] = []
    /// Whether no list says that it goes on.
    private(set) var isWhole = true

    mutating func take(_ json: DockerHubJSON) throws(InvalidText) {
        if let items = json.items ?? json["objects"]?.items ?? json["results"]?.items {
            if json["meta"]?["next"]?.text != nil || json["next"]?.text != nil { isWhole = false }
            guard !items.isEmpty else { throw InvalidText("the list is empty") }
            for item in items { try take(item) }
        } else if json["build_tags"]?.items != nil {
            found.append((.classic, json))
        } else if json["build_settings"]?.items != nil || (json["image"] != nil && json["provider"] != nil) {
            found.append((.source, json))
        } else if json["source_type"] != nil || json["source_name"] != nil {
            settings.append(json)
        } else {
            throw InvalidText(Self.unknown(json))
        }
    }

    private static func unknown(_ json: DockerHubJSON) -> String {
        if let words = (json["error"] ?? json["detail"] ?? json["message"])?.text {
            return "it is an error that Docker Hub answered: \"\(words.excerpt(200))\"; log in and save it again"
        }
        let wanted =
            "looked for were objects with \"build_settings\" (as /api/build/v1/source/?image=<user>/<repository> answers) or \"build_tags\" (as /v2/repositories/<user>/<repository>/autobuild/ did), alone, in a list, or in \"objects\""
        let keys = json.keys
        guard !keys.isEmpty else { return "there is no object with fields in it; \(wanted)" }
        return "an object has only \(Fields.quoted(keys.prefix(12).map { $0.excerpt(40) })); \(wanted)"
    }

    /// - Throws: `InvalidText` where rules are missing, or a repository is there twice.
    func sources() throws(InvalidText) -> [DockerHubSource] {
        guard !found.isEmpty else {
            throw InvalidText(
                "there are only build settings; the source that they belong to, with \"image\" and \"repository\", is missing: save /api/build/v1/source/?image=<user>/<repository> too, and give both files"
            )
        }
        var sources: [DockerHubSource] = []
        for (kind, object) in found {
            let source: DockerHubSource
            switch kind {
            case .classic: source = try DockerHubSource(classic: object)
            case .source: source = try DockerHubSource(source: object, settings: try rules(of: object))
            }
            guard !sources.contains(where: { $0.repository == source.repository }) else {
                throw InvalidText("the automated builds of \(source.image.path) are there twice; give them once")
            }
            sources.append(source)
        }
        return sources
    }

    private func rules(of source: DockerHubJSON) throws(InvalidText) -> [DockerHubJSON] {
        let uri = source["resource_uri"]?.text
        var rules: [DockerHubJSON] = []
        var missing = 0
        let items = source["build_settings"]?.items
        let own = settings.filter { uri != nil && $0["buildsource"]?.text == uri }
        for item in items ?? own {
            guard let address = item.text else {
                rules.append(item)
                continue
            }
            if let setting = settings.first(where: { $0["resource_uri"]?.text == address }) {
                rules.append(setting)
            } else {
                missing += 1
            }
        }
        guard missing > 0 else { return rules }
        throw InvalidText(
            "\(source["image"]?.text?.excerpt() ?? "a source"): \(missing) of its build rules are only addresses, and what they say is in no file. Docker Hub gives the rules by themselves: save https://hub.docker.com/api/build/v1/setting/?buildsource=\(uri?.excerpt() ?? "<the source's resource_uri>") too (logged in, with the header \"Authorization: JWT <token>\"; or from the browser's network view of the repository's Builds page), and give both files"
        )
    }
}
