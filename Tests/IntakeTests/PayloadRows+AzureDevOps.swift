private func row(_ file: String, _ branch: String) -> PayloadRow {
    PayloadRow(
        file: "azure-devops/\(file).json", headers: ["Content-Type": "application/json"], host: "azure-devops",
        address: "https://dev.azure.com/fabrikam-fiber-inc/DefaultCollection/_git/Fabrikam-Fiber-Git",
        pushes: ["refs/heads/\(branch) 33b55f7cb7e7e245323987634f960cf4a6e6bc74"])
}

let azureDevOpsRows: [PayloadRow] = [row("git_push-1", "master"), row("git_push-2", "main")]
