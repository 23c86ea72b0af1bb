import CGit2
import Model

/// What a source says that it has: a ref and the object that it names.
struct RemoteHead: Sendable {
    let name: String
    /// Of a tag object where it is an annotated tag.
    let id: String
    /// What an annotated tag leads to; nil for others.
    let peeled: String?
}

/// What to bring over from a source.
enum Want: Sendable, Equatable {
    case ref(RefName)
    case commit(CommitID)
    case allRefs
}

/// One conversation with a source, inside one `NetworkCall`.
protocol SourceSession {
    func heads() throws -> [RemoteHead]
    func defaultBranch() throws -> String?
    /// Brings over what the wanted objects need and the mirror lacks; sets no ref.
    ///
    /// - Returns: false where the source won't give a commit by its name alone.
    func download(_ want: Want) throws -> Bool
}

/// Opens the conversation that a source's transport asks for.
///
/// - Parameter mirror: where downloads go; nil where nothing but the heads is asked for.
func openSession(
    _ source: GitSource, _ credentials: GitCredentials?, into mirror: OpaquePointer?, _ call: NetworkCall
) throws -> any SourceSession {
    if let path = source.path { return try PathSession(source, path: path, into: mirror, call) }
    return try NetworkSession(source, credentials, into: mirror, call)
}
