import Foundation
import Model
import Platform

/// What a source has, as `git ls-remote` tells it.
package struct RemoteRefs: Sendable, Equatable {
    /// The name of the branch that HEAD names; nil where the source is empty or names none.
    package let defaultBranch: String?
    /// Tags are peeled to their commits.
    package let refs: [RefName: CommitID]

    package init(defaultBranch: String?, refs: [RefName: CommitID]) {
        self.defaultBranch = defaultBranch
        self.refs = refs
    }
}

/// Asks a source what it has, without a mirror.
///
/// - Parameter silence: how long the source may say nothing.
/// - Throws: `CheckoutError`; `CancellationError` when the task is cancelled, in the middle of a call too.
package func listRemote(
    source: GitSource, credentials: GitCredentials?, silence: Duration = Mirrors.silence
) async throws -> RemoteRefs {
    try await RemoteLister().list(source, credentials, silence)
}

private actor RemoteLister {
    private nonisolated let executor = QueueExecutor(label: "slipway.ls-remote")
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    func list(_ source: GitSource, _ credentials: GitCredentials?, _ silence: Duration) async throws -> RemoteRefs {
        GitLibrary.start()
        do {
            return try await NetworkCall.run(silence: silence) { call in
                let session = try openSession(source, credentials, into: nil, call)
                var refs: [RefName: CommitID] = [:]
                for head in try session.heads() {
                    // Refs that are neither branches nor tags (pull requests, notes) are not built.
                    guard let ref = try? RefName(head.name) else { continue }
                    refs[ref] = try CommitID(head.peeled ?? head.id)
                }
                return RemoteRefs(defaultBranch: try session.defaultBranch(), refs: refs)
            }
        } catch let fault as GitFault {
            throw CheckoutError.unreachable(source, fault.message)
        } catch let silent as NetworkCall.Silent {
            throw CheckoutError.silent(source, seconds: silent.seconds)
        }
    }
}
