import Foundation
import HTTP
import Testing

@Suite struct ResponseTests {
    private struct Sample: Encodable {
        let url: String
        let at: Date
    }

    private func text(_ response: HTTPResponse) -> String {
        guard case .data(let data) = response.body else { return "" }
        return String(decoding: data, as: UTF8.self)
    }

    private func object(_ response: HTTPResponse) throws -> [String: Any]? {
        try JSONSerialization.jsonObject(with: Data(text(response).utf8)) as? [String: Any]
    }

    @Test func jsonHasPlainSlashesAndUTCTimes() {
        let response = HTTPResponse.json(200, Sample(url: "http://a/b", at: Date(timeIntervalSince1970: 1.5)))
        #expect(text(response).contains(#""url":"http://a/b""#))
        #expect(text(response).contains(#""at":"1970-01-01T00:00:01.500Z""#))
        #expect(response.headers.map(\.value) == ["application/json"])
    }

    @Test func whatJSONCannotHoldIsAProblem() throws {
        let response = HTTPResponse.json(200, [Double.infinity])
        #expect(response.status == 500)
        #expect(response.headers.first?.value == "application/problem+json")
    }

    @Test func problemsCarryTheirMembers() throws {
        let problem = Problem(
            status: 429, title: "Queue full", detail: "Try again later.", extra: ["pending": 7, "status": "mine"])
        let response = HTTPResponse.problem(problem, headers: [("Retry-After", "30")])
        #expect(response.status == 429)
        #expect(response.headers.map(\.name) == ["Content-Type", "Retry-After"])
        #expect(response.headers.first?.value == "application/problem+json")
        let members = try #require(try object(response))
        #expect(members["type"] as? String == "about:blank")
        #expect(members["status"] as? Int == 429)
        #expect(members["pending"] as? Int == 7)
        #expect(members["detail"] as? String == "Try again later.")
    }
}
