import Model

/// The right of one attempt to change one build.
package struct Hold: Sendable, Hashable {
    package let build: Build.ID
    package let attempt: Int

    package init(build: Build.ID, attempt: Int) {
        self.build = build
        self.attempt = attempt
    }
}

extension Build {
    package var hold: Hold { Hold(build: id, attempt: attempt) }
}

/// The attempt no longer holds the build: it was rescued, cancelled or ended. Whoever gets this stops at once.
package struct LeaseLost: Error, Equatable, CustomStringConvertible {
    package let hold: Hold
    package let operation: String

    package init(_ hold: Hold, _ operation: String) {
        self.hold = hold
        self.operation = operation
    }

    package var description: String {
        "attempt \(hold.attempt) no longer holds build \(hold.build), so \"\(operation)\" changed nothing"
    }
}

/// Another build owns the commit tag.
package struct CommitTagTaken: Error, Equatable {
    package let by: Build.ID

    package init(by: Build.ID) {
        self.by = by
    }
}
