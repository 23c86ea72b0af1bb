import Foundation
import Model

/// Reads from a failed builder's last lines whose fault it is, on which line of the Dockerfile, and why.
struct FailureReader {
    let build: ImageBuild
    let builder: String
    let code: Int32
    /// Without colours or empty lines.
    let lines: [String]
    /// The rule's limit that the build had reached.
    var limit: String?

    func failure(of stage: Failure.Stage) -> Failure {
        if stage == .push {
            return Failure(
                .system, .push, "\(builder) could not push \(build.reference): \(reason)\(advice)",
                retryAfter: retryAfter)
        }
        if limit == nil && isOurs {
            return Failure(
                .system, .build, "\(builder) could not build: \(reason)\(advice)\n\n\(excerpt)", retryAfter: retryAfter)
        }
        var sentence = Self.relative(build.dockerfile, to: build.workspace)
        if let (line, instruction) = place {
            sentence += " line \(line)" + (instruction.isEmpty ? "" : " (\(instruction.shortened(to: 120)))")
        }
        return Failure(.build, .build, "\(sentence): \(reason)\n\n\(excerpt)")
    }

    // Whose fault

    /// A step's own command failed: exit codes as each builder words them.
    private static var stepFailed: Regex<(Substring, Substring)> {
        /(?:exit code: |returned a non-zero code: |(?:runtime|STEP ".*"): exit status )(\d+)/
    }

    /// Words of builders and registries when the machine, the network or a registry is at fault.
    private static let ours = [
        "cannot connect to the docker daemon", "error during connect", "failed to dial grpc", "connection refused",
        "connection reset", "no such host", "i/o timeout", "tls handshake timeout", "context deadline exceeded",
        "client.timeout exceeded", "temporary failure in name resolution", "server misbehaving",
        "network is unreachable", "no route to host", "500 internal server error", "502 bad gateway",
        "503 service unavailable", "504 gateway", "unexpected http status: 5", "internal server error",
        "toomanyrequests", "too many requests", "x509:", "http response to https client", "unexpected eof", ": eof",
        "broken pipe", "cannot allocate memory", "network bridge not found", "oci runtime create failed",
        "runc run failed", "creating container for", "code = unavailable", "transport is closing",
        "disk quota exceeded",
        "permission denied while trying to connect", "input/output error", "read-only file system",
        "dial unix", "dial tcp", "connection timed out", "closing transport", "error reading from server",
        "signal: killed",
        "unknown flag:", "unknown shorthand flag", "buildx component is missing",
    ]

    private var isOurs: Bool {
        let last = lines.suffix(40).map { $0.lowercased() }
        // The disk is ours even where a step's command was the one that found it full.
        if last.contains(where: { $0.contains("no space left on device") }) { return true }
        // A command that isn't in the image is found missing by the runtime, not by a shell.
        let runtime = last.suffix(8).filter { $0.contains("runc") || $0.contains("crun") || $0.contains("exec: ") }
        if runtime.contains(where: { $0.contains("executable file") || $0.contains("no such file or directory") }) {
            return false
        }
        if runtime.contains(where: { $0.contains("creating container for") || $0.contains("run failed") }) {
            return true
        }
        if verdict.firstMatch(of: Self.stepFailed) != nil { return false }
        let said = verdict.lowercased()
        return Self.ours.contains { said.contains($0) }
    }

    // Where

