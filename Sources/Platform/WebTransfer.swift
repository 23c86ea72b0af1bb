import CCurl
import Foundation
import FoundationNetworking
import Synchronization

/// One request, and what has come of its answer.
///
/// But for `isCancelled`, only the loop touches it once it has begun: that makes it safe to send.
final class WebTransfer: @unchecked Sendable {
    typealias Continuation = CheckedContinuation<WebClient.Answer, any Error>

    let isCancelled = Atomic(false)
    let handle: UnsafeMutableRawPointer
    /// Who is asked: scheme, host and port.
    let host: String
    var continuation: Continuation?

    private static let headLimit = 256 << 10
    private let limit: Int
    private var list: UnsafeMutablePointer<curl_slist>?
    /// Where libcurl writes what went wrong.
    private let words = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
    /// Bytes of the head so far.
    private var head = 0
    private var status = 0
    private var headers: [String: String] = [:]
    private var body = Data()
    /// More came than there is use for.
    private var isFull = false

    /// - Throws: `WebError` of kind `unsendable`.
    init(_ request: URLRequest, limit: Int) throws {
        guard let handle = WebLoop.isReady ? curl_easy_init() : nil else {
            throw WebError(kind: .unsendable, why: "libcurl could not begin")
        }
        self.handle = handle
        self.limit = limit
        host = "\(request.url?.scheme ?? "")://\(request.url?.host ?? ""):\(request.url?.port ?? 0)"
        words.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        try set(request)
    }

    deinit {
        curl_easy_cleanup(handle)
        curl_slist_free_all(list)
        words.deallocate()
    }

    private func set(_ request: URLRequest) throws {
        let method = request.httpMethod ?? "GET"
        var headers = request.allHTTPHeaderFields ?? [:]
        // Waiting whether a body is wanted costs more than sending it.
        headers["Expect"] = ""
        if request.httpBody != nil, headers["Content-Type"] == nil { headers["Content-Type"] = "" }
        for (name, value) in headers {
            guard !"\(name)\(value)".utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
                throw WebError(kind: .unsendable, why: "the header \(name) would hold a control character")
            }
            list = curl_slist_append(list, value.isEmpty ? "\(name):" : "\(name): \(value)")
        }
        curl_set_text(handle, CURLOPT_URL, request.url?.absoluteString ?? "")
        curl_allow_http_only(handle)
        curl_leave_resolver(handle)
        curl_set_number(handle, CURLOPT_NOSIGNAL, 1)
        curl_set_number(handle, CURLOPT_TIMEOUT_MS, Int((request.timeoutInterval * 1000).rounded(.up)))
        curl_set_pointer(handle, CURLOPT_HTTPHEADER, list)
        curl_set_pointer(handle, CURLOPT_ERRORBUFFER, words)
        if let bytes = request.httpBody {
            curl_set_size(handle, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(bytes.count))
            _ = bytes.withUnsafeBytes { bytes in
                // Copied there; a body of nothing is one all the same.
                curl_set_text(
                    handle, CURLOPT_COPYPOSTFIELDS,
                    bytes.baseAddress?.assumingMemoryBound(to: CChar.self) ?? UnsafePointer(words))
            }
        }
        if method == "HEAD" {
            curl_set_number(handle, CURLOPT_NOBODY, 1)
        } else {
            curl_set_text(handle, CURLOPT_CUSTOMREQUEST, method)
        }
        // The loop holds the transfer for as long as libcurl may call.
        let context = Unmanaged.passUnretained(self).toOpaque()
        curl_set_pointer(handle, CURLOPT_WRITEDATA, context)
        curl_set_pointer(handle, CURLOPT_HEADERDATA, context)
        curl_set_receiver(handle, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
            WebTransfer.of(context).take(UnsafeRawBufferPointer(start: bytes, count: size * count))
        }
        curl_set_receiver(handle, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
            WebTransfer.of(context).takeLine(UnsafeRawBufferPointer(start: bytes, count: size * count))
        }
    }

    private static func of(_ context: UnsafeMutableRawPointer?) -> WebTransfer {
        guard let context else { preconditionFailure("libcurl always has the context") }
        return Unmanaged<WebTransfer>.fromOpaque(context).takeUnretainedValue()
    }

    // MARK: The answer

    /// - Returns: how many bytes were taken; fewer end the transfer.
    private func take(_ bytes: UnsafeRawBufferPointer) -> Int {
        let room = (status >= 400 ? WebClient.errorBodyLimit : limit) - body.count
        body.append(contentsOf: bytes.prefix(room))
        isFull = bytes.count > room
        return isFull ? 0 : bytes.count
    }

    /// A line of the head, or of one before that said only to go on (1xx).
    ///
    /// - Returns: how many bytes were taken; fewer end the transfer.
    private func takeLine(_ bytes: UnsafeRawBufferPointer) -> Int {
        head += bytes.count
        if head > Self.headLimit { return 0 }
        let line = String(decoding: bytes, as: UTF8.self)
        if line.hasPrefix("HTTP/") {
            status = line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
            headers = [:]
        } else if body.isEmpty, let colon = line.firstIndex(of: ":") {
            let name = line[..<colon].lowercased()
            let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespacesAndNewlines)
            headers[name] = headers[name].map { "\($0), \(value)" } ?? value
        }
        return bytes.count
    }

    /// Tells the caller what became of it.
    ///
    /// - Parameter code: nil where it was broken off from here.
    func end(_ code: CURLcode?) {
        continuation?.resume(with: result(code))
        continuation = nil
    }

    private func result(_ code: CURLcode?) -> Result<WebClient.Answer, any Error> {
        guard let code, !isCancelled.load(ordering: .relaxed) else { return .failure(CancellationError()) }
        if isFull, status < 400 { return .failure(WebError(kind: .tooLong, why: "more than \(limit) bytes came")) }
        guard code == CURLE_OK || isFull else {
            let text = String(cString: words)
            return .failure(
                WebError(kind: Self.kind(code), why: text.isEmpty ? String(cString: curl_easy_strerror(code)) : text))
        }
        return .success(WebClient.Answer(status: status, headers: headers, body: body))
    }

    private static func kind(_ code: CURLcode) -> WebError.Kind {
        switch code {
        case CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_CONNECT, CURLE_OPERATION_TIMEDOUT:
            .unreachable
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CERTPROBLEM,
            CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_ENGINE_INITFAILED:
            .untrusted
        case CURLE_UNSUPPORTED_PROTOCOL, CURLE_URL_MALFORMAT, CURLE_WEIRD_SERVER_REPLY: .notHTTP
        default: .brokenOff
        }
    }
}
