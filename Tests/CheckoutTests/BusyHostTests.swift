import Checkout
import Model
import TestSupport
import Testing

/// A Git host that wants to be left alone says so in HTTP.
@Suite struct BusyHostTests {
    @Test(arguments: [(429, true), (503, false), (404, false)])
    func isToldFromOtherFaults(status: Int, isTooMany: Bool) async throws {
        let server = try ScriptedServer { _ in .answer(status, [("Retry-After", "60")], "Later") }
        defer { server.stop() }
        let source = try GitSource("http://\(server.host)/acme/shop.git")
        let error = await #expect(throws: CheckoutError.self) {
            try await listRemote(source: source, credentials: nil)
        }
        #expect(error?.isTooManyRequests == isTooMany, "\(String(describing: error))")
    }
}
