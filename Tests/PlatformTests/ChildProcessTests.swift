import Foundation
import Platform
import Synchronization
import Testing

@Suite struct ChildProcessTests {
    private let path = ["PATH": "/usr/local/bin:/usr/bin:/bin"]

    private func shell(_ script: String, input: Data? = nil, directory: String? = nil) -> ChildProcess {
        ChildProcess("/bin/sh", ["-c", script], environment: path, workingDirectory: directory, input: input)
    }

    // Endings

    @Test(arguments: [0, 1, 3, 127, 255])
    func tellsTheExitCode(_ code: Int32) async throws {
        #expect(try await shell("exit \(code)").capture().ending == .exited(code))
    }

    @Test(arguments: [SIGTERM, SIGKILL, SIGSEGV, SIGPIPE])
    func tellsTheSignal(_ signal: Int32) async throws {
        #expect(try await shell("kill -\(signal) $$").capture().ending == .signalled(signal))
    }

    @Test func saysWhichProgramIsMissing() async throws {
        let missing = ChildProcess("no-such-builder", environment: path)
        await #expect(throws: ChildProcessError.notFound(program: "no-such-builder", path: path["PATH"]!)) {
            try await missing.capture()
        }
    }

    @Test func saysWhyAFileIsNoProgram() async throws {
        let folder = try Scratch()
        let text = folder.path + "/text"
        // Not written by this process: a supervisor that another test starts meanwhile might hold it open for writing.
        _ = try await shell("printf plain >\(text)").capture()
        await #expect(throws: ChildProcessError.notExecutable(program: text, code: EACCES)) {
            try await ChildProcess(text).capture()
        }
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: text)
        await #expect(throws: ChildProcessError.notExecutable(program: text, code: ENOEXEC)) {
            try await ChildProcess(text).capture()
        }
        _ = try await shell("printf '#!/no/such/interpreter\\n' >\(text)").capture()
        await #expect(throws: ChildProcessError.notExecutable(program: text, code: ENOENT)) {
            try await ChildProcess(text).capture()
        }
        let missing = folder.path + "/missing"
        await #expect(throws: ChildProcessError.notExecutable(program: missing, code: ENOENT)) {
            try await ChildProcess(missing).capture()
        }
    }

    @Test func saysWhichFolderIsMissing() async throws {
        await #expect(
            throws: ChildProcessError.noDirectory(program: "/bin/sh", directory: "/no/such/folder", code: ENOENT)
        ) {
            try await shell("exit 0", directory: "/no/such/folder").capture()
        }
    }

    @Test func refusesAZeroByte() async throws {
        await #expect(throws: ChildProcessError.zeroByte(program: "/bin/echo")) {
            try await ChildProcess("/bin/echo", ["a\0b"]).capture()
        }
    }

    // What the program gets

    @Test func inheritsNothing() async throws {
        let child = ChildProcess("/usr/bin/env", environment: ["ONE": "1"])
        #expect(try await child.capture().stdout == Data("ONE=1\n".utf8))
    }

    @Test func getsOnlyThreeDescriptorsAndPlainSignals() async throws {
        let listed = try await shell("ls /proc/self/fd").capture().stdout
        // The fourth is the folder that ls reads.
        #expect(String(decoding: listed, as: UTF8.self) == "0\n1\n2\n3\n")
        let status = String(decoding: try await shell("cat /proc/self/status").capture().stdout, as: UTF8.self)
        for line in status.split(separator: "\n") where line.hasPrefix("SigBlk") || line.hasPrefix("SigIgn") {
            let mask = try #require(line.split(separator: "\t").last.flatMap { UInt64($0, radix: 16) })
            // Signals 32 and 33 are the C library's own.
            #expect(mask & ~(3 << 31) == 0, "\(line)")
        }
    }

    @Test func worksInItsFolder() async throws {
        #expect(try await shell("pwd", directory: "/usr/bin").capture().stdout == Data("/usr/bin\n".utf8))
    }

    @Test func readsItsInput() async throws {
        let input = Data((0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) })
        let child = ChildProcess("/bin/cat", input: input)
        #expect(try await child.capture(limit: 4_000_000).stdout == input)
        #expect(try await shell("exit 0", input: input).capture().ending == .exited(0))
        #expect(try await ChildProcess("/bin/cat").capture().stdout.isEmpty)
    }

    // Output

    @Test func givesBothStreamsInOrder() async throws {
        var output = Data()
        let script = "for i in 1 2 3 4 5; do echo out $i; echo err $i >&2; done"
        let ending = try await shell(script).run { output += $0 }
        #expect(ending == .exited(0))
        let lines = (1...5).map { "out \($0)\nerr \($0)\n" }.joined()
        #expect(String(decoding: output, as: UTF8.self) == lines)
    }

    @Test func losesNothingOfMuch() async throws {
        var (count, sum) = (0, Data())
        let ending = try await shell("seq 1 1500000").run { data in
            count += data.count
            sum = Crypto.sha256(sum + data.suffix(1))
        }
        #expect(ending == .exited(0))
        #expect(count == (1...1_500_000).reduce(0) { $0 + "\($1)".utf8.count + 1 })
    }

    @Test func keepsUpToTheLimit() async throws {
        let captured = try await shell("printf 1234567890; printf abc >&2").capture(limit: 4)
        #expect(captured.stdout == Data("1234".utf8))
        #expect(captured.stderr == Data("abc".utf8))
        #expect(captured.truncated)
        #expect(try await !shell("printf 1234").capture(limit: 4).truncated)
    }

    @Test func readsNothingWhileThePieceIsTaken() async throws {
        let folder = try Scratch()
        let progress = folder.path + "/progress"
        var first = true
        // A pipe holds 64 KiB and a piece as much again: the program can't get far past them until the first returns.
        let ending = try await shell(
            "i=0; while [ $i -lt 400 ]; do printf %1024d $i; i=$((i+1)); echo $i >\(progress); done"
        )
        .run { _ in
            guard first else { return }
            first = false
            var (last, same) = ("", 0)
            while same < 20 {
                usleep(10_000)
                let now = (try? String(contentsOfFile: progress, encoding: .utf8)) ?? ""
                same = now == last && !now.isEmpty ? same + 1 : 0
                last = now
            }
            #expect(Int(last.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 400 < 200)
        }
        #expect(ending == .exited(0))
        #expect(try String(contentsOfFile: progress, encoding: .utf8) == "400\n")
    }

    // The end of everything

    @Test func endsWithTheTimeout() async throws {
        var output = Data()
        let ending = try await shell("trap 'echo asked; exit 0' TERM; echo ready; while :; do sleep 0.05; done")
            .run(timeout: .milliseconds(300)) { output += $0 }
        #expect(ending == .timedOut)
        #expect(String(decoding: output, as: UTF8.self).hasSuffix("asked\n"))
    }

    @Test func killsWhatIgnoresSIGTERM() async throws {
        let ending = try await shell("trap '' TERM; while :; do sleep 0.05; done")
            .run(grace: .milliseconds(100), timeout: .milliseconds(100)) { _ in }
        #expect(ending == .timedOut)
    }

    @Test func endsStoppedPrograms() async throws {
        let ending = try await shell("kill -STOP $$").run(grace: .seconds(60), timeout: .milliseconds(200)) { _ in }
        #expect(ending == .timedOut)
    }

    /// Ways to be out of the shell's sight: a background job, a session of one's own, a daemon, one that ignores SIGTERM.
    static let hidden = [
        "sleep 1000 & echo $!",
        "setsid sleep 1000 & echo $!",
        "setsid sh -c 'sleep 1000 & echo $!; exit 0'",
        "(setsid sh -c 'trap \"\" TERM HUP; (setsid sleep 1000 & echo $!) & wait' &); sleep 0.2",
        "setsid sh -c 'exec >/dev/null 2>&1; trap \"\" TERM; sleep 1000' & echo $!",
    ]

    @Test(arguments: hidden)
    func leavesNothingBehindAtItsOwnEnd(_ start: String) async throws {
        var output = Data()
        let ending = try await shell(start + "; exit 7").run { output += $0 }
        #expect(ending == .exited(7))
        try expectGone(output)
    }

    @Test(arguments: hidden)
    func leavesNothingBehindWhenCancelled(_ start: String) async throws {
        let child = shell(start + "; echo ready; trap '' TERM; while :; do sleep 0.05; done")
        let (ready, go) = AsyncStream<Void>.makeStream()
        let task = Task {
            var output = Data()
            let ending = try await child.run(grace: .milliseconds(100)) {
                output += $0
                if output.suffix(6) == Data("ready\n".utf8) { go.finish() }
            }
            return (ending, output)
        }
        for await _ in ready {}
        task.cancel()
        let (ending, output) = try await task.value
        #expect(ending == .cancelled)
        try expectGone(output)
    }

    @Test func leavesNothingBehindWhenTheReaderFails() async throws {
        struct Full: Error {}
        var output = Data()
        await #expect(throws: Full.self) {
            _ = try await shell("setsid sleep 1000 & echo $!; yes").run(grace: .milliseconds(100)) {
                output += $0
                throw Full()
            }
        }
        try expectGone(output)
    }

    @Test func tellsOfALostSupervisor() async throws {
        // The supervisor is the shell's parent; the sleeping one holds the pipe open and goes by itself.
        let child = shell("sleep 2 & kill -9 $PPID; exec sleep 1000")
        await #expect(throws: ChildProcessError.lost(program: "/bin/sh")) { try await child.run { _ in } }
    }

    @Test func startsNothingForACancelledTask() async throws {
        let child = shell("echo started")
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await child.capture()
        }
        let captured = try await task.value
        #expect(captured.ending == .cancelled)
        #expect(captured.stdout.isEmpty)
    }

    @Test func runsManyAtOnceAndClosesAll() async throws {
        // One first: what Dispatch opens for itself stays.
        _ = try await shell("exit 0").capture()
        let children = (0..<50).map { shell("sleep 0.1; echo \($0)", input: Data("x".utf8)) }
        let outputs = try await withThrowingTaskGroup(of: Data.self) { group in
            for child in children { group.addTask { try await child.capture().stdout } }
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(outputs == Set((0..<50).map { Data("\($0)\n".utf8) }))
        // Of all that a run opens, its input tells itself from what other tests hold meanwhile.
        let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap {
            try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")
        }
        #expect(open.filter { $0.hasPrefix("/memfd:") }.count < 10)
    }

    @Test func findsProgramsInTheOrderOfPATH() throws {
        let (one, two) = (try Scratch(), try Scratch())
        for folder in [one, two] {
            let program = folder.path + "/builder"
            try Data("#!/bin/sh\n".utf8).write(to: URL(fileURLWithPath: program))
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
        }
        try FileManager.default.createDirectory(atPath: one.path + "/folder", withIntermediateDirectories: false)
        let environment = ["PATH": "\(two.path):.::\(one.path):\(two.path)"]
        #expect(ChildProcess.find("builder", in: environment) == "\(two.path)/builder")
        #expect(ChildProcess.findAll("builder", in: environment) == ["\(two.path)/builder", "\(one.path)/builder"])
        #expect(ChildProcess.find("folder", in: environment) == nil)
        #expect(ChildProcess.find("builder", in: [:]) == nil)
    }

    /// The output's first line is the id of a process.
    private func expectGone(_ output: Data) throws {
        let first = String(decoding: output, as: UTF8.self).split(separator: "\n").first
        let id = try #require(first.flatMap { pid_t($0) })
        #expect(kill(id, 0) == -1 && errno == ESRCH)
    }
}

/// A folder of one test, gone with it.
final class Scratch {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/slipway-" + Crypto.randomBytes(8).hex
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }
}
