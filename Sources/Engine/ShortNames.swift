import Foundation
import Model

/// What buildah and podman take for a name without a registry: containers-registries.conf(5), "SHORT-NAME ALIASING".
struct ShortNames: Sendable {
    /// By names without tag or digest.
    private(set) var aliases: [String: String] = [:]
    /// Whether names that have no alias are looked for elsewhere than on Docker Hub.
    private(set) var areSearchedElsewhere = false

    /// As the machine's files said when this was first asked.
    static let ofThisMachine = ShortNames(BuilderEnvironment(ProcessInfo.processInfo.environment))

    private init(_ environment: BuilderEnvironment) {
        let home = environment["HOME"] ?? "/root"
        let own = (environment["XDG_CONFIG_HOME"] ?? home + "/.config") + "/containers/"
        let system = "/etc/containers/"
        let added = [system, own].flatMap { folder in
            ((try? FileManager.default.contentsOfDirectory(atPath: folder + "registries.conf.d")) ?? [])
                .filter { $0.hasSuffix(".conf") }.sorted().map { "\(folder)registries.conf.d/\($0)" }
        }
        // Later ones win; the last is where podman writes down what its user chose.
        let main = [environment["CONTAINERS_REGISTRIES_CONF"], own + "registries.conf", system + "registries.conf"]
        let files = [main] + added.map { [$0] } + [[home + "/.cache/containers/short-name-aliases.conf"]]
        self.init(files.compactMap { environment.firstFile($0) })
    }

    /// - Parameter texts: of configuration files, the last of which wins.
    init(_ texts: [String]) {
        for text in texts {
            var table = ""
            for line in text.split(whereSeparator: \.isNewline).map({ $0.trimmingCharacters(in: .whitespaces) }) {
                if line.hasPrefix("[") { table = line }
                if let search = line.wholeMatch(of: /unqualified-search-registries\s*=\s*(.*)/) {
                    let registries = search.1.matches(of: /["']([^"']+)["']/).map(\.1)
                    areSearchedElsewhere = registries != [ImageName.dockerHub[...]]
                } else if table.hasPrefix("[aliases]"),
                    let alias = line.wholeMatch(of: /["']?([^"'=\s]+)["']?\s*=\s*["']([^"']*)["'].*/)
                {
                    aliases[String(alias.1)] = String(alias.2)
                }
            }
        }
    }

    /// The name with its registry, where an alias names another than Docker Hub; nil where none can be told.
    func resolve(_ name: String) -> String? {
        let parts = name.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2, parts[0].contains(where: { ".:".contains($0) }) || parts[0] == "localhost" { return name }
        let plain = name.prefix { $0 != ":" && $0 != "@" }
        if let alias = aliases[String(plain)] { return alias + name.dropFirst(plain.count) }
        return areSearchedElsewhere ? nil : name
    }
}
