import Foundation
import FoundationNetworking
import Model
import Platform

extension RegistryClient {
    /// Asks whether a registry answers at this host, and takes the credentials known for it.
    ///
    /// - Throws: `RegistryError`.
    package func ping(host: String) async throws {
        let operation = RegistryOperation("ask for the distribution API at \(host)", host: host)
        let (response, login) = try await send(Call("GET", "", nil, .pull), limit: WebClient.errorBodyLimit, operation)
        if response.status == 404 {
            throw RegistryError.notARegistry(operation, why: "it has no /v2/")
        }
        guard response.status == 200 else { throw response.error(operation, login: login, now: time.now) }
    }

    /// Asks whether an image could be pushed: begins an upload, and takes it back.
    ///
    /// Token servers give a token to those who may only read too, so nothing less shows it.
    ///
    /// - Throws: `RegistryError`.
    package func checkAccess(image: ImageName) async throws {
        try await ping(host: image.registry)
        let operation = RegistryOperation("begin a push to \(image)", host: image.registry)
        var call = Call("POST", "\(image.path)/blobs/uploads/", image, .push)
        // Empty, but there: some servers answer 411 to a POST that doesn't say its length.
        call.body = Data()
        let (response, login) = try await send(call, limit: WebClient.errorBodyLimit, operation)
        guard (200..<300).contains(response.status) else {
            throw response.error(operation, login: login, now: time.now)
        }
        guard let location = response.headers["location"],
            let upload = URL(string: location, relativeTo: response.url)?.absoluteURL,
            upload.origin == response.url.origin
        else { return }
        // An upload that is not taken back ends by itself; registries need not offer more (distribution spec 1.1).
        var takeBack = Call("DELETE", "", image, .push)
        takeBack.url = upload
        let (end, _) = try await send(
            takeBack, limit: WebClient.errorBodyLimit,
            RegistryOperation("take back the push to \(image)", host: image.registry))
        if end.status >= 500 { throw end.error(operation, login: login, now: time.now) }
    }
}
