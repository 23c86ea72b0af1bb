import CLinux

/// How the process uses memory.
package enum Memory {
    /// Keeps two heaps instead of one for nearly each thread, of which most have little to do (mallopt(3),
    /// M_ARENA_MAX). Called before there are threads.
    package static func keepFewHeaps() {
        slipway_limit_heaps(2)
    }
}
