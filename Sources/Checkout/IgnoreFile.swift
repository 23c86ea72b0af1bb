import Model

/// A `.dockerignore` as an engine reads it: what of the context the engine does not see.
struct IgnoreFile: Sendable {
    init(_ text: String, engine: BuilderKind) {}

    /// Whether an entry of the context is left out; what is below a directory that is left out is asked for by itself.
    ///
    /// - Parameter path: from the context's root, without a leading slash.
    func leavesOut(_ path: String) -> Bool { false }

    /// Whether something below a directory that is left out may be taken in all the same.
    func mayTakeIn(below directory: String) -> Bool { false }

    /// The files that the engine looks for, from the context's root and in this order; the first that is there counts.
    ///
    /// - Parameter dockerfile: from the context's root; nil where it lies outside of the context.
    static func names(dockerfile: String?, engine: BuilderKind) -> [String] { [".dockerignore"] }
}
