import Foundation

/// The machine's processes, as /proc shows them.
enum Processes {
    /// Empty for one that is gone, or has ended and was not yet waited for.
    static func commandLine(_ process: Int32) -> String {
        let data = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") ?? Data()
        return String(decoding: data, as: UTF8.self).replacing("\0", with: " ")
    }

    /// Those whose command line holds a text, without this one.
    static func mentioning(_ text: String) -> [(process: Int32, line: String)] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { Int32($0) }
            .filter { $0 != getpid() }
            .map { ($0, commandLine($0)) }
            .filter { $0.1.contains(text) }
    }

    /// Whether a signal holds it.
    static func isStopped(_ process: Int32) -> Bool {
        let status = (try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? ""
        return status.contains("\nState:\tT")
    }

    /// A value of /proc/<process>/status, in MB.
    static func memory(_ process: Int32, _ name: String) -> Int {
        let status = (try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix(name + ":") }
        return (line.flatMap { Int($0.split(whereSeparator: \.isWhitespace)[1]) } ?? 0) >> 10
    }
}
