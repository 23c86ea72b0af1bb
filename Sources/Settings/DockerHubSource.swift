import Model

/// One repository's automated builds, as Docker Hub kept them.
struct DockerHubSource {
    struct Rule {
        /// As written: `Branch` or `Tag`.
        var type: String
        /// As written: a name, or an expression between slashes; nil where none is said.
        var name: String?
        /// As written: templates with commas between; nil where none is said.
        var tags: String?
        /// Relative to the context; nil is `Dockerfile`.
        var dockerfile: String?
        /// Nil is the Dockerfile's folder.
        var context: String?
        var autobuild = true
        var cache = true
        /// What had to be guessed, as sentences.
        var guesses: [String] = []
    }

    let image: ImageName
    let repository: RepositoryName
    /// Nil where it can't be told.
    var address: DockerHubAddress?
    /// Whether Docker Hub cloned with a key.
    var hasKey = false
    var isMercurial = false
    /// The names of the build's environment variables; their values are never kept.
    var variables: [String] = []
    /// Nil is off.
    var autotests: String?
    /// "Enable for base image".
    var followsBaseImages = false
    /// Whether its own nodes built it.
    var hasOwnNodes = false
    /// `Edge`; nil is `Stable`.
    var channel: String?
    var rules: [Rule] = []

    /// - Throws: `InvalidText` where the image can't be one, since all else hangs on it.
    init(image text: String) throws(InvalidText) {
        image = try ImageName(text)
        var parts = image.path.split(separator: "/").suffix(2).map(String.init)
        // A registry other than Docker Hub may have names without a namespace.
        if parts.count == 1 { parts.insert(image.registry.replacing(":", with: "-"), at: 0) }
        repository = try RepositoryName(parts.joined(separator: "/"))
    }
}

/// A repository at a Git host, of which each way to clone it can be told.
struct DockerHubAddress: Equatable {
    let host: String
    /// Without `.git`.
    let path: String

    var https: String { "https://\(host)/\(path).git" }
    var ssh: String { "git@\(host):\(path).git" }

    private static let hosts = ["github": "github.com", "bitbucket": "bitbucket.org", "gitlab": "gitlab.com"]

    /// - Parameters:
    ///   - provider: `Github` or `Bitbucket`, in any case.
    ///   - repository: its name, `owner/name`, or an address.
    init?(provider: String?, owner: String?, repository: String) {
        if repository.contains("://") || repository.contains("@") {
            self.init(address: repository)
        } else if let provider, let host = Self.hosts[provider.lowercased()] {
            let hasOwner = repository.split(separator: "/").count > 1
            self.init(host: host, path: hasOwner ? repository : "\(owner ?? "")/\(repository)")
        } else {
            return nil
        }
    }

    /// Reads `https://host/path`, `git://host/path`, `ssh://user@host/path` and `user@host:path`; a user or password in
    /// it is left out.
    init?(address: String) {
        guard
            let match = address.wholeMatch(
                of: /(?:[A-Za-z+]+:\/\/(?:[^@\/]*@)?|[^@\/:]+@)([A-Za-z0-9.\-]+(?::[0-9]+)?)[\/:]([^?#]+)(?:[?#].*)?/)
        else { return nil }
        self.init(host: match.1.lowercased(), path: String(match.2))
    }

    private init?(host: String, path: String) {
        var parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        while parts.first == "" { parts.removeFirst() }
        while parts.last == "" { parts.removeLast() }
        if let last = parts.last, last.hasSuffix(".git") { parts[parts.count - 1] = String(last.dropLast(4)) }
        // What a Git host's names are made of; anything else is a mistake that would be cloned from.
        guard parts.count > 1,
            parts.allSatisfy({ $0.wholeMatch(of: /[A-Za-z0-9._~\-]+/) != nil && $0 != "." && $0 != ".." })
        else { return nil }
        self.host = host
        self.path = parts.joined(separator: "/")
    }
}
