import CLinux

/// How the process uses memory.
package enum Memory {
    /// Keeps two heaps instead of one for nearly each thread, of which most have little to do, and lets each keep a few
    /// megabytes that are free: giving them back after each request and taking them anew is a quarter of its time
    /// (mallopt(3), M_ARENA_MAX and M_TRIM_THRESHOLD). Called before there are threads.
    package static func keepFewHeaps() {
        slipway_set_heaps(2, 4 << 20)
    }
}
