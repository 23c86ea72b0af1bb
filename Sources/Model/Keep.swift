/// How much of the past is kept; nil is all. The defaults keep a year of builds and three months of their logs.
package struct Keep: Sendable, Equatable {
    /// By age, and of each repository the newest so many.
    package struct Bound: Sendable, Equatable {
        package var age: Duration?
        package var count: Int?

        package init(age: Duration? = nil, count: Int? = nil) {
            self.age = age
            self.count = count
        }
    }

    /// A build goes with its log.
    package var builds: Bound
    /// Logs may go before their builds.
    package var logs: Bound
    package var deliveries: Bound

    package init(
        builds: Bound = Bound(age: .seconds(365 * 86400), count: 10_000),
        logs: Bound = Bound(age: .seconds(90 * 86400)),
        deliveries: Bound = Bound(age: .seconds(30 * 86400), count: 10_000)
    ) {
        self.builds = builds
        self.logs = logs
        self.deliveries = deliveries
    }
}
