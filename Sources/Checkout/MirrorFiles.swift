import CGit2
import Foundation
import Model
import Platform

/// The files of one bare mirror.
struct MirrorFiles: Sendable {
    /// `…/mirror.git`.
    let path: String
    private var parent: String { (path as NSString).deletingLastPathComponent }

    init(home: String) {
        path = home + "/mirror.git"
    }

    /// A directory's name for a source: 32 hexadecimal digits.
    static func name(of source: GitSource) -> String {
        String(Crypto.sha256(Data(source.text.utf8)).hex.prefix(32))
    }

    var exist: Bool {
        FileManager.default.fileExists(atPath: path)
    }

    /// Makes an empty mirror; it appears at its path whole or not at all.
    ///
    /// - Throws: `CheckoutError.storage`.
    func make() throws {
        do {
            try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
            let draft = "\(parent)/\(Self.draft)\(UUID().uuidString)"
            var options = git_repository_init_options()
            git_repository_init_options_init(&options, UInt32(GIT_REPOSITORY_INIT_OPTIONS_VERSION))
            options.flags = GIT_REPOSITORY_INIT_BARE.rawValue | GIT_REPOSITORY_INIT_MKDIR.rawValue
            options.mode = 0o700
            _ = try GitHandle("make a mirror at \(path)", free: git_repository_free) {
                git_repository_init_ext(&$0, draft, &options)
            }
            try FileManager.default.moveItem(atPath: draft, toPath: path)
        } catch let fault as GitFault {
            throw CheckoutError.storage("can't \(fault.operation): \(fault.message)")
        } catch {
            throw CheckoutError.storage("can't make a mirror at \(path): \(error.localizedDescription)")
        }
    }

    /// - Throws: `CheckoutError.storage`.
    func remove() throws {
        do {
            if exist { try FileManager.default.removeItem(atPath: path) }
        } catch {
            throw CheckoutError.storage("can't remove the damaged mirror at \(path): \(error.localizedDescription)")
        }
    }

    /// Removes what a run that was killed left behind: locks, which would hold for ever, and half-made mirrors and packs.
    func sweep(_ log: Log) {
        let manager = FileManager.default
        for name in (try? manager.contentsOfDirectory(atPath: parent)) ?? [] where name.hasPrefix(Self.draft) {
            Self.remove("\(parent)/\(name)", log)
        }
        guard let files = manager.enumerator(atPath: path) else { return }
        for case let name as String in files {
            let last = (name as NSString).lastPathComponent
            if last.hasSuffix(".lock") || last.hasPrefix("pack_git2_") || last.hasPrefix("tmp_") {
                Self.remove("\(path)/\(name)", log)
            }
        }
    }

    var packs: Int { names("objects/pack").count { $0.hasSuffix(".pack") } }

    var looseObjects: Int { names("objects").reduce(0) { $1.count == 2 ? $0 + names("objects/\($1)").count : $0 } }

    /// Removes packs and loose objects, but for one pack's files.
    ///
    /// - Parameter pack: the 40 digits in its name.
    /// - Throws: `CheckoutError.storage`.
    func removeObjects(exceptPack pack: String?) throws {
        for folder in names("objects") where folder.count == 2 || folder == "pack" {
            for name in names("objects/\(folder)") where folder != "pack" || !name.hasPrefix("pack-\(pack ?? "none").")
            {
                try Self.remove("\(path)/objects/\(folder)/\(name)")
            }
        }
    }

    /// The files of the mirror's notes of commits, those first that were written first.
    var notes: [String] {
        let root = "refs/slipway/commits"
        let files = names(root).flatMap { commit in names("\(root)/\(commit)").map { "\(path)/\(root)/\(commit)/\($0)" }
        }
        func written(_ file: String) -> Date {
            (try? FileManager.default.attributesOfItem(atPath: file)[.modificationDate] as? Date) ?? .distantPast
        }
        return files.map { ($0, written($0)) }.sorted { $0.1 < $1.1 }.map(\.0)
    }

    private func names(_ folder: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: "\(path)/\(folder)")) ?? []
    }

    /// Removes a file or folder.
    ///
    /// - Throws: `CheckoutError.storage`.
    static func remove(_ path: String) throws {
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            throw CheckoutError.storage("can't remove \(path): \(error.localizedDescription)")
        }
    }

    /// `<directory>/<namespace>/<name>/<source>` for each that is there.
    static func homes(in directory: String) -> [String] {
        (0..<3).reduce([directory]) { folders, _ in
            folders.flatMap { folder in
                ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).map { "\(folder)/\($0)" }
            }
        }
    }

    static func removeAll(in directory: String, except kept: String, _ log: Log) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? [] where name != kept {
            remove("\(directory)/\(name)", log)
        }
    }

    private static let draft = "new-"

    private static func remove(_ path: String, _ log: Log) {
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            log.warning("a leftover could not be removed", ["path": path, "error": error.localizedDescription])
        }
    }
}
