import Model

/// The two shapes in which Docker Hub told of automated builds.
extension DockerHubSource {
    /// Reads the source of `/api/build/v1/source/`.
    ///
    /// - Parameter settings: its rules, of which the source itself may hold only the addresses.
    init(source: DockerHubJSON, settings: [DockerHubJSON]) throws(InvalidText) {
        guard let name = source["image"]?.text else {
            throw InvalidText("a source with \"build_settings\" has no \"image\", which names the repository")
        }
        try self.init(image: name)
        if let repository = source["repository"]?.text {
            address = DockerHubAddress(
                provider: source["provider"]?.text, owner: source["owner"]?.text, repository: repository)
        }
        hasKey = Self.isThere(source["deploykey"])
        variables = Self.names(of: source["envvars"])
        autotests = source["autotests"]?.text.flatMap { $0.uppercased() == "OFF" ? nil : $0 }
        followsBaseImages = source["repo_links"]?.truth ?? false
        hasOwnNodes = source["build_in_farm"]?.truth == false
        channel = source["channel"]?.text.flatMap { $0.lowercased() == "stable" ? nil : $0 }
        rules = settings.map { setting in
            var rule = Rule(
                type: setting["source_type"]?.text ?? "Branch", name: setting["source_name"]?.text,
                tags: setting["tag"]?.text, context: setting["build_context"]?.text,
                autobuild: setting["autobuild"]?.truth ?? true, cache: !(setting["nocache"]?.truth ?? false))
            rule.take(dockerfile: setting["dockerfile"]?.text)
            return rule
        }
    }

    /// Reads the classic `/v2/repositories/<namespace>/<name>/autobuild/`.
    init(classic: DockerHubJSON) throws(InvalidText) {
        try self.init(image: Self.image(classic: classic))
        let provider = classic["provider"]?.text
        let told = ["source_url", "repo_web_url", "vcs_repo_name", "build_name"].compactMap { classic[$0]?.text }
        address =
            told.lazy.compactMap {
                DockerHubAddress(provider: provider, owner: nil, repository: $0)
            }.first
        hasKey = Self.isThere(classic["deploykey"]) || classic["source_url"]?.text?.contains("@") == true
        isMercurial = [classic["repo_type"], classic["vcs_type"]].contains { $0?.text?.lowercased() == "hg" }
        let isActive = classic["active"]?.truth ?? true
        rules = (classic["build_tags"]?.items ?? []).map { item in
            var rule = Rule(
                type: item["source_type"]?.text ?? "Branch", name: item["source_name"]?.text, tags: item["name"]?.text,
                autobuild: isActive)
            rule.take(location: item["dockerfile_location"]?.text)
            return rule
        }
    }

    private static func image(classic: DockerHubJSON) throws(InvalidText) -> String {
        for key in ["docker_url", "dockerhub_repo_name", "repo_name", "image"] {
            guard var name = classic[key]?.text else { continue }
            // As in `registry.hub.docker.com/u/acme/shop/`.
            if let path = name.wholeMatch(of: /(?:https?:\/\/)?[a-z.]*docker\.(?:com|io)\/(?:[ur]\/)?(.+?)\/?/) {
                name = String(path.1)
            }
            if name.contains("/") { return name }
        }
        guard let namespace = classic["namespace"]?.text ?? classic["user"]?.text, let name = classic["name"]?.text
        else {
            throw InvalidText(
                "an automated build with \"build_tags\" has neither \"docker_url\" nor \"namespace\" and \"name\", which name the repository"
            )
        }
        return "\(namespace)/\(name)"
    }

    private static func isThere(_ field: DockerHubJSON?) -> Bool {
        switch field {
        case .text?: field?.text != nil
        case .truth(let truth)?: truth
        case .list(let items)?: !items.isEmpty
        case nil, .null?: false
        case .number?, .object?: true
        }
    }

    private static func names(of variables: DockerHubJSON?) -> [String] {
        guard let items = variables?.items else { return variables?.keys ?? [] }
        return items.compactMap { item in
            // `NAME=value` in one text would show the value.
            (item["name"] ?? item["key"])?.text ?? item.text.map { String($0.prefix { $0 != "=" }) }
        }
    }
}

extension DockerHubSource.Rule {
    fileprivate mutating func take(dockerfile path: String?) {
        guard let path, path.contains(where: { $0 != "/" }) else { return }
        dockerfile = path
        guard path.hasSuffix("/") else { return }
        dockerfile = path + "Dockerfile"
        guesses.append("The Dockerfile was given as \(path), a folder; Dockerfile in it is taken.")
    }

    /// The classic location was the Dockerfile's folder, which is the context too.
    fileprivate mutating func take(location: String?) {
        guard let location, location.contains(where: { $0 != "/" }) else { return }
        let path = location.trimmingPrefix { $0 == "/" }
        guard !path.hasSuffix("/") else {
            dockerfile = path + "Dockerfile"
            return
        }
        if path.split(separator: "/").last?.lowercased().contains("dockerfile") == true {
            dockerfile = String(path)
        } else {
            dockerfile = path + "/Dockerfile"
            guesses.append("The Dockerfile's location was \(location); it is taken for a folder.")
        }
    }
}
