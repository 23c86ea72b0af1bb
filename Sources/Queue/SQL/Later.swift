/// Rows of a question that was asked and whose answer is looked at later: over a network many go together.
final class Later<Value> {
    private var read: () throws -> [Value]

    init(_ read: @escaping () throws -> [Value]) {
        self.read = read
    }

    /// The rows as they were when it was asked. Only before the transaction ends.
    var rows: [Value] {
        get throws {
            let rows = try read()
            read = { rows }
            return rows
        }
    }

    var first: Value? { get throws { try rows.first } }
}
