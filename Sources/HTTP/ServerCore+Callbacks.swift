import CMicroHTTPD
import Foundation

// What libmicrohttpd calls, on its own threads. C takes only functions that capture nothing: their context is the
// core, a connection's context its `Wire`, a request's context its `Exchange`; the latter two are retained from their
// first callback to their last.

extension ServerCore {
    static func callbacks(_ core: ServerCore) -> mhd_callbacks {
        mhd_callbacks(
            context: Unmanaged.passUnretained(core).toOpaque(), line: requestLine, access: access,
            completed: completed, connection: connectionChanged, say: say)
    }

    /// The request's headers in the order sent; only while libmicrohttpd calls back for it.
    static func headers(_ connection: ConnectionHandle) -> [(name: String, value: String)] {
        var headers: [(name: String, value: String)] = []
        withUnsafeMutablePointer(to: &headers) { list in
            _ = MHD_get_connection_values_n(connection.pointer, MHD_ValueKind.HEADER_KIND, collect, list)
        }
        return headers
    }
}

private func core(_ context: UnsafeMutableRawPointer?) -> ServerCore? {
    context.map { Unmanaged<ServerCore>.fromOpaque($0).takeUnretainedValue() }
}

private func connectionChanged(
    _ context: UnsafeMutableRawPointer?, _ connection: OpaquePointer?,
    _ slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ change: MHD_ConnectionNotificationCode
) {
    guard let core = core(context), let connection, let slot else { return }
    switch change {
    case .CONNECTION_NOTIFY_STARTED:
        slot.pointee = core.wire(mhd_socket(connection)).map { Unmanaged.passRetained($0).toOpaque() }
    case .CONNECTION_NOTIFY_CLOSED:
        guard let opaque = slot.pointee else { return }
        slot.pointee = nil
        core.remove(Unmanaged<Wire>.fromOpaque(opaque).takeRetainedValue())
    }
}

/// The request's target before libmicrohttpd decodes it.
private func requestLine(
    _ context: UnsafeMutableRawPointer?, _ target: UnsafePointer<CChar>?, _ connection: OpaquePointer?
) -> UnsafeMutableRawPointer? {
    guard let core = core(context), let connection, let opaque = mhd_socket_context(connection) else { return nil }
    let wire = Unmanaged<Wire>.fromOpaque(opaque).takeUnretainedValue()
    let exchange = core.begin(wire, target: target.map { String(cString: $0) } ?? "")
    return Unmanaged.passRetained(exchange).toOpaque()
}

private func access(
    _ context: UnsafeMutableRawPointer?, _ connection: OpaquePointer?, _ target: UnsafePointer<CChar>?,
    _ method: UnsafePointer<CChar>?, _ version: UnsafePointer<CChar>?, _ upload: UnsafePointer<CChar>?,
    _ size: UnsafeMutablePointer<Int>?, _ slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
    guard let connection, let method, let size, let opaque = slot?.pointee else { return .NO }
    let exchange = Unmanaged<Exchange>.fromOpaque(opaque).takeUnretainedValue()
    if size.pointee > 0 {
        let bytes = UnsafeRawBufferPointer(start: upload, count: size.pointee)
        size.pointee = 0
        return exchange.receive(bytes) ? .YES : .NO
    }
    let goesOn = exchange.proceed(ConnectionHandle(pointer: connection), method: String(cString: method))
    return goesOn ? .YES : .NO
}

private func completed(
    _ context: UnsafeMutableRawPointer?, _ connection: OpaquePointer?,
    _ slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ end: MHD_RequestTerminationCode
) {
    guard let slot, let opaque = slot.pointee else { return }
    slot.pointee = nil
    Unmanaged<Exchange>.fromOpaque(opaque).takeRetainedValue().finish()
}

private func say(_ context: UnsafeMutableRawPointer?, _ sentence: UnsafePointer<CChar>?) {
    guard let core = core(context), let sentence else { return }
    let text = String(cString: sentence).trimmingCharacters(in: .whitespacesAndNewlines)
    // An address may hold a trigger's token, and where one is told it is about a client that broke off.
    if let address = text.range(of: "request for") {
        return core.log.debug("libmicrohttpd closed a connection", ["said": text[..<address.upperBound] + " …"])
    }
    // Most of what else it says is that a client broke off, or that we asked it to close.
    let isOurs = ["Failed to", "Error", "Hit ", "Call to"].contains { text.hasPrefix($0) }
    if isOurs && !text.contains("losing connection") {
        core.log.warning("libmicrohttpd has trouble", ["said": text])
    } else {
        core.log.debug("libmicrohttpd closed a connection", ["said": text])
    }
}

private func collect(
    _ list: UnsafeMutableRawPointer?, _ kind: MHD_ValueKind, _ name: UnsafePointer<CChar>?, _ nameSize: Int,
    _ value: UnsafePointer<CChar>?, _ valueSize: Int
) -> MHD_Result {
    guard let list else { return .NO }
    func text(_ start: UnsafePointer<CChar>?, _ count: Int) -> String {
        String(decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self)
    }
    list.assumingMemoryBound(to: [(name: String, value: String)].self).pointee
        .append((name: text(name, nameSize), value: text(value, valueSize)))
    return .YES
}
