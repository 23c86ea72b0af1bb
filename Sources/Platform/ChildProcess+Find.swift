import Foundation

extension ChildProcess {
    /// The program's path, as the shell would find it; a name with a slash stands for itself.
    ///
    /// - Returns: nil where no folder of the environment's `PATH` has such a program.
    package static func find(_ program: String, in environment: [String: String]) -> String? {
        findAll(program, in: environment).first
    }

    /// Every program of that name, in the order of `PATH`, each file once.
    package static func findAll(_ program: String, in environment: [String: String]) -> [String] {
        if program.contains("/") { return isProgram(program) ? [program] : [] }
        var seen: Set<String> = []
        // Empty and relative folders are left out: they would mean the repository that is being built.
        return (environment["PATH"] ?? "").split(separator: ":")
            .filter { $0.hasPrefix("/") }
            .map { "\($0)/\(program)" }
            .filter { isProgram($0) && seen.insert(URL(fileURLWithPath: $0).resolvingSymlinksInPath().path).inserted }
    }

    private static func isProgram(_ path: String) -> Bool {
        var isDirectory: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && !isDirectory.boolValue
            && FileManager.default.isExecutableFile(atPath: path)
    }
}
