import CGit2
import Foundation
import Model

/// What libgit2 has against a call: its code, its area and its own words.
struct GitFault: Error, Sendable {
    let code: Int32
    /// One of `git_error_t`.
    let area: git_error_t
    let operation: String
    let message: String

    /// The fault that libgit2 noted last on this thread.
    init(_ code: Int32, _ operation: String) {
        let last = git_error_last()
        self.code = code
        area = last.map { git_error_t(rawValue: git_error_t.RawValue($0.pointee.klass)) } ?? GIT_ERROR_NONE
        self.operation = operation
        message = last?.pointee.message.map { String(decodingCString: $0) } ?? "no reason given (\(code))"
    }

    /// Whether nothing is wrong with the files themselves: making the mirror anew would fail alike.
    var isOfTheMachine: Bool {
        area == GIT_ERROR_NOMEMORY
            || [ENOSPC, EDQUOT, EACCES, EPERM, EROFS, EMFILE, ENFILE, EIO].contains {
                message.contains(String(cString: strerror($0)))
            }
    }
}

/// Calls libgit2.
///
/// - Parameter operation: what is tried, as in "can't <operation>".
/// - Throws: `GitFault` for a negative result.
@discardableResult
func git(_ operation: @autoclosure () -> String, _ call: () -> Int32) throws(GitFault) -> Int32 {
    git_error_clear()
    let code = call()
    guard code >= 0 else { throw GitFault(code, operation()) }
    return code
}

/// An object of libgit2 that frees itself.
struct GitHandle: ~Copyable {
    let pointer: OpaquePointer
    private let free: @convention(c) (OpaquePointer?) -> Void

    init(
        _ operation: @autoclosure () -> String, free: @escaping @convention(c) (OpaquePointer?) -> Void,
        _ make: (inout OpaquePointer?) -> Int32
    ) throws(GitFault) {
        var made: OpaquePointer?
        git_error_clear()
        let code = make(&made)
        guard code >= 0, let made else { throw GitFault(code, operation()) }
        pointer = made
        self.free = free
    }

    deinit {
        free(pointer)
    }
}

enum GitLibrary {
    /// Sets libgit2 up once for the process.
    static func start() {
        _ = started
    }

    private static let started: Bool = {
        git_libgit2_init()
        // A user's or the machine's gitconfig must not change what is fetched from where (url.insteadOf, http.proxy).
        for level in [
            GIT_CONFIG_LEVEL_PROGRAMDATA, GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL,
        ] {
            _ = slipway_set_search_path(Int32(level.rawValue), "")
        }
        // A source that is a path may belong to another user; nothing in it is executed.
        _ = slipway_set_owner_validation(0)
        // libgit2 1.5 refuses every ssh connection of a process without HOME, as a system service may be.
        setenv("HOME", "/nonexistent", 0)
        SocketStream.register()
        return true
    }()
}

extension git_oid {
    /// - Throws: `CheckoutError.commitMissing` for a SHA-256 name, which libgit2 can't read.
    init(_ id: CommitID) throws {
        self.init()
        guard id.text.utf8.count == 40, git_oid_fromstr(&self, id.text) == 0 else {
            throw CheckoutError.unsupported(
                "commit \(id) has a SHA-256 name, and repositories of that format can't be read")
        }
    }

    /// 40 hexadecimal digits.
    var hex: String {
        withUnsafeBytes(of: id) { bytes in
            String(decoding: bytes.flatMap { [Self.digits[Int($0 >> 4)], Self.digits[Int($0 & 15)]] }, as: UTF8.self)
        }
    }

    private static let digits = Array("0123456789abcdef".utf8)
}

extension String {
    /// Bytes that are not UTF-8 become U+FFFD.
    init(decodingCString bytes: UnsafePointer<CChar>) {
        self = String(cString: bytes)
    }
}
