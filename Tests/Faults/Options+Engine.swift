import Foundation

extension Options.Engine {
    /// Makes what the engine of one machine needs in a folder.
    ///
    /// - Returns: the environment of the service there.
    func prepare(in folder: String) throws -> [String: String] {
        for name in ["bin", "images", "running", "tmp"]
        where !FileManager.default.fileExists(atPath: "\(folder)/\(name)") {
            try FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
        }
        var variables = ["PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "TMPDIR": folder + "/tmp"]
        switch self {
        case .docker: break
        case .buildah:
            let storage =
                "[storage]\ndriver = \"overlay\"\ngraphroot = \"\(folder)/storage\"\nrunroot = \"\(folder)/run\"\n"
            try Data(storage.utf8).write(to: URL(filePath: folder + "/storage.conf"))
            variables["CONTAINERS_STORAGE_CONF"] = folder + "/storage.conf"
        case .standin:
            let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
            try FileManager.default.createSymbolicLink(atPath: folder + "/bin/buildah", withDestinationPath: program)
            variables["PATH"] = folder + "/bin:" + (variables["PATH"] ?? "")
        }
        return variables
    }
}
