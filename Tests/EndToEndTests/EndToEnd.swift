import Foundation
import Testing

/// Real engines, registries and Git servers; one test at a time, since they share the machine.
@Suite(.serialized) struct EndToEnd {}

enum Machine {
    /// Whether the programs are installed; what needs a missing one is skipped visibly.
    static func has(_ programs: String...) -> Bool {
        let folders = ["/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/local/sbin"]
        return programs.allSatisfy { program in
            folders.contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(program)") }
        }
    }

    static let isRoot = getuid() == 0
}
