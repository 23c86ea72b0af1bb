import Foundation
import Model
import Settings
import Status
import Synchronization

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Asks a running Slipway.
struct Client: Sendable {
    static let options: Set<String> = ["url", "token", "config"]

    let url: String
    private let token: String?

    /// Flag, then environment, then the settings file, then the default address.
    init(_ arguments: Arguments) throws {
        let environment = ProcessInfo.processInfo.environment
        let given = arguments["url"] ?? environment["SLIPWAY_URL"]
        var url = try given ?? Self.urlOfSettings(arguments, environment) ?? "http://127.0.0.1:8080"
        while url.hasSuffix("/") { url.removeLast() }
        guard let parsed = URL(string: url), ["http", "https"].contains(parsed.scheme), parsed.host != nil else {
            throw UsageError("\"\(url)\" is not an http or https address")
        }
        self.url = url
        token = arguments["token"] ?? environment["SLIPWAY_TOKEN"]
    }

    private static func urlOfSettings(_ arguments: Arguments, _ environment: [String: String]) throws -> String? {
        guard let path = try? SettingsFile.locate(flag: arguments["config"], environment: environment) else {
            if let config = arguments["config"] { throw UsageError("there is no settings file \(config)") }
            return nil
        }
        do {
            let settings = try SettingsFile.read(path: path, environment: environment).settings
            return settings.url ?? "http://\(settings.listen)"
        } catch {
            // Its secrets may not be for this user to read; the service's address can be given without.
            throw UsageError("the settings at \(path) can't be read here, so give --url or SLIPWAY_URL:\n\(error)")
        }
    }

    // MARK: Requests

    func get<Value: Decodable>(_ path: String, _ query: [(String, String)] = [], timeout: Double = 30) async throws
        -> Value
    {
        try await decode(request("GET", path, query, timeout: timeout))
    }

    func post<Value: Decodable>(_ path: String, body: some Encodable = [String: String]()) async throws -> Value {
        var request = request("POST", path, [], timeout: 60)
        request.httpBody = try JSONEncoder().encode(body)
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        return try await decode(request)
    }

    private func request(_ method: String, _ path: String, _ query: [(String, String)], timeout: Double) -> URLRequest {
        var components = URLComponents(string: url + path) ?? URLComponents()
        if !query.isEmpty { components.queryItems = query.map { URLQueryItem(name: $0.0, value: $0.1) } }
        var request = URLRequest(url: components.url ?? URL(fileURLWithPath: "/"), timeoutInterval: timeout)
        request.httpMethod = method
        if let token { request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization") }
        return request
    }

    private func decode<Value: Decodable>(_ request: URLRequest) async throws -> Value {
        let (data, response): (Data, URLResponse)
        do {
            (data, response) = try await URLSession.shared.data(for: request)
        } catch {
            throw unreachable(error)
        }
        let status = (response as? HTTPURLResponse)?.statusCode ?? 0
        guard (200..<300).contains(status) else { throw ClientError.refused(status, data, url) }
        do {
            return try JSONDecoder().decode(Value.self, from: data)
        } catch {
            throw ClientError("\(url) answered something that this version does not understand: \(error)")
        }
    }

    private func unreachable(_ error: any Error) -> ClientError {
        ClientError(
            "\(url) can't be reached: \((error as NSError).localizedDescription). Is \"slipway serve\" running there?")
    }

    /// Gives the bytes of an answer as they come.
    func stream(_ path: String, _ query: [(String, String)], _ take: (Data) -> Void) async throws {
        // No answer at all for an hour means that the build is stuck or the line is dead.
        let request = request("GET", path, query, timeout: 3600)
        let receiver = StreamReceiver()
        let session = URLSession(configuration: .ephemeral, delegate: receiver, delegateQueue: nil)
        defer { session.invalidateAndCancel() }
        session.dataTask(with: request).resume()
        var refusal = Data()
        var status = 200
        do {
            for try await event in receiver.events {
                switch event {
                case .status(let code): status = code
                case .bytes(let bytes) where (200..<300).contains(status): take(bytes)
                case .bytes(let bytes): refusal += bytes
                }
            }
        } catch {
            throw unreachable(error)
        }
        guard (200..<300).contains(status) else { throw ClientError.refused(status, refusal, url) }
    }
}

struct ClientError: Error, CustomStringConvertible {
    let description: String
    /// What the service answered, where it refused.
    let status: Int?

    init(_ description: String, status: Int? = nil) {
        self.description = description
        self.status = status
    }

    /// Out of the service's problem document (RFC 9457). What it can't read (400) is the caller's mistake.
    static func refused(_ status: Int, _ body: Data, _ url: String) -> any Error {
        struct Problem: Decodable {
            var title: String?
            var detail: String?
        }
        let problem = try? JSONDecoder().decode(Problem.self, from: body)
        if status == 400, let detail = problem?.detail { return UsageError(detail) }
        let text = [problem?.title, problem?.detail].compactMap(\.self).joined(separator: ": ")
        let hint = status == 401 ? " (give --token or SLIPWAY_TOKEN)" : ""
        return ClientError("\(url) answered \(status)\(text.isEmpty ? "" : ": \(text)")\(hint)", status: status)
    }
}

private final class StreamReceiver: NSObject, URLSessionDataDelegate, Sendable {
    enum Event: Sendable {
        case status(Int)
        case bytes(Data)
    }

    let events: AsyncThrowingStream<Event, any Error>
    private let continuation: AsyncThrowingStream<Event, any Error>.Continuation

    override init() {
        (events, continuation) = AsyncThrowingStream.makeStream()
    }

    func urlSession(
        _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
        completionHandler: @escaping @Sendable (URLSession.ResponseDisposition) -> Void
    ) {
        continuation.yield(.status((response as? HTTPURLResponse)?.statusCode ?? 0))
        completionHandler(.allow)
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        continuation.yield(.bytes(data))
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        continuation.finish(throwing: error)
    }
}
