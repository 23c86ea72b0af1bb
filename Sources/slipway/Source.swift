import Checkout
import Intake
import Platform
import Settings

/// What the service asks of the Git sources beside their commits.
enum Source {
    static func defaultBranch(_ repository: Repository) async throws -> String {
        guard let branch = try await ask(repository, within: 10).defaultBranch else {
            throw ClientError("the source tells no default branch")
        }
        return branch
    }

    /// What the poll compares.
    static func listing(_ repository: Repository) async throws -> PollListing {
        do {
            let remote = try await ask(repository, within: 60)
            return PollListing(defaultBranch: remote.defaultBranch, refs: remote.refs)
        } catch let error as CheckoutError where error.isTooManyRequests {
            throw HostBusy("\(error)")
        }
    }

    private static func ask(_ repository: Repository, within seconds: Int) async throws -> RemoteRefs {
        let remote = try await withDeadline(.seconds(seconds)) {
            try await listRemote(source: repository.source, credentials: repository.credentials)
        }
        guard let remote else { throw ClientError("\(repository.source) gave no answer in \(seconds) s") }
        return remote
    }
}
