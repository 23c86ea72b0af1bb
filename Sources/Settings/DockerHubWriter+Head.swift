import Model

/// What stands before the repositories.
extension DockerHubWriter {
    /// - Parameter isWhole: whether the sources are all that Docker Hub had to tell.
    mutating func head(_ sources: [DockerHubSource], isWhole: Bool) -> DockerHubPage {
        let registries = self.registries(sources)
        var head = DockerHubPage()
        head.comment(
            "Settings of Slipway, made from Docker Hub's automated builds. Comments that begin with DECIDE ask for an "
                + "answer; deploy/slipway.yaml explains every key. `slipway check` names what is missing, and "
                + "`slipway rules REPO --tag T` says what the rules make of a name.")
        head.add("#")
        head.comment("These variables must be in the service's environment:")
        for (name, what) in variables { head.comment("- \(name): \(what)") }
        head.add("#")
        head.comment(
            "Each source needs a webhook at its Git host for pushes, as JSON, to <url>/webhooks/<namespace>/<name>, with "
                + "its secret (as from `openssl rand -hex 32`).")
        head.add("")
        if !isWhole {
            head.decide("Docker Hub's list goes on (\"next\"): save its other pages and give all of them at once.")
            head.add("")
        }
        head.decide(
            "How Git hosts and trigger scripts reach the service: it listens on 127.0.0.1:8080, for a proxy on this "
                + "machine that speaks HTTPS.")
        head.add("# url: https://builds.example.com")
        head.add("")
        head.append(registries)
        head.add("")
        head.add("repositories:")
        return head
    }

    /// Each registry that is pushed to wants a login.
    private mutating func registries(_ sources: [DockerHubSource]) -> DockerHubPage {
        var page = DockerHubPage()
        page.add("registries:")
        var seen: Set<String> = []
        for source in sources where seen.insert(source.image.registry).inserted {
            let host = source.image.registry
            let isDockerHub = host == ImageName.dockerHub
            let variable = isDockerHub ? "DOCKER_HUB_TOKEN" : "\(Self.variable(host))_TOKEN"
            let user = isDockerHub ? source.repository.namespace : "robot"
            let images = sources.filter { $0.image.registry == host }.map(\.image.path)
            page.decide(
                "Whose access token pushes \(images.joined(separator: ", ")) to \(host). An organisation can't log in: "
                    + "write the name of one of its users.", 2)
            page.add("\(DockerHubYAML.scalar(host)):", 2)
            page.add("username: \(DockerHubYAML.scalar(user))", 4)
            page.add("password: {env: \(variable)}", 4)
            variables.insert((variable, "an access token of \(host) that may read and write"), at: seen.count - 1)
        }
        return page
    }
}
