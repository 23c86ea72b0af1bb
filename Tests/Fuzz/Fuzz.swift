import Foundation
import Platform
import TestSupport

/// Sends what no host would send through the whole intake, and looks for what must never come of it: an answer of 500 or
/// more, a build that nobody proved or nobody named, a secret that is kept, memory that grows; a crash ends the program.
///
/// Each lane writes down what it is about to send, so that a request which ends the program is left in its file.
@main enum Fuzz {
    /// So many share an fsync.
    private static let lanes = 16
    private static let parts = 10
    /// In MB: how much may be in memory at the end beyond what is there after the first part, and the most at any time.
    private static let mostGrowth = 64
    private static let mostAtOnce = 1024

    static func main() async {
        Memory.keepFewHeaps()
        do {
            let options = try Options(Array(CommandLine.arguments.dropFirst()))
            let folder = FileManager.default.temporaryDirectory.appending(path: "slipway-fuzz-\(UUID().uuidString)")
                .path
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let target = try await Target(folder: folder)
            if let file = options.replay {
                print(try await replay(file, target))
            } else {
                print(try await run(options, target))
            }
            await target.close()
        } catch {
            say("fuzz: \(error)")
            exit(error is Options.Wrong ? 1 : 2)
        }
    }

    private static func run(_ options: Options, _ target: Target) async throws -> String {
        let samples = try Corpus.samples(options.payloads)
        let start = ContinuousClock.now
        var (tally, memory) = (Tally(), [Int]())
        for part in 0..<parts {
            tally.add(try await self.part(part, options, target, samples))
            memory.append(Usage.resident)
            say("\(tally.line); \(Usage.resident) MB")
        }
        // The first part fills caches; what grows after it has no bound.
        let growth = (memory.last ?? 0) - (memory.first ?? 0)
        if growth > mostGrowth { throw Found("memory grew by \(growth) MB: \(memory)") }
        if Usage.peak > mostAtOnce { throw Found("\(Usage.peak) MB were in memory at once") }
        if !tally.shallow.isEmpty {
            throw Found("of \(tally.shallow.joined(separator: ", ")) nothing was built:\n\(tally.table)")
        }
        return """
            \(tally.table)
            good: \(samples.count) samples, seed \(options.seed), \(tally.line); \
            \(start.duration(to: .now).components.seconds) s; memory \(memory.map { "\($0)" }.joined(separator: " ")) MB, \
            peak \(Usage.peak) MB
            """
    }

    private static func part(
        _ part: Int, _ options: Options, _ target: Target, _ samples: [Sample]
    ) async throws -> Tally {
        let share = max(1, options.variants / parts / lanes)
        return try await withThrowingTaskGroup(of: Tally.self) { group in
            for lane in 0..<lanes {
                group.addTask {
                    var random = Random(seed: options.seed &* 0x1_0000_0001 &+ UInt64(part * lanes + lane) << 40)
                    return try await self.lane(lane, share, target, samples, &random)
                }
            }
            return try await group.reduce(into: Tally()) { $0.add($1) }
        }
    }

    private static func lane(
        _ lane: Int, _ count: Int, _ target: Target, _ samples: [Sample], _ random: inout Random
    ) async throws -> Tally {
        let inspector = Inspector(target: target)
        let file = URL(filePath: "fuzz-lane-\(lane).request")
        var tally = Tally()
        // Where another lane has found something, this one's file tells nothing.
        for number in 1...count where !Task.isCancelled {
            let sample = random.pick(samples)
            // One lane alone sends huge ones, so that the peak is that of one.
            let request = Variant.of(sample, &random, mayBeHuge: lane == 0)
            try request.file.write(to: file)
            do {
                tally.add(try await inspector.send(request, thoroughly: number % 250 == 0), of: sample.host)
            } catch {
                // Another name, so that no later run writes over it.
                let kept = "fuzz-found-\(Crypto.sha256(request.file).hex.prefix(12)).request"
                try request.file.write(to: URL(filePath: kept))
                try FileManager.default.removeItem(at: file)
                throw Found("\(request.name) to \(request.path): \(error)\nagain: Fuzz --replay \(kept)")
            }
        }
        try FileManager.default.removeItem(at: file)
        return tally
    }

    private static func replay(_ file: String, _ target: Target) async throws -> String {
        guard let data = FileManager.default.contents(atPath: file), let request = Request(file: data) else {
            throw Found("\(file) holds no request")
        }
        let answer = try await target.send(request)
        say("\(answer.status): \(String(decoding: answer.data.prefix(2000), as: UTF8.self))")
        _ = try await Inspector(target: target).send(request, thoroughly: true)
        return "good: it may be; peak \(Usage.peak) MB"
    }

    private static func say(_ line: String) {
        FileHandle.standardError.write(Data((line + "\n").utf8))
    }
}
