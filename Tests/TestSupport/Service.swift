import Foundation
import Model

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// A `slipway serve` of its own, and the questions that tests put to it.
package final class Service: @unchecked Sendable {
    package let url: String
    package let process: Program
    private let errors: URL

    /// The program beside the tests.
    package static var program: String {
        let exe =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        let beside = URL(fileURLWithPath: exe).deletingLastPathComponent().appending(path: "slipway").path
        if FileManager.default.isExecutableFile(atPath: beside) { return beside }
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? ""
        return URL(fileURLWithPath: bundle).deletingLastPathComponent().appending(path: "slipway").path
    }

    private init(url: String, process: Program, errors: URL) {
        self.url = url
        self.process = process
        self.errors = errors
    }

    package struct NotStarted: Error, CustomStringConvertible {
        package let description: String

        package init(description: String) { self.description = description }
    }

    /// Starts the service on these settings and waits for its address.
    ///
    /// - Parameter launcher: a program with arguments that becomes the one whose command line follows them.
    package static func start(
        config: String, environment: [String: String] = [:], grace: String = "30s", launcher: [String]? = nil
    ) async throws -> Service {
        let words = (launcher ?? [program]) + ["serve", "--config", config, "--grace", grace]
        let out = Pipe()
        let (process, errors) = try spawn(words, config, environment, out)
        let line = await withCheckedContinuation { (done: CheckedContinuation<String, Never>) in
            DispatchQueue.global().async {
                var text = Data()
                while !text.contains(UInt8(ascii: "\n")) {
                    let more = out.fileHandleForReading.availableData
                    if more.isEmpty { break }
                    text += more
                }
                done.resume(
                    returning: String(decoding: text, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
            }
        }
        guard line.hasPrefix("http://") else {
            process.waitUntilExit()
            throw NotStarted(
                description: (try? String(contentsOf: errors, encoding: .utf8)) ?? "no word from slipway serve")
        }
        return Service(url: line, process: process, errors: errors)
    }

    /// Starts `slipway worker` on these settings and waits until it works. It has no address, so no questions either.
    ///
    /// - Parameter launcher: as with `start`.
    package static func startWorker(
        config: String, name: String? = nil, environment: [String: String] = [:], grace: String = "30s",
        launcher: [String]? = nil
    ) async throws -> Service {
        let named = name.map { ["--name", $0] } ?? []
        let words = (launcher ?? [program]) + ["worker", "--config", config, "--grace", grace] + named
        let said = (try? String(contentsOfFile: config + ".log", encoding: .utf8)) ?? ""
        let (process, errors) = try spawn(words, config, environment, nil)
        let worker = Service(url: "", process: process, errors: errors)
        let word = " working"
        do {
            try await worker.waitUntilItSays(word, times: said.components(separatedBy: word).count)
        } catch {
            await worker.kill9()
            throw error
        }
        return worker
    }

    private static func spawn(
        _ words: [String], _ config: String, _ environment: [String: String], _ out: Pipe?
    ) throws -> (Program, errors: URL) {
        let process = Program()
        process.executableURL = URL(fileURLWithPath: words[0])
        process.arguments = Array(words.dropFirst())
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        // All starts on one folder share a log, as a journal would.
        let errors = URL(fileURLWithPath: config + ".log")
        if !FileManager.default.fileExists(atPath: errors.path) {
            try Data().write(to: errors)
        }
        let handle = try FileHandle(forWritingTo: errors)
        try handle.seekToEnd()
        process.standardOutput = out
        process.standardError = handle
        process.standardInput = FileHandle.nullDevice
        try process.runUnmasked()
        return (process, errors)
    }

    package var pid: Int32 { process.processIdentifier }

    /// What the service told its operator.
    package var log: String { (try? String(contentsOf: errors, encoding: .utf8)) ?? "" }

    /// Waits until the service has told its operator something so often.
    package func waitUntilItSays(_ text: String, times: Int = 1, deadline: TimeInterval = 180) async throws {
        let end = Date(timeIntervalSinceNow: deadline)
        let isSaid = await withCheckedContinuation { (done: CheckedContinuation<Bool, Never>) in
            Thread.detachNewThread { [self] in
                // A file tells nobody that it grew, so it is read again and again.
                while log.components(separatedBy: text).count <= times {
                    if Date() > end || !process.isRunning { return done.resume(returning: false) }
                    poll(nil, 0, 20)
                }
                done.resume(returning: true)
            }
        }
        if !isSaid { throw NotStarted(description: "the service never said \"\(text)\" \(times) times:\n\(log)") }
    }

    package func kill9() async {
        kill(pid, SIGKILL)
        await process.ended()
    }

    /// Asks it to stop and waits for it.
    ///
    /// - Returns: its exit code.
    @discardableResult
    package func stop() async -> Int32 {
        if process.isRunning { kill(pid, SIGTERM) }
        await process.ended()
        return process.terminationStatus
    }

    // MARK: Questions

    /// A JSON answer and its status.
    package struct Reply: @unchecked Sendable {
        package let status: Int
        package let body: Data

        package init(status: Int, body: Data) { (self.status, self.body) = (status, body) }

        package var object: [String: Any] { (try? JSONSerialization.jsonObject(with: body)) as? [String: Any] ?? [:] }
        package var text: String { String(decoding: body, as: UTF8.self) }
        package var builds: [BuildView] { (object["builds"] as? [[String: Any]] ?? []).map(BuildView.init) }
        /// Why rules built nothing, a line each.
        package var reasons: String {
            (object["ignored"] as? [[String: Any]] ?? []).compactMap { $0["reason"] as? String }.joined(separator: "\n")
        }
    }

    package struct BuildView: @unchecked Sendable, CustomStringConvertible {
        package let json: [String: Any]

        package init(_ json: [String: Any]) { self.json = json }

        package var id: Int { json["id"] as? Int ?? -1 }
        package var state: String { json["state"] as? String ?? "" }
        package var attempt: Int { json["attempt"] as? Int ?? -1 }
        package var digest: String? { json["digest"] as? String }
        package var commit: String? { json["commit"] as? String }
        package var commitTag: String? { json["commit_tag"] as? String }
        package var error: String { (json["error"] as? [String: Any])?["message"] as? String ?? "" }
        package var errorKind: String? { (json["error"] as? [String: Any])?["kind"] as? String }
        package var errorStage: String? { (json["error"] as? [String: Any])?["stage"] as? String }
        package var isEnd: Bool { !["pending", "building", "pushing"].contains(state) }
        package var description: String { "build \(id) \(state) \(error)" }
    }

    package func request(
        _ method: String, _ path: String, headers: [String: String] = [:], body: Data? = nil, timeout: Double = 60
    ) async throws -> Reply {
        guard let url = URL(string: url + path) else { throw NotStarted(description: "\(path) is no path") }
        var request = URLRequest(url: url, timeoutInterval: timeout)
        request.httpMethod = method
        request.httpBody = body
        for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
        let (data, response) = try await URLSession.shared.data(for: request)
        return Reply(status: (response as? HTTPURLResponse)?.statusCode ?? 0, body: data)
    }

    package func build(_ id: Int) async throws -> BuildView {
        BuildView(try await request("GET", "/api/v1/builds/\(id)").object)
    }

    package func log(of id: Int) async throws -> String {
        try await request("GET", "/api/v1/builds/\(id)/log").text
    }

    /// Waits until the build is in a state, or has ended.
    package func wait(for id: Int, _ states: Set<String> = [], deadline: Double = 240) async throws -> BuildView {
        let end = Date(timeIntervalSinceNow: deadline)
        var seen = "none"
        while true {
            let query = seen == "none" ? "" : "?wait=5s&seen=\(seen)"
            let build = BuildView(try await request("GET", "/api/v1/builds/\(id)\(query)").object)
            if build.isEnd || states.contains(build.state) { return build }
            seen = build.state
            if Date() > end {
                throw NotStarted(description: "build \(id) is still \(build.state) after \(deadline) s:\n\(log)")
            }
        }
    }

    /// Follows a build's log until it holds a text, or the build has ended.
    package func wait(for id: Int, log text: String, deadline: Double = 180) async throws {
        let follower = Program()
        follower.executableURL = URL(fileURLWithPath: Self.program)
        follower.arguments = ["logs", "\(id)", "--follow", "--url", url]
        let output = Pipe()
        follower.standardOutput = output
        try follower.runUnmasked()
        // The end of the follower ends the reading, so the deadline bounds this too.
        let timer = Task {
            try await Task.sleep(for: .seconds(deadline))
            follower.terminate()
        }
        let said = await withCheckedContinuation { (done: CheckedContinuation<String, Never>) in
            Thread.detachNewThread {
                var said = Data()
                while said.range(of: Data(text.utf8)) == nil {
                    let more = output.fileHandleForReading.availableData
                    if more.isEmpty { break }
                    said += more
                }
                done.resume(returning: String(decoding: said, as: UTF8.self))
            }
        }
        timer.cancel()
        follower.terminate()
        await follower.ended()
        guard said.contains(text) else {
            throw NotStarted(description: "build \(id) never said \"\(text)\":\n\(said)")
        }
    }
}

/// A signed GitHub push, as a Git host would send it.
package struct Webhook: Sendable {
    package var ref: String
    package var commit: String
    package var secret: String
    package var message = "A change"

    package init(ref: String, commit: String, secret: String, message: String = "A change") {
        self.ref = ref
        self.commit = commit
        self.secret = secret
        self.message = message
    }

    package var body: Data {
        let payload: [String: Any] = [
            "ref": ref, "before": String(repeating: "0", count: 40), "after": commit, "created": false,
            "deleted": false,
            "forced": false, "repository": ["full_name": "acme/shop", "default_branch": "main"],
            "head_commit": ["id": commit, "message": message, "author": ["name": "Ada Lovelace"]] as [String: Any],
        ]
        return (try? JSONSerialization.data(withJSONObject: payload)) ?? Data()
    }
}
