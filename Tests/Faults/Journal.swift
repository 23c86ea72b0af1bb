import Foundation

/// What the engine's stand-in did and when, a line each, in the order in which it was.
struct Journal: Sendable {
    enum Event: String {
        /// A process begins, and ends.
        case begin, end
        /// A manifest is about to be put into the registry, and was taken.
        case put, done
        /// A process begins while one of an earlier attempt of the same build still lives.
        case overlap
    }

    struct Entry {
        /// In nanoseconds, of a clock that is never set.
        var time: UInt64
        var event: Event
        var process: Int32
        var build: Int
        var attempt: Int
        /// The command, and what it was on.
        var words: String
    }

    let path: String

    /// Nothing else comes between: the file is opened to append, and the line is one write.
    func note(_ event: Event, build: Int, attempt: Int, _ words: String) {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        let time = UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
        let line = Array("\(time) \(event.rawValue) \(getpid()) \(build) \(attempt) \(words)\n".utf8)
        let file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0, write(file, line, line.count) == line.count else {
            StandIn.fail("the journal \(path) can't be written")
        }
        close(file)
    }

    func entries() throws -> [Entry] {
        guard let data = FileManager.default.contents(atPath: path) else { return [] }
        return try String(decoding: data, as: UTF8.self).split(separator: "\n").map { line in
            let words = line.split(separator: " ", maxSplits: 5)
            guard words.count == 6, let time = UInt64(words[0]), let event = Event(rawValue: String(words[1])),
                let process = Int32(words[2]), let build = Int(words[3]), let attempt = Int(words[4])
            else { throw Found("the journal has a line that can't be read: \(line)") }
            return Entry(
                time: time, event: event, process: process, build: build, attempt: attempt, words: String(words[5]))
        }
    }
}

/// Something that must not be.
struct Found: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
