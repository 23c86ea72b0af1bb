import Foundation
import HTTP
import Testing

@Suite struct RouterTests {
    private var router: Router {
        var router = Router()
        router.on("GET", "/") { _, _ in .text(200, "root") }
        router.on("GET", "/builds/:id") { _, parameters in .text(200, "build \(parameters["id"])") }
        router.on("GET", "/builds/newest") { _, _ in .text(200, "newest") }
        router.on("POST", "/builds/:id/cancel") { _, parameters in .text(202, "cancel \(parameters["id"])") }
        router.on("POST", "/u/:ns/:name/trigger/:token/") { _, parameters in
            .text(200, "\(parameters["ns"])/\(parameters["name"]) \(parameters["none"])")
        }
        return router
    }

    private func ask(_ method: String, _ target: String) async throws -> (HTTPResponse, String) {
        let response = await router.answer(try HTTPRequest(method: method, target: target))
        guard case .data(let data) = response.body else { return (response, "") }
        return (response, String(decoding: data, as: UTF8.self))
    }

    @Test(arguments: [
        ("GET", "/", "root"),
        ("GET", "/builds/42", "build 42"),
        ("GET", "/builds/42/", "build 42"),
        ("GET", "/builds/a%2Fb?x=1", "build a/b"),
        ("HEAD", "/builds/42", "build 42"),
        // A literal segment is nearer than a parameter, also where it was added later.
        ("GET", "/builds/newest", "newest"),
        ("POST", "/builds/42/cancel", "cancel 42"),
        ("POST", "/u/acme/shop/trigger/t", "acme/shop "),
        ("POST", "/u/acme/shop/trigger/t/", "acme/shop "),
    ])
    func routesAreFound(method: String, target: String, answer: String) async throws {
        #expect(try await ask(method, target).1 == answer)
    }

    @Test(arguments: ["/none", "/builds", "/builds//", "/builds/1/2", "/Builds/1", "//"])
    func otherPathsAreNotFound(target: String) async throws {
        let (response, _) = try await ask("GET", target)
        #expect(response.status == 404)
        #expect(response.headers.first?.value == "application/problem+json")
    }

    @Test(arguments: [
        ("POST", "/builds/1", "GET, HEAD"), ("GET", "/builds/1/cancel", "POST"), ("get", "/", "GET, HEAD"),
    ])
    func otherMethodsAreToldWhatIsAllowed(method: String, target: String, allow: String) async throws {
        let (response, _) = try await ask(method, target)
        #expect(response.status == 405)
        #expect(response.headers.first { $0.name == "Allow" }?.value == allow)
    }
}
