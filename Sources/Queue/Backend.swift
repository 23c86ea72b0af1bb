import Model

/// The connections to one database.
protocol Backend: Sendable {
    /// Whether other processes may use the same database.
    var isShared: Bool { get }
    /// What its opening did to the schema.
    var schema: SchemaStep { get }

    /// One transaction that may change the database; when it returns, the change is safe. Where the database is on
    /// another machine, it may be done anew after it was undone.
    ///
    /// - Parameter isPatient: whether it waits for a server that can't be reached.
    /// - Returns: also what it told of, which processes on other machines hear by themselves.
    func write<Result: Sendable>(
        _ operation: String, isPatient: Bool, _ body: @escaping @Sendable (Database) throws -> Result
    ) async throws -> (Result, told: [ChangeTopic])

    /// One transaction that sees a single state of the database.
    func read<Result: Sendable>(
        _ operation: String, _ body: @escaping @Sendable (Database) throws -> Result
    ) async throws -> Result

    /// Tells of changes that others made, until the store is closed; nil where any may have been made.
    func listen(_ heard: @escaping @Sendable ([ChangeTopic]?) -> Void)

    /// Copies the whole database, as it is at one moment, to a new file.
    func backup(to path: String) async throws

    func close() async
}

/// The number of a database's schema before and after it was opened; 0 is none.
package struct SchemaStep: Sendable, Equatable {
    package let before: Int
    package let now: Int

    package init(before: Int, now: Int) {
        self.before = before
        self.now = now
    }
}
