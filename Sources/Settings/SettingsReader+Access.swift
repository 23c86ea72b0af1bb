import Model

/// `access` and `registries`.
extension SettingsReader {
    func access(_ node: Node) -> [AccessToken] {
        var names: Set<String> = []
        var tokens: Set<Secret> = []
        return (list(node, "access") ?? []).compactMap { item in
            guard let fields = Fields(item, "an access entry", keys: ["name", "token", "role", "repositories"], report)
            else { return nil }
            let name = fields.required("name", report).flatMap { text($0, "name") }
            if let name, let node = fields["name"], !names.insert(name).inserted {
                report.error(node.position, "another access entry is named \"\(name.excerpt())\" too")
            }
            let token = fields.required("token", report).flatMap { secret($0, "token") }
            if let token, let node = fields["token"] {
                if !tokens.insert(token).inserted {
                    report.error(node.position, "another access entry has this token too")
                }
                warnOfGuessable(token, "the token", at: node.position)
            }
            let role = fields.required("role", report).flatMap { choice($0, "role", AccessToken.Role.self) }
            let repositories = fields["repositories"].map(globs) ?? ["*"]
            guard let name, let token, let role else { return nil }
            return AccessToken(name: name, token: token, role: role, repositories: repositories)
        }
    }

    private func globs(_ node: Node) -> [String] {
        oneOrMore(node).compactMap { item in
            guard let glob = text(item, "a repository") else { return nil }
            guard glob == "*" || glob.wholeMatch(of: /[A-Za-z0-9._*\-]+\/[A-Za-z0-9._*\-]+/) != nil else {
                report.error(
                    item.position,
                    "\"\(glob.excerpt())\" names no repositories: <namespace>/<name> does, with * for any characters")
                return nil
            }
            return glob
        }
    }

    func registries(_ node: Node) -> [String: RegistrySettings] {
        guard case .mapping(let entries) = node.content else {
            report.error(node.position, "registries must be a mapping of hosts, not \(node.kind)")
            return [:]
        }
        var registries: [String: RegistrySettings] = [:]
        for entry in entries {
            let host = self.host(entry)
            if let host, registries[host] != nil {
                report.error(entry.position, "\"\(entry.key)\" is \(host), which is here already")
            }
            if let settings = registry(entry), let host { registries[host] = settings }
        }
        return registries
    }

    /// The host as image names have it; the other names of Docker Hub become `docker.io`.
    private func host(_ entry: Node.Entry) -> String? {
        let image = entry.key.contains("/") ? nil : try? ImageName("\(entry.key)/x")
        // Without a host in front, the key would be taken for a part of a name on Docker Hub.
        guard let image, ["x", "library/x"].contains(image.path) else {
            report.error(
                entry.position,
                "\"\(entry.key.excerpt())\" is not a registry's host: registry.example.com, localhost:5000 and docker.io are"
            )
            return nil
        }
        return image.registry
    }

    private func registry(_ entry: Node.Entry) -> RegistrySettings? {
        guard
            let fields = Fields(
                entry.value, "registry \"\(entry.key.excerpt())\"", keys: ["username", "password", "insecure"],
                at: entry.position, report)
        else { return nil }
        let insecure = fields["insecure"].flatMap { truth($0, "insecure") } ?? false
        return RegistrySettings(login: login(fields), insecure: insecure)
    }

    /// Both `username` and `password`, or neither.
    func login(_ fields: Fields) -> Login? {
        guard fields["username"] != nil || fields["password"] != nil else { return nil }
        let username = fields.required("username", of: "\(fields.what) with a password", report)
            .flatMap { text($0, "username") }
        let password = fields.required("password", of: "\(fields.what) with a username", report)
            .flatMap { secret($0, "password") }
        guard let username, let password else { return nil }
        return Login(username: username, password: password)
    }

    func warnOfGuessable(_ secret: Secret, _ name: String, at position: Position) {
        if secret.value.count < 16 {
            report.warn(position, "\(name) is shorter than 16 characters and may be guessed")
        }
    }
}
