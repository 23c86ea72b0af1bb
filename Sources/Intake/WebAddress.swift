/// The parts of an https or http address that hosts write into their payloads.
struct WebAddress {
    let scheme: String
    /// With the port, where one is told; without the user that some hosts write before it.
    let host: String
    /// With its first slash; as it was written, escapes included.
    let path: String

    var text: String { "\(scheme)://\(host)\(path)" }

    /// - Returns: nil where the text is no such address.
    init?(_ text: String) {
        guard let scheme = ["https", "http"].first(where: { text.lowercased().hasPrefix("\($0)://") }) else {
            return nil
        }
        let rest = text.dropFirst(scheme.count + 3)
        let authority = rest.prefix { $0 != "/" }
        guard let host = authority.split(separator: "@").last else { return nil }
        self.scheme = scheme
        self.host = String(host)
        path = String(rest.dropFirst(authority.count))
    }
}
