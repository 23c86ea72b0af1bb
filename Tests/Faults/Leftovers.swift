import Foundation

/// What a service that has stopped may not leave behind.
struct Leftovers {
    let world: World

    func check() throws {
        let findings = world.findings
        for place in [world.data + "/work", world.folder + "/tmp"] {
            let left = (try? FileManager.default.contentsOfDirectory(atPath: place)) ?? []
            if !left.isEmpty { findings.add("\(place) still holds \(left.sorted().prefix(20))") }
        }
        let files = FileManager.default.enumerator(atPath: world.data)
        while let file = files?.nextObject() as? String {
            let name = URL(filePath: file).lastPathComponent
            if name == "auth.json" || name == "config.json" || name.hasPrefix("engine-") {
                findings.add("temporary credentials are left: \(file)")
            }
        }
        for (process, line) in Processes.mentioning(world.folder) {
            findings.add("process \(process) is left: \(line)")
        }
        let mounts = try String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)
        for line in mounts.split(separator: "\n") where line.contains(world.folder) {
            let point = line.split(separator: " ")[1]
            let isOurs = point == world.data || point.hasPrefix(world.folder + "/storage")
            if !isOurs { findings.add("a mount is left: \(point)") }
        }
    }
}
