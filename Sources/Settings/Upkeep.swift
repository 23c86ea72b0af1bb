/// How the registry's tags are compared with what Slipway put there.
package struct Sweep: Sendable, Equatable {
    /// Nil is never.
    package var every: Duration?
    /// Whether what differs is put right, or only reported.
    package var repairs: Bool

    package init(every: Duration? = .seconds(3600), repairs: Bool = true) {
        self.every = every
        self.repairs = repairs
    }
}

/// What Slipway may take of the disk.
package struct Disk: Sendable, Equatable {
    /// With less room than this no build begins, in bytes.
    package var minimumFree: Int
    /// To how much the engine's caches and local images are pruned, in bytes; nil leaves them alone.
    package var cacheBudget: Int?

    package init(minimumFree: Int = 1 << 30, cacheBudget: Int? = 20 << 30) {
        self.minimumFree = minimumFree
        self.cacheBudget = cacheBudget
    }
}
