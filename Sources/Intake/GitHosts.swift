/// The Git hosts whose webhooks are read, in the order in which a request is compared with them.
enum GitHosts {
    /// Forgejo and Gitea send the headers of Gogs and GitHub too, and Gogs those of GitHub; Azure DevOps sends none.
    static let all: [any GitHost] = [
        Forgejo(),
        Gitea(),
        Gogs(),
        GitHub(),
        GitLab(),
        BitbucketCloud(),
        BitbucketServer(),
        CodeCommit(),
        AzureDevOps(),
    ]
}
