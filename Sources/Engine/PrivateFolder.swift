import Foundation
import Model
import Platform

/// A folder for one run of a builder that only the service's user can look into.
struct PrivateFolder: Sendable {
    let path: String

    /// Makes a folder in `scratch`, and removes it with all that is in it when `body` is at its end.
    ///
    /// - Throws: `Failure` where it can't be made, written or removed; whatever `body` throws.
    static func use(
        in scratch: String, stage: Failure.Stage, _ body: (PrivateFolder) async throws -> Void
    ) async throws {
        let folder = PrivateFolder(path: "\(scratch)/engine-\(Crypto.randomBytes(6).hex)")
        func failure(_ what: String) -> Failure {
            Failure(
                .system, stage,
                "the builder's temporary folder in \(scratch) can't be \(what): \(String(cString: strerror(errno)))")
        }
        guard mkdir(folder.path, 0o700) == 0 else { throw failure("made") }
        do {
            try await body(folder)
        } catch let error as WriteError {
            try? FileManager.default.removeItem(atPath: folder.path)
            errno = error.code
            throw failure("written")
        } catch {
            // The first error is the one to tell. What can't be removed here goes with the attempt's scratch folder.
            try? FileManager.default.removeItem(atPath: folder.path)
            throw error
        }
        do {
            try FileManager.default.removeItem(atPath: folder.path)
        } catch {
            throw Failure(
                .system, stage, "credentials in \(folder.path) can't be removed: \(error.localizedDescription)")
        }
    }

    /// Writes a new file that only its owner can read.
    func write(_ data: Data, to name: String) throws {
        let file = open(path + "/" + name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw WriteError(code: errno) }
        defer { close(file) }
        var rest = data
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Foundation.write(file, $0.baseAddress, $0.count) }
            if count < 0 && errno != EINTR { throw WriteError(code: errno) }
            if count > 0 { rest = rest.dropFirst(count) }
        }
    }

    private struct WriteError: Error {
        let code: Int32
    }
}
