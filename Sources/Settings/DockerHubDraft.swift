import Model

/// A `slipway.yaml` that does what Docker Hub's automated builds did, and says what it can't decide.
package struct DockerHubDraft: Sendable {
    package let yaml: String
    package let repositories: [RepositoryName]
    /// Rules that are in force; those that can't be read are comments.
    package let rules: Int
    /// How many comments begin with `DECIDE:`.
    package let decisions: Int
    /// Variables that the service's environment needs.
    package let variables: [String]

    /// - Parameter isWhole: whether the sources are all that Docker Hub had to tell.
    init(_ sources: [DockerHubSource], isWhole: Bool) {
        var writer = DockerHubWriter()
        for source in sources { writer.add(source) }
        let head = writer.head(sources, isWhole: isWhole)
        yaml = (head.lines + writer.page.lines).map { "\($0)\n" }.joined()
        repositories = sources.map(\.repository)
        rules = writer.rules
        decisions = head.decisions + writer.page.decisions
        variables = writer.variables.map(\.name)
    }
}
