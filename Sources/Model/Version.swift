/// The version that a Git tag's name ends with: `v1.4.2`, `release-2.0.0-rc.1`, `1.4`.
package struct Version: Sendable, Equatable {
    package let major: String
    package let minor: String?
    package let patch: String?
    /// `rc.1` of `1.4.2-rc.1`.
    package let prerelease: String?

    package var text: String {
        [major, minor, patch].compactMap(\.self).joined(separator: ".") + (prerelease.map { "-\($0)" } ?? "")
    }

    /// Nil where the name ends with no version. Build metadata (`+…`) is read over (semver.org, 10).
    package init?(tag: String) {
        guard
            let match = tag.firstMatch(
                of:
                    /(?:^|[^0-9A-Za-z.]|^v|[^0-9A-Za-z.]v)([0-9]+)(?:\.([0-9]+)(?:\.([0-9]+))?)?(?:-([0-9A-Za-z.\-]+))?(?:\+[0-9A-Za-z.\-]+)?$/
            )
        else { return nil }
        major = String(match.1)
        minor = match.2.map(String.init)
        patch = match.3.map(String.init)
        prerelease = match.4.map(String.init)
    }
}
