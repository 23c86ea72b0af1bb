/// - Parameter names: whose headers come with it: the host's own, and those of the hosts that it took after.
private func row(
    _ file: String, _ names: [String], _ event: String, _ address: String, pushes: [String] = [], reasons: [String] = []
) -> PayloadRow {
    let isForm = file.hasSuffix(".form")
    var headers = ["Content-Type": isForm ? "application/x-www-form-urlencoded" : "application/json"]
    for name in names {
        headers["X-\(name)-Event"] = event
        headers["X-\(name)-Delivery"] = "f6266f16-1bf3-46a5-9ea4-602e06ead473"
        if names.count > 2 { headers["X-\(name)-Event-Type"] = event }
    }
    let host = names[0].lowercased()
    return PayloadRow(
        file: "\(host)/\(file)", headers: headers, host: host, address: address, pushes: pushes, reasons: reasons)
}

private let gitea = ["Gitea", "Gogs", "GitHub"]
private let forgejo = ["Forgejo", "Gitea", "Gogs", "GitHub"]
private let gogs = ["Gogs", "GitHub"]

private let tryGitea = "http://try.gitea.io/gogits/hello-world.git"
private let tryGogs = "http://try.gogs.io/gogits/hello-world.git"

let giteaRows: [PayloadRow] = [
    row("push-1.json", gitea, "push", tryGitea, pushes: ["refs/heads/master 4522cbcefc20728a5b72b3a86af35e608622c514"]),
    row(
        "push-form-derived-1.form", gitea, "push", tryGitea,
        pushes: ["refs/heads/master 4522cbcefc20728a5b72b3a86af35e608622c514"]),
    row(
        "push-2.json", gitea, "push", "http://localhost:3000/example/example.git",
        pushes: ["refs/heads/master 67b56589a45103f891bdee7c0546e5d40bc02001"]),
    row(
        "push-branch-create-1.json", gitea, "push", "https://codeberg.org/meisam/woodpecktester.git",
        pushes: ["refs/heads/fdsafdsa 28c3613ae62640216bea5e7dc71aa65356e4298b"]),
    row(
        "push-multi-1.json", gitea, "push", "ssh://git@127.0.0.1:2200/Test-CI/multi-line-secrets.git",
        pushes: ["refs/heads/main 29be01c073851cf0db0c6a466e396b725a670453"]),
    row(
        "create-1.json", gitea, "create", "git@localhost:example/example.git", reasons: ["the push event tells of it"]),
    row("create-branch-1.json", gitea, "create", tryGitea, reasons: ["the push event tells of it"]),
    row(
        "create-tag-1.json", gitea, "create", "http://gitea.golang.org/gordon/hello-world.git",
        reasons: ["the push event tells of it"]),
    row("delete-1.json", gitea, "delete", "http://localhost:3000/example/example.git", reasons: ["was deleted"]),
    row("delete-tag-1.json", gitea, "delete", tryGitea, reasons: ["was deleted"]),
]

let forgejoRows: [PayloadRow] = [
    row(
        "push-1.json", forgejo, "push", "git@forgejo.golang.org:gordon/hello-world.git",
        pushes: ["refs/heads/main ef98532add3b2feb7a137426bba1248724367df5"]),
    row(
        "push-branch-create-1.json", forgejo, "push", "git@codeberg.org:meisam/woodpecktester.git",
        pushes: ["refs/heads/fdsafdsa 28c3613ae62640216bea5e7dc71aa65356e4298b"]),
    row(
        "create-tag-1.json", forgejo, "create", "http://forgejo.golang.org/gordon/hello-world.git",
        reasons: ["the push event tells of it"]),
]

let gogsRows: [PayloadRow] = [
    row("push-1.json", gogs, "push", tryGogs, pushes: ["refs/heads/master 4522cbcefc20728a5b72b3a86af35e608622c514"]),
    row(
        "push-2.json", gogs, "push", "ssh://unknwon@localhost:2222/unknwon/webhooks.git",
        pushes: ["refs/heads/develop bffeb74224043ba2feb48d137756c8a9331c449a"]),
    row("create-branch-1.json", gogs, "create", tryGogs, reasons: ["the push event tells of it"]),
    row("create-tag-1.json", gogs, "create", tryGogs, pushes: ["refs/tags/v1.0.0 -"]),
    row("delete-branch-1.json", gogs, "delete", tryGogs, reasons: ["was deleted"]),
    row("delete-tag-1.json", gogs, "delete", tryGogs, reasons: ["was deleted"]),
]
