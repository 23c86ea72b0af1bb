import Foundation
import Model

/// The `.gitmodules` of a commit, as gitmodules(5) has it, in the syntax of git-config(1).
///
/// Read here and not by libgit2, whose reader would follow an `include` to any file of the machine.
struct GitModules: Sendable {
    struct Module: Sendable, Equatable {
        let name: String
        var path = ""
        var url = ""
        /// `update = none`: git leaves its directory empty.
        var isLeftOut = false
    }

    private let modules: [Module]

    init(_ text: String) {
        var modules: [Module] = []
        for (section, key, value) in Self.entries(text) {
            let index =
                modules.firstIndex { $0.name == section }
                ?? {
                    modules.append(Module(name: section))
                    return modules.count - 1
                }()
            switch key {
            case "path": modules[index].path = value
            case "url": modules[index].url = value
            case "update": modules[index].isLeftOut = value == "none"
            default: break
            }
        }
        self.modules = modules
    }

    /// - Throws: `CheckoutError.badSubmodule` where `.gitmodules` is a symbolic link, or missing.
    init(of commit: CommitID, in workspace: String) throws {
        let descriptor = open("\(workspace)/.gitmodules", O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw CheckoutError.badSubmodule(
                errno == ENOENT
                    ? "commit \(commit) holds submodules, and no .gitmodules that says where they come from"
                    : ".gitmodules of commit \(commit) is not a plain file")
        }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        do {
            self.init(String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self))
        } catch {
            throw CheckoutError.storage("can't read .gitmodules in the workspace: \(error.localizedDescription)")
        }
    }

    /// - Returns: nil for a submodule that is to be left out.
    /// - Throws: `CheckoutError.badSubmodule` where there is none at the path, or it has no address.
    func module(at path: String) throws -> Module? {
        guard let module = modules.last(where: { $0.path == path }) else {
            throw CheckoutError.badSubmodule(
                "submodule \"\(path)\" is not in .gitmodules, so where it comes from isn't known")
        }
        if module.isLeftOut { return nil }
        guard !module.url.isEmpty else {
            throw CheckoutError.badSubmodule("submodule \"\(path)\" has no url in .gitmodules")
        }
        return module
    }

    /// Paths whose directories stay empty, in order.
    var leftOut: [String] {
        Set(modules.map(\.path)).filter { path in modules.last { $0.path == path }?.isLeftOut == true }.sorted()
    }

    /// The entries of `[submodule "…"]` sections, in their order.
    private static func entries(_ text: String) -> [(section: String, key: String, value: String)] {
        var section: String?
        var entries: [(String, String, String)] = []
        let joined = text.replacing("\r\n", with: "\n").replacing("\\\n", with: "")
        for line in joined.split(separator: "\n") {
            var line = line.trimmingCharacters(in: .whitespaces)
            if line.hasPrefix("[") {
                let header = line.prefixMatch(of: /\[\s*([A-Za-z0-9.\-]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\]\s*/)
                section = header.flatMap { match in
                    guard match.1.lowercased() == "submodule", let name = match.2 else { return nil }
                    return String(name).replacing(/\\(.)/) { String($0.1) }
                }
                line = header.map { String(line[$0.range.upperBound...]) } ?? ""
            }
            guard let section, let match = line.wholeMatch(of: /([A-Za-z][A-Za-z0-9\-]*)\s*=\s*(.*)/) else { continue }
            entries.append((section, match.1.lowercased(), value(String(match.2))))
        }
        return entries
    }

    /// Takes quotes, escapes and the comment off a value.
    private static func value(_ text: String) -> String {
        var result = ""
        var kept = 0
        var isQuoted = false
        var rest = text[...]
        while let next = rest.popFirst() {
            switch next {
            case "\"":
                isQuoted.toggle()
                kept = result.count
            case "\\":
                switch rest.popFirst() {
                case "n": result.append("\n")
                case "t": result.append("\t")
                case let other?: result.append(other)
                case nil: break
                }
                kept = result.count
            case "#" where !isQuoted, ";" where !isQuoted:
                return String(result.prefix(kept))
            default:
                result.append(next)
                if isQuoted || !next.isWhitespace { kept = result.count }
            }
        }
        return String(result.prefix(kept))
    }
}
