import Model

/// The numbers of new builds, in their order: asked for together, for as many as are surely made one after the other.
struct BuildNumbers {
    private let database: Database
    private var left: ArraySlice<Build.ID> = []

    init(_ database: Database) {
        self.database = database
    }

    /// - Parameter count: how many are surely made, this one and those that follow.
    /// - Throws: `StoreError` where there is none.
    mutating func next(of count: () throws -> Int) throws -> Build.ID {
        if left.isEmpty {
            left = try database.all(database.dialect.newNumbers, count()) { try $0.get("id", as: Build.ID.self) }[...]
        }
        guard let number = left.popFirst() else {
            throw StoreError(
                .failed, "a new build got no number", operation: database.operation, database: database.path)
        }
        return number
    }
}
