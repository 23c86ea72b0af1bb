import Foundation

/// A registries.conf (containers-registries.conf(5)) for one build: the operator's, with what Slipway's settings add.
///
/// Buildah's own switch, `--tls-verify=false`, would hold for every registry of the build.
struct RegistriesConfiguration {
    let text: String

    init(_ environment: BuilderEnvironment, insecure: Set<String>) {
        self.init(
            operators: environment.firstFile([
                environment["CONTAINERS_REGISTRIES_CONF"],
                (environment["XDG_CONFIG_HOME"] ?? environment["HOME"].map { $0 + "/.config" })
                    .map { $0 + "/containers/registries.conf" },
                "/etc/containers/registries.conf",
            ]) ?? "", insecure: insecure)
    }

    init(operators: String, insecure: Set<String>) {
        // The old form can't be mixed with the one that is added here.
        let base = operators.contains("[registries.") ? "" : operators
        let lines = base.split(separator: "\n").map { $0.drop(while: \.isWhitespace) }.filter { !$0.hasPrefix("#") }
        // Dockerfiles mean Docker Hub by `FROM alpine`. Keys stand before the first table in TOML.
        var text = ""
        if !lines.contains(where: { $0.hasPrefix("unqualified-search-registries") }) {
            text += "unqualified-search-registries = [\"docker.io\"]\n"
        }
        if !lines.contains(where: { $0.hasPrefix("short-name-mode") }) { text += "short-name-mode = \"permissive\"\n" }
        text += base
        for host in insecure.sorted() where !lines.contains(where: { $0.contains("\"\(host)\"") }) {
            text += "\n[[registry]]\nlocation = \"\(host)\"\ninsecure = true\n"
        }
        self.text = text
    }
}
