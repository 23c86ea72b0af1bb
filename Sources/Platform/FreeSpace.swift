import Foundation

/// The room on the disk of a folder.
package enum FreeSpace {
    /// What this user may still write, in bytes. Blocks for as long as the disk takes to answer.
    ///
    /// - Throws: `POSIXError` where the folder can't be looked at.
    package static func bytes(at folder: String) throws -> Int {
        var status = statvfs()
        guard statvfs(folder, &status) == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        return Int(status.f_bavail) * Int(status.f_frsize)
    }
}

extension Int {
    /// Of bytes, for people: `512 B`, `1 GiB`, `1.5 GiB`.
    package var bytesShown: String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB"]
        let unit = (0..<units.count - 1).first { self < 1 << (10 * ($0 + 1)) } ?? units.count - 1
        // Rounded down: with less than a bound it never reads like the bound.
        let tenths = self / (1 << (10 * unit)) * 10 + self % (1 << (10 * unit)) * 10 / (1 << (10 * unit))
        return (tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)") + " \(units[unit])"
    }
}
