import CGit2
import Foundation
import Model

/// What a commit says of itself.
package struct CommitInfo: Sendable, Equatable {
    package let id: CommitID
    package let message: String
    /// The author's name.
    package let author: String
    /// When it was committed.
    package let date: Date

    package init(id: CommitID, message: String, author: String, date: Date) {
        self.id = id
        self.message = message
        self.author = author
        self.date = date
    }
}

extension CommitInfo {
    /// - Throws: `GitFault` where the repository does not hold the commit.
    init(_ id: CommitID, in repository: OpaquePointer) throws {
        var oid = try git_oid(id)
        let commit = try GitHandle("read commit \(id)", free: git_commit_free) {
            git_commit_lookup(&$0, repository, &oid)
        }
        self.init(
            id: id,
            message: git_commit_message(commit.pointer).map { String(decodingCString: $0) } ?? "",
            author: git_commit_author(commit.pointer)?.pointee.name.map { String(decodingCString: $0) } ?? "",
            date: Date(timeIntervalSince1970: Double(git_commit_time(commit.pointer))))
    }
}
