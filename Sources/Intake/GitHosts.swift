/// The Git hosts whose webhooks are read, in the order in which a request is compared with them.
enum GitHosts {
    static let all = all(askingAmazon: AmazonWeb.get)

    /// Forgejo and Gitea send the headers of Gogs and GitHub too, and Gogs those of GitHub; Azure DevOps sends none.
    ///
    /// - Parameter fetch: asks Amazon for certificates and confirmations.
    static func all(askingAmazon fetch: @escaping AmazonSNS.Fetch) -> [any GitHost] {
        [
            Forgejo(),
            Gitea(),
            Gogs(),
            GitHub(),
            GitLab(),
            BitbucketCloud(),
            BitbucketServer(),
            CodeCommit(fetch: fetch),
            AzureDevOps(),
        ]
    }
}
