private func row(
    _ file: String, _ event: String, _ address: String, pushes: [String] = [], reasons: [String] = []
) -> PayloadRow {
    PayloadRow(
        file: "gitlab/\(file)",
        headers: [
            "User-Agent": "GitLab/17.4.0", "Content-Type": "application/json", "X-Gitlab-Event": event,
            "X-Gitlab-Event-UUID": "13792a34-cac6-4fda-95a8-c58e00a3954e", "X-Gitlab-Token": "secret",
            "Idempotency-Key": "f5e5f430-f57b-4e6e-9fac-d9128cd7232f", "X-Gitlab-Instance": "https://gitlab.com",
        ],
        host: "gitlab", address: address, pushes: pushes, reasons: reasons)
}

private let helloWorld = "https://gitlab.com/gitlab-org/hello-world.git"

let gitLabRows: [PayloadRow] = [
    row("push-1.json", "Push Hook", helloWorld, pushes: ["refs/heads/master 2adc9465c4edfc33834e173fe89436a7cb899a1d"]),
    row("push-2.json", "Push Hook", helloWorld, pushes: ["refs/heads/master 78a76ee6b4992a6baf64c59fc4c44c7323d60438"]),
    row(
        "push-3.json", "Push Hook", "git@gitlab.com:group1/group2/group3/grp2repo.git",
        pushes: ["refs/heads/master 2adc9465c4edfc33834e173fe89436a7cb899a1d"]),
    row(
        "push-4.json", "Push Hook", "http://example.com/mike/diaspora.git",
        pushes: ["refs/heads/master da1560886d4f094c3e6c9ef40349f7d38b5d27d7"]),
    row(
        "push-branch-create-1.json", "Push Hook", helloWorld,
        pushes: ["refs/heads/feature c4c79227ed610f1151f05bbc5be33b4f340d39c8"]),
    row("push-branch-delete-1.json", "Push Hook", helloWorld, reasons: ["branch \"feature\" was deleted"]),
    row(
        "tag_push-1.json", "Tag Push Hook", helloWorld,
        pushes: ["refs/tags/v1.0.0 2adc9465c4edfc33834e173fe89436a7cb899a1d"]),
    row(
        "tag_push-2.json", "Tag Push Hook", "ssh://git@example.com/jsmith/example.git",
        pushes: ["refs/tags/v1.0.0 82b3d5ae55f7080f1e6022629cdb57bfae7cccc7"]),
    // annotated: after is the tag object
    row(
        "tag_push-3.json", "Tag Push Hook", "http://10.40.8.5:3200/test/woodpecker.git",
        pushes: ["refs/tags/v22 16862e368d8ab812e48833b741dad720d6e2cb7f"]),
    row("tag_push-delete-1.json", "Tag Push Hook", helloWorld, reasons: ["tag \"v1.0.0\" was deleted"]),
    // a whole GitLab's
    row(
        "system-push-1.json", "System Hook", "git@example.com:mike/diaspora.git",
        pushes: ["refs/heads/master da1560886d4f094c3e6c9ef40349f7d38b5d27d7"]),
    row(
        "system-repository_update-1.json", "System Hook", "http://example.com/jsmith/example.git",
        reasons: ["the push events tell of the same"]),
]
