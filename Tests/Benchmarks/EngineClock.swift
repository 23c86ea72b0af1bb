import Foundation
import Platform
import TestSupport

/// Notes when each process of an engine runs: stands before the engine's own program in the service's PATH.
struct EngineClock: Sendable {
    struct Call: Sendable {
        /// Seconds since 1970.
        let start: Double
        let end: Double
        /// When the Dockerfile was written that it builds; nil where it builds nothing, or the file system keeps no such time.
        let checkedOut: Double?
        let words: [String]

        var isPush: Bool { words.contains("push") }
    }

    /// For the service.
    let environment: [String: String]
    private let log: String

    /// Compiles it: a shell would need longer to start than what is to be measured.
    ///
    /// - Parameter environment: the one in which the engine's program is found.
    init(_ builder: Builder, in folder: String, environment: [String: String]) async throws {
        let name = builder.engine
        guard let program = ChildProcess.find(name, in: environment) else {
            throw PlainScript.Failed(description: "there is no \(name) in PATH")
        }
        log = folder + "/calls"
        let programs = folder + "/programs"
        try FileManager.default.createDirectory(atPath: programs, withIntermediateDirectories: true)
        try Data(Self.source.utf8).write(to: URL(fileURLWithPath: folder + "/clock.c"))
        try await Command.run(
            "cc",
            [
                "-O1", "-DPROGRAM=\"\(program)\"", "-DLOG=\"\(log)\"", "-o", "\(programs)/\(name)", folder + "/clock.c",
            ])
        self.environment = environment.merging(["PATH": "\(programs):\(environment["PATH"] ?? "")"]) { $1 }
    }

    /// What began and ended between two times, in order.
    func calls(from: Double, to: Double) throws -> [Call] {
        let text = try String(contentsOfFile: log, encoding: .utf8)
        return try text.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ").map(String.init)
            guard words.count >= 3, let start = Double(words[0]), let end = Double(words[1]),
                let made = Double(words[2])
            else { throw PlainScript.Failed(description: "the engine's clock wrote \"\(line)\"") }
            guard start >= from, end <= to else { return nil }
            return Call(start: start, end: end, checkedOut: made > 0 ? made : nil, words: Array(words.dropFirst(3)))
        }
        .sorted { $0.start < $1.start }
    }

    private static let source = """
        #define _GNU_SOURCE
        #include <errno.h>
        #include <fcntl.h>
        #include <spawn.h>
        #include <stdio.h>
        #include <sys/stat.h>
        #include <sys/wait.h>
        #include <time.h>
        #include <unistd.h>
        extern char **environ;

        static double now(void) {
            struct timespec t;
            clock_gettime(CLOCK_REALTIME, &t);
            return t.tv_sec + t.tv_nsec / 1e9;
        }

        int main(int count, char **words) {
            double start = now(), made = 0;
            char path[4096];
            struct statx file;
            pid_t pid;
            int status;
            snprintf(path, sizeof path, "%s/Dockerfile", words[count - 1]);
            if (!statx(AT_FDCWD, path, 0, STATX_BTIME, &file) && (file.stx_mask & STATX_BTIME))
                made = file.stx_btime.tv_sec + file.stx_btime.tv_nsec / 1e9;
            if (posix_spawn(&pid, PROGRAM, NULL, NULL, words, environ)) return 127;
            while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR) return 127;
            double end = now();
            FILE *log = fopen(LOG, "a");
            if (!log) return 126;
            fprintf(log, "%.6f %.6f %.6f", start, end, made);
            for (int i = 1; i < count; i++) {
                fputc(' ', log);
                for (char *c = words[i]; *c; c++) fputc(*c < ' ' ? ' ' : *c, log);
            }
            fprintf(log, "\\n");
            fclose(log);
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        }

        """
}
