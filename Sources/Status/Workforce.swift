import Queue

/// The workers that are there, and what they can't do.
struct Workforce: Sendable {
    private let there: [WorkerState]

    /// - Parameter workers: all that the queue knows.
    init(_ workers: [WorkerState]) {
        there = workers.filter(\.isThere)
    }

    var isEmpty: Bool { there.isEmpty }
    /// Whether somebody is there, and all of them take no builds on somebody's word.
    var isDrained: Bool { !there.isEmpty && there.allSatisfy(\.isDrained) }

    /// Why builds wait that ask for these labels; nil where a worker takes them.
    func lack(of labels: [String]) -> String? {
        let able = there.filter { $0.note.labels.isSuperset(of: labels) }
        if able.contains(where: { !$0.isDrained }) { return nil }
        if !able.isEmpty { return "every worker with \(Self.named(labels)) is drained" }
        let missing = labels.filter { label in !there.contains { $0.note.labels.contains(label) } }
        return missing.isEmpty
            ? "no worker that is there has \(Self.named(labels)) together"
            : "no worker that is there has \(Self.named(missing))"
    }

    /// `the label "gpu"`, `the labels "arm64" and "gpu"`.
    private static func named(_ labels: [String]) -> String {
        let quoted = labels.map { "\"\($0)\"" }
        let list = [quoted.dropLast().joined(separator: ", "), quoted.last ?? ""].filter { !$0.isEmpty }
        return "the label\(labels.count == 1 ? "" : "s") " + list.joined(separator: " and ")
    }
}
