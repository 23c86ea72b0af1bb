import Model

/// Writes the repositories one after the other.
struct DockerHubWriter {
    var page = DockerHubPage()
    var rules = 0
    var variables: [(name: String, what: String)] = []
    private var prefixes: Set<String> = []

    mutating func add(_ source: DockerHubSource) {
        let prefix = self.prefix(source.repository)
        page.add("")
        page.add("\(DockerHubYAML.scalar(source.repository.text)):", 2)
        add(address: source, prefix)
        if source.image.registry == ImageName.dockerHub {
            page.comment("To push elsewhere: another registry's host instead of docker.io, and its login above.", 4)
        }
        page.add("image: \(DockerHubYAML.scalar(source.image.text))", 4)
        let secret = "\(prefix)_WEBHOOK_SECRET"
        variables.append((secret, "what the Git host signs its webhooks for \(source.repository) with"))
        page.add("webhook_secret: {env: \(secret)}", 4)
        page.decide(
            "Do scripts trigger builds? They go on with only their host changed, at /u/\(source.repository)/trigger/<token>/ and "
                + "/api/build/v1/source/<any>/trigger/<token>/call/, with the line below, where "
                + "\(prefix)_TRIGGER is the token of their address; `slipway token` makes a new one.", 4)
        page.add("# trigger_tokens: [{env: \(prefix)_TRIGGER}]", 4)
        add(differences: source)
        add(rules: source.rules)
    }

    /// What begins the variables of a repository: `SHOP`, or `ACME_SHOP` where another shop came before.
    private mutating func prefix(_ repository: RepositoryName) -> String {
        let plain = Self.variable(repository.name)
        let full = Self.variable("\(repository.namespace)_\(repository.name)")
        var prefix = prefixes.contains(plain) ? full : plain
        var number = 2
        while prefixes.contains(prefix) {
            prefix = "\(full)_\(number)"
            number += 1
        }
        prefixes.insert(prefix)
        return prefix
    }

    /// A name as variables of the environment have it: upper-case letters, digits and `_`, no digit first.
    static func variable(_ text: String) -> String {
        let name = String(text.uppercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
        return name.first?.isNumber == true ? "_\(name)" : name
    }

    private mutating func add(address source: DockerHubSource, _ prefix: String) {
        if source.isMercurial {
            page.decide("The source was a Mercurial repository, which Slipway can't clone: move it to Git.", 4)
        }
        guard let address = source.address, !source.isMercurial else {
            page.decide("Where the source is was not in the file, or can't be an address.", 4)
            page.add("# source: https://git.example.com/\(source.repository).git", 4)
            return
        }
        page.add("source: \(DockerHubYAML.scalar(address.https))", 4)
        guard source.hasKey else { return }
        let file = "\(prefix.lowercased())_key"
        page.decide(
            "Docker Hub cloned with a deploy key, so the source is private, and that key can't be taken along. Make one "
                + "(ssh-keygen -t ed25519 -N '' -f \(file)), add \(file).pub to \(address.host) as a deploy key that may "
                + "only read, put the host's own key into /etc/ssh/ssh_known_hosts (ssh-keyscan \(address.host), compared "
                + "with what \(address.host) publishes), and write instead of the line above:", 4)
        page.add("# source: \(DockerHubYAML.scalar(address.ssh))", 4)
        page.add("# credentials: {ssh_key: {file: /etc/slipway/\(file)}}", 4)
    }

    /// What Docker Hub did besides building.
    private mutating func add(differences source: DockerHubSource) {
        if !source.variables.isEmpty {
            page.decide(
                "Docker Hub gave \(source.variables.map { $0.excerpt(60) }.joined(separator: ", ")) to hooks and tests, "
                    + "not to the Dockerfile; Slipway runs neither. What the Dockerfile needs as an ARG goes under a "
                    + "rule's build_args, which is no place for secrets.", 4)
        }
        if source.variables.contains("SSH_PRIVATE") {
            page.decide(
                "SSH_PRIVATE was the key for private submodules: a key under \"credentials\" that may read them too "
                    + "takes its place.", 4)
        }
        if let autotests = source.autotests {
            page.decide(
                "Autotests (\(autotests.excerpt(40))) ran `sut` of *.test.yml, for pull requests too, and a failed test "
                    + "was not pushed. Slipway runs no tests: let the Git host's CI or a stage of the Dockerfile do it.",
                4)
        }
        if source.followsBaseImages {
            page.decide(
                "Docker Hub built again when a base image changed (\"Enable for base image\"). Slipway doesn't look at "
                    + "base images: let cron call the trigger's address.", 4)
        }
        if source.hasOwnNodes { page.comment("Docker Hub built this on nodes of its owner; Slipway builds here.", 4) }
        if let channel = source.channel {
            page.comment(
                "Docker Hub built this with Docker's channel \(channel.excerpt(40)); here \"engine\" decides.", 4)
        }
    }
}
