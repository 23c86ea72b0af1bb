import Foundation
import Model
import Platform
import Registry
import Synchronization
import TestSupport
import Testing

@testable import Worker

struct BaseDigestsTests {
    /// A registry whose tags point at digests of their names, until a test says otherwise.
    private final class Source: Sendable {
        let server: ScriptedServer
        let time = ManualTime()
        let bases: BaseDigests
        private let box: Box

        init(_ script: (@Sendable (ScriptedServer.Request) -> ScriptedServer.Reply)? = nil) throws {
            let box = Box()
            server = try ScriptedServer { request in
                script?(request) ?? box.replies.withLock { $0[Self.tag(request)] }
                    ?? .answer(200, [("Docker-Content-Digest", Self.digest(Self.tag(request)))])
            }
            self.box = box
            let client = RegistryClient(
                configuration: { _ in RegistryConfiguration(insecure: true) }, dockerConfig: nil)
            // Whatever else the machine does.
            bases = BaseDigests(client, time: time, patience: .seconds(60))
        }

        deinit { server.stop() }

        private final class Box: Sendable {
            let replies = Mutex<[String: ScriptedServer.Reply]>([:])
        }

        static func digest(_ text: String) -> String { "sha256:" + Crypto.sha256(Data(text.utf8)).hex }

        static func tag(_ request: ScriptedServer.Request) -> String {
            request.target.split(separator: "/").last.map(String.init) ?? ""
        }

        func answers(_ tag: String, _ reply: ScriptedServer.Reply?) { box.replies.withLock { $0[tag] = reply } }

        func moved(_ tag: String, to text: String) {
            answers(tag, .answer(200, [("Docker-Content-Digest", Self.digest(text))]))
        }

        func image(_ text: String) throws -> ImageReference { try ImageReference("\(server.host)/\(text)") }

        func known(_ text: String) throws -> BaseDigests.Answer { .digest(try Digest(Self.digest(text))) }
    }

    @Test func anAnswerIsBelievedForAWhile() async throws {
        let source = try Source()
        let image = try source.image("base:1")
        #expect(await source.bases.answer(for: image) == (try source.known("1")))
        source.moved("1", to: "another")
        source.time.advance(by: BaseDigests.age - .seconds(1))
        #expect(await source.bases.answer(for: image) == (try source.known("1")))
        #expect(source.server.requests.map(\.method) == ["HEAD"])
        source.time.advance(by: .seconds(1))
        #expect(await source.bases.answer(for: image) == (try source.known("another")))
        #expect(source.server.requests.count == 2)
    }

    @Test func whoAsksAnewIsTheLastToBeBelieved() async throws {
        let source = try Source()
        let image = try source.image("base:1")
        _ = await source.bases.answer(for: image)
        source.moved("1", to: "another")
        #expect(await source.bases.answer(for: image, anew: true) == (try source.known("another")))
        #expect(await source.bases.answer(for: image) == (try source.known("another")))
        source.answers("1", .answer(404))
        guard case .unknown = await source.bases.answer(for: image, anew: true) else {
            Issue.record("a tag that is gone is known")
            return
        }
        #expect(source.server.requests.count == 3)
    }

    @Test(arguments: [404, 401, 500])
    func noAnswerIsNotKept(status: Int) async throws {
        let source = try Source()
        let image = try source.image("base:1")
        source.answers("1", .answer(status))
        guard case .unknown(let why) = await source.bases.answer(for: image) else {
            Issue.record("the digest is known")
            return
        }
        #expect(why.contains(image.text), "\(why)")
        source.answers("1", nil)
        #expect(await source.bases.answer(for: image) == (try source.known("1")))
    }

    @Test func aDigestNeedsNoQuestion() async throws {
        let source = try Source()
        let digest = Source.digest("pinned")
        for name in ["base", "base:1"] {
            #expect(
                await source.bases.answer(for: try source.image("\(name)@\(digest)")) == (try source.known("pinned")))
        }
        #expect(source.server.requests.isEmpty)
    }

    @Test func withoutATagItIsTheLatest() async throws {
        let source = try Source()
        #expect(await source.bases.answer(for: try source.image("base")) == (try source.known("latest")))
    }

    /// Each is answered only once all three were asked.
    @Test func manyAreAskedAtOnceAndEachOnce() async throws {
        let asked = Mutex<Set<String>>([])
        let all = DispatchSemaphore(value: 0)
        let source = try Source { request in
            let tag = Source.tag(request)
            if asked.withLock({
                $0.insert(tag)
                return $0.count
            }) == 3 {
                for _ in 0..<3 { all.signal() }
            }
            guard all.wait(timeout: .now() + 20) == .success else { return .answer(500) }
            return .answer(200, [("Docker-Content-Digest", Source.digest(tag))])
        }
        let images = try ["1", "2", "3", "1", "2", "3", "1"].map { try source.image("base:\($0)") }
        let answers = await source.bases.answers(for: images)
        #expect(answers == (try ["1", "2", "3", "1", "2", "3", "1"].map { try source.known($0) }))
        #expect(source.server.requests.count == 3)
    }
}
