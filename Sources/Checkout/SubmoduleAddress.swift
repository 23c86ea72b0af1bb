import Model

/// Where a submodule comes from, after what may be asked of it.
struct SubmoduleAddress: Sendable, Equatable {
    let source: GitSource

    /// Resolves an address that begins with `./` or `../` against the repository's, as git-submodule(1) does.
    ///
    /// - Throws: `CheckoutError.badSubmodule` for an address that can't be cloned from, and for a path of this machine
    ///   where the repository itself is not one: a stranger's `.gitmodules` must not read local files.
    init(_ module: GitModules.Module, of parent: GitSource) throws {
        func bad(_ why: String) -> CheckoutError {
            .badSubmodule("submodule \"\(module.path)\" can't be fetched: \(why)")
        }
        let text: String
        if module.url.hasPrefix("./") || module.url.hasPrefix("../") || module.url == ".." || module.url == "." {
            guard let resolved = Self.resolve(module.url, against: parent) else {
                throw bad("its address \"\(module.url.excerpt())\" climbs above that of \(parent)")
            }
            text = resolved
        } else {
            // A user's name without a password says nothing that is needed.
            text = module.url.replacing(/^(https|http|git):\/\/[^\/@:]*@/) { "\($0.1)://" }
        }
        do {
            source = try GitSource(text)
        } catch {
            throw bad(error.description)
        }
        if source.transport == .path && parent.transport != .path {
            throw bad(
                "its address is a path on the machine that builds, which only a repository at such a path may name")
        }
    }

    /// The repository's credentials, where the submodule is at the same host and they can't be read on the way.
    func credentials(_ credentials: GitCredentials?, of parent: GitSource) -> GitCredentials? {
        switch credentials {
        case .login where source.transport == parent.transport && HostAddress(source) == HostAddress(parent):
            credentials
        // A key is never sent; what it opens is the host's affair, and known_hosts goes with it.
        case .ssh where source.transport == .ssh && HostAddress(source).host == HostAddress(parent).host: credentials
        default: nil
        }
    }

    private static func resolve(_ relative: String, against parent: GitSource) -> String? {
        var base = parent.text
        while base.hasSuffix("/") { base.removeLast() }
        // What must stay: the scheme and host, or the machine.
        let root: String.Index
        if let match = base.prefixMatch(of: /[a-z]+:\/\/[^\/]*/) {
            root = match.range.upperBound
        } else if parent.transport == .ssh, let colon = base.lastIndex(of: ":") {
            root = base.index(after: colon)
        } else {
            root = base.startIndex
        }
        let head = String(base[..<root])
        let isShort = head.hasSuffix(":")
        var parts = base[root...].split(separator: "/").map(String.init)
        for part in relative.split(separator: "/") {
            switch part {
            case ".": continue
            case "..":
                guard parts.popLast() != nil else { return nil }
            default: parts.append(String(part))
            }
        }
        guard !parts.isEmpty else { return nil }
        return head + (isShort ? (base[root...].hasPrefix("/") ? "/" : "") : "/") + parts.joined(separator: "/")
    }
}
