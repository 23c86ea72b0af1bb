import Foundation

/// What a service that has stopped may not leave behind.
struct Leftovers {
    let world: World

    /// - Parameter place: the folder of one machine, with its `data` and its `tmp`.
    func check(_ place: String) throws {
        let findings = world.findings
        let data = place + "/data"
        for place in [data + "/work", place + "/tmp"] {
            let left = (try? FileManager.default.contentsOfDirectory(atPath: place)) ?? []
            if !left.isEmpty { findings.add("\(place) still holds \(left.sorted().prefix(20))") }
        }
        let files = FileManager.default.enumerator(atPath: data)
        while let file = files?.nextObject() as? String {
            let name = URL(filePath: file).lastPathComponent
            if name == "auth.json" || name == "config.json" || name.hasPrefix("engine-") {
                findings.add("temporary credentials are left: \(file)")
            }
        }
        for (process, line) in Processes.mentioning(place) {
            findings.add("process \(process) is left: \(line)")
        }
        let mounts = try String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)
        for line in mounts.split(separator: "\n") where line.contains(place) {
            let point = line.split(separator: " ")[1]
            let isOurs = point == data || point.hasPrefix(place + "/storage")
            if !isOurs { findings.add("a mount is left: \(point)") }
        }
    }
}