    /// The line in the Dockerfile, and the instruction that begins there.
    private var place: (line: Int, instruction: String)? {
        let file = Dockerfile((try? String(contentsOfFile: build.dockerfile, encoding: .utf8)) ?? "")
        func instruction(_ line: Int) -> String { file.instructions.last { $0.line <= line }?.text ?? "" }
        for line in lines.reversed() {
            // BuildKit from 0.10 on; and the parser that all share.
            if let match = line.firstMatch(of: /^[^ ]*:(\d+)$|parse error (?:on )?line (\d+)/),
                let number = Int(match.1 ?? match.2 ?? "")
            {
                return (number, instruction(number))
            }
        }
        if let match = verdict.firstMatch(of: /(?i)unknown instruction: "?([^" ]+)/),
            let bad = file.instructions.first(where: { $0.text.lowercased().hasPrefix(match.1.lowercased()) })
        {
            return (bad.line, bad.text)
        }
        for line in lines.reversed() {
            if let step = step(in: line, of: file) { return (step.line, step.text) }
        }
        return nil
    }

    /// The instruction that a line of the output says is being worked on.
    private func step(in line: String, of file: Dockerfile) -> Dockerfile.Instruction? {
        // The classic builder counts through the whole file.
        if let match = line.wholeMatch(of: /Step (\d+)\/\d+ : .*/), let number = Int(match.1),
            file.instructions.indices.contains(number - 1)
        {
            return file.instructions[number - 1]
        }
        // Buildah counts within a stage, and leaves out what stands before the first.
        if let match = line.wholeMatch(of: /(?:\[(\d+)\/\d+\] )?STEP (\d+)\/\d+: (.*)/) {
            let (stage, number) = (Int(match.1 ?? "1"), Int(match.2))
            let counted = file.instructions.first { $0.stage == stage && $0.step == number }
            return file.only(String(match.3)) ?? counted
        }
        // A cache that is missing stands there like a step, and is no failure.
        if line.contains("> importing cache manifest from ") { return nil }
        // BuildKit: "> [2/3] RUN make:" under a rule, "#6 [builder 2/3] RUN make" while at it.
        if let match = line.wholeMatch(of: /\s?> \[[^\]]*\] (.*):/) ?? line.wholeMatch(of: /\s?> (.*):/) {
            let text = String(match.1)
            return file.only(text)
                ?? file.instructions.first { text.hasPrefix("FROM") || text.contains($0.text.dropFirst(5)) }
        }
        return nil
    }

    // Why

    /// The line in which the builder says what failed.
    private var verdict: String {
        let marks = ["ERROR: ", "Error: ", "Error response from daemon: ", "failed to solve", "error: "]
        let last = lines.suffix(12)
        return last.last { line in marks.contains { line.hasPrefix($0) } } ?? last.last ?? ""
    }

    private var reason: String {
        if let limit { return limit }
        if let match = verdict.firstMatch(of: Self.stepFailed) {
            // 128 and the number of SIGKILL, as shells and runtimes have it.
            let killed = match.1 == "137" ? " (killed, perhaps for want of memory)" : ""
            return "the command failed with exit code \(match.1)\(killed)"
        }
        if lines.isEmpty { return "it said nothing, and its exit code was \(code)" }
        var text = verdict
        let prefixes = [
            "ERROR: ", "Error: ", "error: ", "failed to build: ", "failed to solve with frontend dockerfile.v0: ",
            "failed to create LLB definition: ", "failed to solve: ", "Error response from daemon: ",
            "error parsing HTTP 500 response body: ", "rpc error: code = Unknown desc = ",
        ]
        while let prefix = prefixes.first(where: { text.hasPrefix($0) }) { text.removeFirst(prefix.count) }
        // Buildah shows its own structures after the sentence.
        return String(text.prefix(upTo: text.range(of: " &imagebuilder")?.lowerBound ?? text.endIndex)).shortened(
            to: 500)
    }

    /// How long a registry wants to be left alone, where the builder tells its words.
    private var retryAfter: Duration? {
        let told = lines.suffix(12).compactMap { $0.lowercased().firstMatch(of: /retry[- ]after:? (\d{1,6})/) }
        return told.last.flatMap { Int($0.1) }.map { .seconds($0) }
    }

    private var advice: String {
        let said = verdict.lowercased()
        if said.contains("http response to https client") {
            return " (it speaks plain HTTP: for docker, name it in the daemon's \"insecure-registries\"; "
                + "for buildah and podman, set insecure: true for it in the settings)"
        }
        if said.contains("unauthorized") || said.contains("denied") || said.contains("no basic auth credentials") {
            return " (check the username and password under \"registries\" in the settings)"
        }
        if said.contains("docker daemon") { return " (is the docker daemon running?)" }
        return ""
    }

    /// The last lines, without what only machines read.
    private var excerpt: String {
        lines.filter { $0.wholeMatch(of: /#\d+ sha256:[0-9a-f]{64}.*/) == nil }
            .suffix(15)
            .map { $0.shortened(to: 300) }
            .joined(separator: "\n")
    }

    private static func relative(_ path: String, to folder: String) -> String {
        path.hasPrefix(folder + "/") ? String(path.dropFirst(folder.count + 1)) : path
    }
}

extension String {
    fileprivate func shortened(to limit: Int) -> String {
        count <= limit ? self : prefix(limit - 1) + "…"
    }
}
