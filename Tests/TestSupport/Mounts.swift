import Foundation

package enum Mounts {
    /// Removes a folder in which a builder may have left file systems mounted.
    package static func remove(_ folder: String) {
        let mounts = (try? String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)) ?? ""
        for line in mounts.split(separator: "\n").reversed() {
            let point = line.split(separator: " ").dropFirst().first.map(String.init) ?? ""
            // Detached, each goes when nobody uses it any more.
            if point.hasPrefix(folder + "/") { umount2(point, Int32(MNT_DETACH)) }
        }
        try? FileManager.default.removeItem(atPath: folder)
    }
}
