import Foundation

/// Sends what no host would send, and looks for what must never come of it: an answer of 500 or more, a build without a
/// proof, memory that grows; a crash ends the program.
@main enum Fuzz {
    struct Options {
        var variants = 200_000
        var seed: UInt64 = 1
        var payloads: String?

        init(_ words: [String]) throws {
            var words = words[...]
            while let word = words.popFirst() {
                switch (word, words.popFirst()) {
                case ("--variants", let value?): variants = try Self.number(value)
                case ("--seed", let value?): seed = UInt64(try Self.number(value))
                case ("--payloads", let value?): payloads = value
                default: throw Wrong()
                }
            }
        }

        private static func number(_ text: String) throws -> Int {
            guard let number = Int(text), number > 0 else { throw Wrong() }
            return number
        }
    }

    struct Wrong: Error, CustomStringConvertible {
        let description = """
            usage: Fuzz [--variants 200000] [--seed 1] [--payloads DIR]
              --payloads  real payloads, a folder for each Git host, to mutate beside the program's own
            """
    }

    /// Something that must not be; with it the variant can be sent again.
    struct Found: Error, CustomStringConvertible {
        let description: String
    }

    static func main() async {
        do {
            let options = try Options(Array(CommandLine.arguments.dropFirst()))
            let folder = FileManager.default.temporaryDirectory.appending(path: "slipway-fuzz-\(UUID().uuidString)")
                .path
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: folder) }
            print(try await run(options, folder))
        } catch {
            FileHandle.standardError.write(Data("fuzz: \(error)\n".utf8))
            exit(error is Wrong ? 1 : 2)
        }
    }

    private static func run(_ options: Options, _ folder: String) async throws -> String {
        let target = try await Target(folder: folder)
        let samples = Corpus.samples(options.payloads)
        var tally = Tally()
        let lanes = 4
        // The first tenth fills caches; what grows after it has no bound.
        for part in 0..<10 {
            try await withThrowingTaskGroup(of: Tally.self) { group in
                for lane in 0..<lanes {
                    group.addTask {
                        var random = Random(seed: options.seed &+ UInt64(part * lanes + lane) &* 0x1_0000_0001)
                        var tally = Tally()
                        for _ in 0..<max(1, options.variants / 10 / lanes) {
                            try await variant(target, samples, &random, &tally)
                        }
                        return tally
                    }
                }
                for try await one in group { tally.add(one) }
            }
            tally.memory.append(memory)
            FileHandle.standardError.write(Data("\(tally.line)\n".utf8))
        }
        await target.close()
        let growth = (tally.memory.last ?? 0) - (tally.memory.first ?? 0)
        if growth > 64 << 20 { throw Found(description: "memory grew by \(growth >> 20) MB: \(tally.memory)") }
        return "good: \(samples.count) samples, seed \(options.seed), \(tally.line)"
    }

    private static func variant(
        _ target: Target, _ samples: [Sample], _ random: inout Random, _ tally: inout Tally
    ) async throws {
        let sample = random.pick(samples)
        let body = random.oneIn(10) ? sample.body : Mutation.of(sample.body, &random)
        var path = sample.path
        // A proof of the body as it was before the mutation, or, so that the readers see odd bodies, of this one.
        var headers = sample.proved(random.oneIn(4) ? body : sample.body)
        while random.oneIn(3) { headers = Mutation.of(headers, &random) }
        var isProved = sample.isProved(headers, body)
        if sample.name == "trigger", random.oneIn(2) {
            path = "/triggers/" + Corpus.triggerToken
            isProved = true
        }
        let (status, builds) = try await target.post(path, headers, body)
        tally.statuses[status, default: 0] += 1
        tally.builds += builds
        guard status < 500, builds == 0 || isProved else {
            throw Found(
                description: """
                    \(sample.name) to \(path) got \(status) and \(builds) builds, \(isProved ? "" : "not ")proved
                    headers: \(headers)
                    body, base64: \(body.prefix(20_000).base64EncodedString())
                    """)
        }
    }

    /// Resident, in bytes.
    private static var memory: Int {
        let pages = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ")
        return (pages.flatMap { $0.count > 1 ? Int($0[1]) : nil } ?? 0) * 4096
    }
}

struct Tally {
    var statuses: [Int: Int] = [:]
    var builds = 0
    var memory: [Int] = []

    mutating func add(_ other: Tally) {
        statuses.merge(other.statuses, uniquingKeysWith: +)
        builds += other.builds
    }

    var line: String {
        let counts = statuses.sorted { $0.key < $1.key }.map { "\($0.value) x \($0.key)" }.joined(separator: ", ")
        return "variants \(statuses.values.reduce(0, +)): \(counts); builds \(builds), all proved; memory "
            + memory.map { "\($0 >> 20)" }.joined(separator: " ") + " MB"
    }
}
