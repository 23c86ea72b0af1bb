import Model

/// What is known of the deliveries that are accepted together: asked for once for all of them.
struct AcceptBatch {
    var pending: PendingBuilds
    var new: NewPushes
    private var numbers: BuildNumbers
    /// All builds that may come of the batch, in their order.
    private let builds: [(build: NewBuild, delivery: NewDelivery)]
    /// How many of them were looked at.
    private var place = 0

    init(_ calls: [AcceptCall], _ database: Database) throws {
        builds = calls.flatMap(\.deliveries).flatMap { delivery in delivery.builds.map { ($0, delivery) } }
        new = try NewPushes(builds.map(\.build), in: database)
        pending = try PendingBuilds(database, of: builds.map(\.build.repository))
        numbers = BuildNumbers(database)
    }

    /// Goes on to the next delivery.
    mutating func pass(_ delivery: NewDelivery) { place += delivery.builds.count }

    /// The number of a build that is made now.
    ///
    /// - Parameter offset: its place in its delivery.
    mutating func number(_ offset: Int) throws -> Build.ID {
        // With one that may not be made, numbers would be lost.
        let number = try numbers.next {
            var (count, sure) = (1, new)
            sure.make(builds[place + offset].build)
            for (build, delivery) in builds.dropFirst(place + offset + 1) {
                guard try delivery.force || (delivery.kind != .poll && sure.isNew(build)) else { break }
                sure.make(build)
                count += 1
            }
            return count
        }
        new.make(builds[place + offset].build)
        return number
    }
}
