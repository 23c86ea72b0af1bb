/// The database could not do what it was asked; nothing of that call was kept, and the store can be used on.
package struct StoreError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Kind: Sendable, Equatable {
        /// No room on the disk, or the disk fails: what is asked later may succeed.
        case noRoom
        /// The server can't be reached, or was lost: what is asked later may succeed.
        case unreachable
        /// The server lets nobody in as the settings have it: what is asked later may succeed, once somebody corrected
        /// them or it.
        case refused
        /// Another connection held the database for longer than we wait.
        case busy
        /// Another transaction changed the same at the same time: it is done anew.
        case conflict
        /// The database was closed.
        case closed
        /// A row or the schema is not what this version of Slipway writes.
        case unreadable
        /// Anything else.
        case failed
    }

    package let kind: Kind
    /// SQLite's extended result code; 0 where Slipway itself found it, and of PostgreSQL, whose words have its code.
    package let code: Int
    /// The database's own words, or ours.
    package let message: String
    /// The function of the store.
    package let operation: String
    /// The statement, with places for its arguments but never the arguments.
    package let sql: String?
    /// Where the database is.
    package let database: String

    package init(
        _ kind: Kind, code: Int = 0, _ message: String, operation: String, sql: String? = nil, database: String
    ) {
        self.kind = kind
        self.code = code
        self.message = message
        self.operation = operation
        self.sql = sql
        self.database = database
    }

    package var description: String {
        let head = "the database \(database)"
        let number = code == 0 ? "" : " (\(code))"
        return switch kind {
        case .noRoom:
            "\(head) has no room: \"\(operation)\" met \"\(message)\"\(number); free space on its disk, or see to the disk"
        case .unreachable, .refused: "\(head) can't be asked: \(message) (at \"\(operation)\")"
        case .busy:
            "\(head) is held by another program: \"\(operation)\" waited in vain: \(message)\(number); end the other program"
        case .conflict: "\(head) was changed by others each time \"\(operation)\" was tried: \(message)"
        case .closed: "\(head) is closed, so \"\(operation)\" was not done"
        case .unreadable: "\(head) can't be read: \(message) (at \"\(operation)\")"
        case .failed: "\(head) failed at \"\(operation)\": \(message)\(number)\(sql.map { ", in: \($0)" } ?? "")"
        }
    }
}
