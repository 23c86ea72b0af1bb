import Foundation

/// A program that could not be started; the description is a sentence for people, without arguments or environment.
package enum ChildProcessError: Error, Equatable, CustomStringConvertible {
    case notFound(program: String, path: String)
    /// An argument or a variable that holds a zero byte, where C's strings end.
    case zeroByte(program: String)
    case noDirectory(program: String, directory: String, code: Int32)
    /// The control group can't be entered.
    case noGroup(program: String, code: Int32)
    case notExecutable(program: String, code: Int32)
    /// The machine gave no descriptors, memory or processes.
    case noResources(program: String, code: Int32)
    /// The supervisor was killed before it could tell the program's end.
    case lost(program: String)

    package var description: String {
        switch self {
        case .notFound(let program, let path):
            "the program \"\(program)\" is in no folder of PATH (\(path)); install it, or name its folder there"
        case .zeroByte(let program):
            "\(program) could not start: an argument or an environment variable holds a zero byte"
        case .noDirectory(let program, let directory, let code):
            "\(program) could not start in \(directory): \(Self.text(code))"
        case .noGroup(let program, let code):
            "\(program) could not start in its control group: \(Self.text(code)); \(ControlGroup.Refused.advice)"
        case .notExecutable(let program, let code) where code == ENOENT:
            "\(program) could not start: there is no such file, or the interpreter that its first line names is missing"
        case .notExecutable(let program, let code):
            "\(program) could not start: \(Self.text(code))"
        case .noResources(let program, let code):
            "\(program) could not start, for want of descriptors, memory or processes: \(Self.text(code))"
        case .lost(let program):
            "\(program) came to an unknown end: the process that supervised it was killed, perhaps for want of memory"
        }
    }

    private static func text(_ code: Int32) -> String {
        String(cString: strerror(code))
    }
}
