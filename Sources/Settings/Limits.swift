import Model

/// What others may ask of the service before they are turned away with 429.
package struct Limits: Sendable, Equatable {
    /// Requests with one trigger token, or with one access token that start builds.
    package var perToken: Rate?
    /// Requests from one address whose signature is wrong, or whose token or repository is not known.
    package var perAddress: Rate?
    /// How long the answer to such a request is held back, in milliseconds.
    package var delay: Int
    /// Builds that may be pending, in all and of one repository.
    package var pending: Int
    package var pendingPerRepository: Int

    package init(
        perToken: Rate? = try? Rate("300/m"), perAddress: Rate? = try? Rate("60/m"), delay: Int = 1000,
        pending: Int = 200_000, pendingPerRepository: Int = 100_000
    ) {
        self.perToken = perToken
        self.perAddress = perAddress
        self.delay = delay
        self.pending = pending
        self.pendingPerRepository = pendingPerRepository
    }
}
