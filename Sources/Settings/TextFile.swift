import Foundation
import Model

enum TextFile {
    /// - Throws: `InvalidText` that says why the file can't be read, without its name.
    static func bytes(at path: String, limit: Int) throws(InvalidText) -> [UInt8] {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw InvalidText("there is no such file")
        }
        if isFolder.boolValue { throw InvalidText("it is a folder") }
        guard let file = FileHandle(forReadingAtPath: path) else {
            throw InvalidText("it can't be opened by this user")
        }
        let data: Data
        do {
            // The handle closes the file when it goes.
            data = try file.read(upToCount: limit + 1) ?? Data()
        } catch {
            throw InvalidText("\(error.localizedDescription)")
        }
        guard data.count <= limit else { throw InvalidText("it is longer than \(limit) bytes") }
        return [UInt8](data)
    }
}
