import Model

/// The numbers of new builds, in their order: asked for together.
struct BuildNumbers {
    private let database: Database
    private var left: ArraySlice<Build.ID> = []

    init(_ database: Database) {
        self.database = database
    }

    /// - Parameter count: how many are surely made, this one and those that follow: what PostgreSQL gave is used or lost.
    /// - Throws: `StoreError` where there is none.
    mutating func next(of count: () throws -> Int) throws -> Build.ID {
        if left.isEmpty {
            let wanted = database.dialect == .postgreSQL ? try count() : 1
            left = try database.all(database.dialect.newNumbers, wanted) { try $0.get("id", as: Build.ID.self) }[...]
        }
        guard let number = left.popFirst() else {
            throw StoreError(
                .failed, "a new build got no number", operation: database.operation, database: database.path)
        }
        // SQLite counts what was made, and makes nothing else meanwhile.
        if database.dialect == .sqlite { left = [number + 1] }
        return number
    }
}
