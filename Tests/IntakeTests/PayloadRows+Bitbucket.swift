private func cloud(
    _ file: String, _ address: String, _ pushes: [String] = [], _ reasons: [String] = []
) -> PayloadRow {
    PayloadRow(
        file: "bitbucket-cloud/\(file).json",
        headers: ["X-Event-Key": "repo:push", "X-Hook-UUID": "f1", "User-Agent": "Bitbucket-Webhooks/2.0"],
        host: "bitbucket-cloud", address: address, pushes: pushes, reasons: reasons)
}

let bitbucketCloudRows: [PayloadRow] = [
    cloud(
        "repo_push-1", "git@bitbucket.org:brydzewski/foo.git",
        ["refs/heads/master 141977fedf5cf35aa290ac87d4b5177ac4cd9de1"]),
    // Its page is of another name than the repository; authors have no text.
    cloud(
        "repo_push-2", "https://bitbucket.org/team_name/repo_name.git",
        ["refs/heads/name-of-branch 709d658dc5b6d6afcd46049c2f332ee3f515a67d"]),
    // forced and truncated
    cloud(
        "repo_push-3", "https://bitbucket.org/amuniz/test-repos.git",
        ["refs/heads/feature/issue-819 5ecffa3874e96920f24a2b3c0d0038e47d5cd1a4"]),
    cloud(
        "repo_push-branch-create-1", "https://bitbucket.org/brydzewski/foo.git",
        ["refs/heads/develop 141977fedf5cf35aa290ac87d4b5177ac4cd9de1"]),
    cloud(
        "repo_push-branch-delete-1", "https://bitbucket.org/brydzewski/foo.git", [], ["branch \"develop\" was deleted"]),
    cloud("repo_push-empty-1", "https://bitbucket.org/cloudbeers/temp.git", [], ["changed no branch"]),
    cloud(
        "repo_push-multi-1", "ssh://git@bitbucket.org/cloudbeers/temp.git",
        [
            "refs/heads/main 325d37697849f4b1fe42cb19c20134af08e03a82",
            "refs/heads/manchu e22fcb49645b4586a845938afac5eb3ac1950586",
            "refs/tags/v0.1 1986c228494671574242f99b62d1a00a4bfb69a5",
        ]),
    cloud(
        "repo_push-tag-1", "https://bitbucket.org/brydzewski/foo.git",
        ["refs/tags/feature/x 141977fedf5cf35aa290ac87d4b5177ac4cd9de1"]),
    cloud("repo_push-tag-delete-1", "https://bitbucket.org/amuniz/test-repos.git", [], ["tag \"test\" was deleted"]),
    cloud(
        "signed-1", "https://bitbucket.org/nfalco79/test-repos.git",
        ["refs/heads/feature/webhook d7f300a32270053bdfd97a6d64113f58202c33e7"]),
]

private func server(
    _ file: String, event: String = "repo:refs_changed", _ address: String?, _ pushes: [String] = [],
    _ reasons: [String] = []
) -> PayloadRow {
    PayloadRow(
        file: "bitbucket-server/\(file).json", headers: ["X-Event-Key": event, "X-Request-Id": "f1"],
        host: "bitbucket-server", address: address, pushes: pushes, reasons: reasons)
}

let bitbucketServerRows: [PayloadRow] = [
    server("diagnostics_ping-1", event: "diagnostics:ping", nil, [], ["ping"]),
    server(
        "mirror_repo_synchronized-1", event: "mirror:repo_synchronized",
        "http://localhost:7990/scm/amuniz/test-repos.git", ["refs/heads/main 9fdd7b96d3f5c276d0b9e0bf38c879eb112d889a"]),
    server(
        "mirror_repo_synchronized-2", event: "mirror:repo_synchronized",
        "ssh://git@localhost:7999/amuniz/test-repos.git", [], ["than Bitbucket tells of"]),
    // 5.x, without a word of where the repository is
    server("repo_refs_changed-1", nil, ["refs/heads/master 823b2230a56056231c9425d63758fa87078a66b4"]),
    server(
        "repo_refs_changed-2", "https://server.bitbucket.local/scm/~gopher/webhook-test.git", [],
        ["branch \"feature/wip\" was deleted"]),
    server(
        "repo_refs_changed-3", "ssh://git@bitbucketserver:7999/myproject/test-repo.git",
        ["refs/heads/master 22671f0349857934857983457983475ec39f196b"]),
    // 8.x
    server(
        "repo_refs_changed-5", "https://bitbucket.example.com/scm/dev/deployment-automation.git",
        ["refs/heads/renovate-all 76797d54bca87db6d1e3e82ee40622c7908aa514"]),
    server(
        "repo_refs_changed-branch-create-1", nil, ["refs/heads/develop 208b0a5c05eddadad01f2aed8802fe0c3b3eaf5e"]),
    server("repo_refs_changed-branch-delete-1", nil, [], ["branch \"develop\" was deleted"]),
    server("repo_refs_changed-empty-1", "http://localhost:7990/scm/amuniz/test-repos.git", [], ["changed no branch"]),
    // Whether the hash is that of a tag object is not told.
    server("repo_refs_changed-tag-1", nil, ["refs/tags/v1.1.0 -"]),
    server("repo_refs_changed-tag-delete-1", nil, [], ["tag \"v1.1.0\" was deleted"]),
    server(
        "signed-1", "http://localhost:7990/bitbucket/scm/amuniz/test-repos.git", [],
        ["branch \"feature/BB-1\" was deleted"]),
]
