import Model

/// What a rule's builds may take of what was built before: another build's image, or an engine's cache.
extension SettingsReader {
    static let reuseKeys = ["cache", "cache_from", "reuse", "max_age"]

    /// `cache`, `cache_from`, `reuse` and `max_age` of a rule.
    func setReuse(of rule: inout Rule, _ fields: Fields) {
        if let node = fields["cache"] { setCache(of: &rule, node) }
        if let node = fields["cache_from"] {
            rule.cacheFrom = cacheFrom(node)
            if !rule.cache, let position = fields.position(of: "cache_from") {
                report.error(position, "cache_from is for rules with a cache, and this one has cache: false")
            }
        }
        if let node = fields["reuse"], let reuse = truth(node, "reuse") { rule.reuse = reuse }
        if let node = fields["max_age"] {
            rule.maxAge = duration(node, "max_age", 3600...365 * 86400, examples: "12h, 7d or 30d")
            if !rule.reuse, let position = fields.position(of: "max_age") {
                report.warn(
                    position, "max_age has no effect where reuse is false: every push builds an image of its own")
            }
        }
    }

    private func setCache(of rule: inout Rule, _ node: Node) {
        if case .text("registry", _) = node.content {
            rule.registryCache = true
        } else if let cache = truth(node, "cache", words: "true, false or registry") {
            rule.cache = cache
        }
    }

    /// Images as they are written.
    private func cacheFrom(_ node: Node) -> [String] {
        let items = oneOrMore(node)
        if items.isEmpty { report.error(node.position, "cache_from has no image; leave it out where there is none") }
        return items.compactMap { item in
            guard let text = text(item, "an image of cache_from") else { return nil }
            guard let reference = value(text, at: item.position, ImageReference.self) else { return nil }
            guard reference.digest == nil else {
                report.error(
                    item.position,
                    "\"\(text.excerpt())\" can't be a cache: a digest never gets anything new; name a tag")
                return nil
            }
            return text
        }
    }
}
