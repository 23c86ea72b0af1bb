import Foundation
import FoundationNetworking
import Platform

/// Puts blobs and manifests into a registry by its API, with no builder's help.
package struct ImageUpload: Sendable {
    package struct Failed: Error, CustomStringConvertible {
        package let description: String
        /// What the registry answered; 0 where it did not.
        package let status: Int

        package init(_ description: String, status: Int = 0) {
            self.description = description
            self.status = status
        }
    }

    /// `http://127.0.0.1:5000/v2/acme/shop`.
    private let address: String
    private let authorization: String?

    /// - Parameter authorization: the header's value, for a registry that asks.
    package init(address: String, authorization: String? = nil) {
        self.address = address
        self.authorization = authorization
    }

    /// - Throws: `Failed`, or what URLSession throws.
    package func blob(_ data: Data) async throws {
        let started = try await send("POST", address + "/blobs/uploads/", nil, type: nil)
        guard let location = started.value(forHTTPHeaderField: "Location"),
            let place = URL(string: location, relativeTo: URL(string: address))
        else { throw Failed("the registry gave no place for an upload") }
        let mark = place.query == nil ? "?" : "&"
        let target = place.absoluteString + "\(mark)digest=sha256:\(Crypto.sha256(data).hex)"
        try await send("PUT", target, data, type: "application/octet-stream")
    }

    /// - Throws: `Failed`, or what URLSession throws.
    package func manifest(_ data: Data, as tag: String, type: String) async throws {
        try await send("PUT", address + "/manifests/" + tag, data, type: type)
    }

    @discardableResult
    private func send(_ method: String, _ address: String, _ body: Data?, type: String?) async throws
        -> HTTPURLResponse
    {
        guard let url = URL(string: address) else { throw Failed("\(address) is no address") }
        var request = URLRequest(url: url)
        request.httpMethod = method
        request.httpBody = body
        request.setValue(type, forHTTPHeaderField: "Content-Type")
        request.setValue(authorization, forHTTPHeaderField: "Authorization")
        let (text, response) = try await URLSession.shared.data(for: request)
        guard let response = response as? HTTPURLResponse, (200..<300).contains(response.statusCode) else {
            let code = (response as? HTTPURLResponse)?.statusCode ?? 0
            throw Failed(
                "\(method) \(address) answered \(code): \(String(decoding: text, as: UTF8.self))", status: code)
        }
        return response
    }
}
