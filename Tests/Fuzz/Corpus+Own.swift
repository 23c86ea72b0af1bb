/// Written by hand: enough of each sender's shape to be read, and no more.
extension Corpus {
    private static let commit = "c0ffee254729296a45a3885639ac7e10f9d54979"
    private static let before = "6113728f27ae82c7b1a177c8d03f9e96e0adf246"
    private static let shop = #""clone_url":"https://git.example.com/acme/shop.git","default_branch":"main""#

    static let own: [String: [String]] = [
        "github": [
            """
            {"ref":"refs/heads/main","before":"\(before)","after":"\(commit)","deleted":false,"head_commit":{"id":"\(commit)",
            "message":"Say it","author":{"name":"Ada"}},"repository":{\(shop)}}
            """,
            """
            {"ref":"refs/tags/v1","before":"0","after":"\(before)","head_commit":{"id":"\(commit)"},"repository":{}}
            """,
        ],
        "gitea": [
            """
            {"secret":"\(Secrets.shared[0])","ref":"refs/heads/main","before":"\(before)","after":"\(commit)",
            "commits":[{"id":"\(commit)","message":"Say it"}],"repository":{\(shop)}}
            """
        ],
        "forgejo": [
            """
            {"ref":"refs/tags/v1","after":"\(commit)","head_commit":{"id":"\(commit)"},"repository":{\(shop)}}
            """
        ],
        "gogs": [#"{"ref":"refs/heads/main","after":"\#(commit)","commits":null,"repository":{\#(shop)}}"#],
        "gitlab": [
            """
            {"object_kind":"push","event_name":"push","ref":"refs/heads/main","before":"\(before)","after":"\(commit)",
            "checkout_sha":"\(commit)","commits":[{"id":"\(commit)","message":"m"}],
            "project":{"git_http_url":"https://git.example.com/acme/shop.git","default_branch":"main"}}
            """
        ],
        "bitbucket-cloud": [
            """
            {"push":{"changes":[{"new":{"type":"branch","name":"main","target":{"hash":"\(commit)","message":"m",
            "author":{"raw":"Ada <a@example.com>"}}},"old":null},{"new":{"type":"tag","name":"v1","target":{"hash":"\(before)"}}}]},
            "repository":{"full_name":"acme/cloud"}}
            """
        ],
        "bitbucket-server": [
            """
            {"changes":[{"ref":{"id":"refs/heads/main","type":"BRANCH"},"refId":"refs/heads/main","fromHash":"\(before)",
            "toHash":"\(commit)","type":"UPDATE"}],"toCommit":{"id":"\(commit)","message":"m"},"repository":{"slug":"shop",
            "links":{"clone":[{"href":"https://git.example.com/acme/shop.git"}]}}}
            """
        ],
        "azure-devops": [
            """
            {"id":"03c1","eventType":"git.push","resource":{"commits":[{"commitId":"\(commit)","comment":"m"}],
            "refUpdates":[{"name":"refs/heads/main","oldObjectId":"\(before)","newObjectId":"\(commit)"}],
            "repository":{"remoteUrl":"https://git.example.com/acme/shop","defaultBranch":"refs/heads/main"}}}
            """
        ],
        "codecommit": [
            """
            {"Records":[{"codecommit":{"references":[{"commit":"\(commit)","ref":"refs/heads/main"},
            {"commit":"\(before)","ref":"refs/tags/v1"}]},"eventSourceARN":"arn:aws:codecommit:eu-west-1:123456789012:shop"}]}
            """,
            """
            {"detail-type":"CodeCommit Repository State Change",
            "resources":["arn:aws:codecommit:eu-west-1:123456789012:shop"],"detail":{"event":"referenceUpdated",
            "referenceFullName":"refs/heads/main","commitId":"\(commit)","oldCommitId":"\(before)"}}
            """,
        ],
    ]

    static let triggerBodies = [
        "", #"{"build": true}"#, #"{"docker_tag": "latest"}"#, #"{"source_type": "Branch", "source_name": "main"}"#,
        #"{"branch": "main", "commit": "\#(commit)", "force": true, "build_args": {"CHANNEL": "b"}}"#, "build=true",
        #"{"commit": "\#(commit)", "build_args": {"CHANNEL": "stable"}}"#, "source_type=Tag&source_name=v1",
        "branch=main&build_args[CHANNEL]=x", #"{"tag": "v1", "force": true}"#,
    ]
}
