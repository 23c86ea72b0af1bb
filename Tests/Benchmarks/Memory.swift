import Foundation
import TestSupport

extension Service {
    /// The resident memory of the service alone, as proc(5) names it.
    enum Memory: String {
        case now = "VmRSS"
        /// Since its start.
        case most = "VmHWM"
    }

    /// - Returns: bytes.
    func memory(_ which: Memory) throws -> Double {
        let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix(which.rawValue + ":") }
        guard let line, let match = line.firstMatch(of: /([0-9]+) kB/), let kilobytes = Double(match.1) else {
            throw SlipwayRun.Failed(description: "process \(pid) shows no \(which.rawValue): it has ended")
        }
        return kilobytes * 1024
    }
}
