import CMicroHTTPD
import Foundation

extension Exchange {
    /// Queues the answer, on libmicrohttpd's thread.
    ///
    /// - Returns: false where libmicrohttpd won't have it, and the connection is to be closed.
    func transmit(_ response: HTTPResponse, _ state: inout State) -> Bool {
        guard let connection = state.connection, let made = make(response) else { return false }
        defer { MHD_destroy_response(made) }
        state.phase = .sending
        for (name, value) in response.headers where MHD_add_response_header(made, name, value) != .YES {
            // A line end in a value would begin a header of the client's choice; libmicrohttpd refuses it.
            core.log.error("a header was left out of an answer, because it can't be written", ["name": name])
        }
        if core.isDraining { MHD_add_response_header(made, "Connection", "close") }
        guard MHD_queue_response(connection.pointer, UInt32(clamping: response.status), made) == .YES else {
            core.log.error("an answer was not sent, because libmicrohttpd refused it", ["status": response.status])
            return false
        }
        return true
    }

    private func make(_ response: HTTPResponse) -> OpaquePointer? {
        switch response.body {
        case .data(let data):
            return data.withUnsafeBytes {
                MHD_create_response_from_buffer(
                    $0.count, UnsafeMutableRawPointer(mutating: $0.baseAddress),
                    MHD_ResponseMemoryMode.RESPMEM_MUST_COPY)
            }
        case .stream:
            let context = Unmanaged.passRetained(self)
            let made = MHD_create_response_from_callback(
                UInt64.max, 8 << 10, readBody, context.toOpaque(), releaseBody)
            if made == nil { context.release() }
            return made
        }
    }
}

private func readBody(
    _ context: UnsafeMutableRawPointer?, _ position: UInt64, _ buffer: UnsafeMutablePointer<CChar>?, _ limit: Int
) -> Int {
    guard let context else { return mhd_end_with_error }
    return Unmanaged<Exchange>.fromOpaque(context).takeUnretainedValue()
        .read(UnsafeMutableRawBufferPointer(start: buffer, count: limit))
}

private func releaseBody(_ context: UnsafeMutableRawPointer?) {
    guard let context else { return }
    Unmanaged<Exchange>.fromOpaque(context).release()
}
