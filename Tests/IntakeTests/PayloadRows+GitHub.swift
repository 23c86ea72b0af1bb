private func row(
    _ file: String, _ event: String, _ address: String?, pushes: [String] = [], reasons: [String] = []
) -> PayloadRow {
    let isForm = file.hasSuffix(".form")
    return PayloadRow(
        file: "github/\(file)",
        headers: [
            "User-Agent": "GitHub-Hookshot/044aadd", "X-GitHub-Event": event,
            "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
            "Content-Type": isForm ? "application/x-www-form-urlencoded" : "application/json",
        ],
        host: "github", address: address, pushes: pushes, reasons: reasons)
}

private let helloWorld = "https://github.com/Codertocat/Hello-World.git"
private let drone = "https://github.com/bradrydzewski/drone-test-go.git"
private let argo = "https://github.com/jessesuen/test-repo.git"

let gitHubRows: [PayloadRow] = [
    // branches
    row("push-1.json", "push", helloWorld, pushes: ["refs/heads/master 199eddf46df50de8d02e99bf1c5fdb4101338224"]),
    row(
        "push-2.json", "push", "git@github.com:woodpecker-ci/woodpecker.git",
        pushes: ["refs/heads/main 366701fde727cb7a9e7f21eb88264f59f6f9b89c"]),
    row(
        "push-branch-create-1.json", "push", helloWorld,
        pushes: ["refs/heads/master 6113728f27ae82c7b1a177c8d03f9e96e0adf246"]),
    row(
        "push-branch-create-2.json", "push", "git://github.com/Codertocat/Hello-World.git",
        pushes: ["refs/heads/master 6113728f27ae82c7b1a177c8d03f9e96e0adf246"]),
    row("push-forced-1.json", "push", argo, pushes: ["refs/heads/master 63738bb582c8b540af7bcfc18f87c575c3ed66e0"]),
    row(
        "push-fork-1.json", "push", "https://github.com/hub4j-test-org/github-api.git",
        pushes: ["refs/heads/changes 1393706f1364742defbc28ba459082630ca979af"]),
    row(
        "push-no-username-1.json", "push", "https://github.com/jsmith/docker-test.git",
        pushes: ["refs/heads/master 118b07121695d9f2e40a5ff264fdcc2917680870"]),
    row("push-branch-delete-1.json", "push", drone, reasons: ["branch \"feature-branch\" was deleted"]),
    // forms, and one of 2013 as JSON
    row(
        "push-form-derived-1.form", "push", helloWorld,
        pushes: ["refs/heads/master 199eddf46df50de8d02e99bf1c5fdb4101338224"]),
    row(
        "push-form-recorded-1.form", "push", "https://github.com/onetom/rebol",
        pushes: ["refs/heads/master 4d9840f8e661e7067472e828ee6ad8dd3008b247"]),
    row(
        "push-form-recorded-1.payload.json", "push", "https://github.com/onetom/rebol",
        pushes: ["refs/heads/master 4d9840f8e661e7067472e828ee6ad8dd3008b247"]),
    // tags
    row("push-tag-1.json", "push", drone, pushes: ["refs/tags/v0.0.1 d2b75aa7797ec26b088fa2dd527e9d2c052fcedd"]),
    row(
        "push-tag-2.json", "push", "https://github.com/chmouel/scratchmyback.git",
        pushes: ["refs/tags/0.2 02740beb3614221ed2eabbebec5f9a013c51e587"]),
    row("push-tag-3.json", "push", argo, pushes: ["refs/tags/v1.0 63738bb582c8b540af7bcfc18f87c575c3ed66e0"]),
    row("push-tag-delete-1.json", "push", helloWorld, reasons: ["tag \"simple-tag\" was deleted"]),
    row("push-tag-delete-2.json", "push", helloWorld, reasons: ["tag \"simple-tag\" was deleted"]),
    // other events
    row("create-branch-1.json", "create", drone, reasons: ["the push event tells of it"]),
    row("create-tag-1.json", "create", drone, reasons: ["the push event tells of it"]),
    row("delete-branch-1.json", "delete", drone, reasons: ["was deleted"]),
    row("delete-tag-1.json", "delete", drone, reasons: ["was deleted"]),
    row("ping-1.json", "ping", "https://github.com/Octocoders/Hello-World.git", reasons: ["ping"]),
    row("ping-2.json", "ping", nil, reasons: ["ping"]),
    row("ping-signed-sha1-1.json", "ping", "git@github.com:lanwen/test.git", reasons: ["ping"]),
    row("ghcr-package-1.json", "package", nil, reasons: ["event \"package\" builds nothing"]),
    row(
        "registry_package-docker-1.json", "registry_package", "https://github.com/Codertocat/hello-world-npm.git",
        reasons: ["event \"registry_package\" builds nothing"]),
]
