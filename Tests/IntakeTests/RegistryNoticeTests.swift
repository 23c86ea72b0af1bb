import Foundation
import Model
import Testing

@testable import Intake

/// What registries tell of pushed tags, and whom it concerns.
@Suite struct RegistryNoticeTests {
    private func pushed(_ body: String) throws -> [String] {
        try RegistryNotice(Data(body.utf8)).pushed.map { "\($0.host ?? "?") \($0.path) \($0.tag)" }
    }

    private static func event(
        _ action: String = "push", _ path: String = "acme/base", tag: String? = "1", host: String = "r.test:5000"
    ) -> String {
        """
        {"id": "5a1c", "timestamp": "2026-11-21T12:00:00Z", "action": "\(action)",
         "target": {"mediaType": "application/vnd.oci.image.manifest.v1+json", "size": 7, "length": 7,
           "digest": "sha256:00", "repository": "\(path)", "url": "http://\(host)/v2/\(path)/manifests/x"
           \(tag.map { ", \"tag\": \"\($0)\"" } ?? "")},
         "request": {"id": "77", "addr": "192.0.2.1:4", "host": "\(host)", "method": "PUT", "useragent": "docker"},
         "actor": {}, "source": {"addr": "r:5000", "instanceID": "1"}}
        """
    }

    @Test func whatRegistriesSend() throws {
        // distribution: several events in one, of which layers, pulls and deletions tell nothing
        let events = [
            Self.event(), Self.event(tag: nil), Self.event("pull"), Self.event("delete"),
            Self.event("push", "b", tag: "2"),
            #"{"action": "delete"}"#,
        ]
        #expect(
            try pushed("{\"events\": [\(events.joined(separator: ","))]}") == [
                "r.test:5000 acme/base 1", "r.test:5000 b 2",
            ])
        #expect(try pushed(#"{"events": []}"#) == [])
        // Azure: one event by itself
        #expect(try pushed(Self.event(host: "acme.azure.test")) == ["acme.azure.test acme/base 1"])
        #expect(try pushed(#"{"id": "1", "action": "ping"}"#) == [])
        // Docker Hub
        #expect(
            try pushed(
                """
                {"callback_url": "https://hub.test/u/acme/base/hook/1/",
                 "push_data": {"images": [], "pushed_at": 1795000000, "pusher": "ada", "tag": "bookworm"},
                 "repository": {"repo_name": "acme/base", "name": "base", "namespace": "acme", "is_private": false}}
                """) == ["docker.io acme/base bookworm"])
        // Harbor: its own format, CloudEvents, and other events
        let resources = """
            {"resources": [{"digest": "sha256:00", "tag": "2", "resource_url": "harbor.test/acme/base:2"},
              {"digest": "sha256:00", "resource_url": "harbor.test/acme/base@sha256:00"}],
             "repository": {"name": "base", "namespace": "acme", "repo_full_name": "acme/base"}}
            """
        #expect(
            try pushed(#"{"type": "PUSH_ARTIFACT", "occur_at": 1, "event_data": \#(resources)}"#)
                == ["harbor.test acme/base 2"])
        #expect(
            try pushed(#"{"specversion": "1.0", "type": "harbor.artifact.pushed", "data": \#(resources)}"#)
                == ["harbor.test acme/base 2"])
        #expect(try pushed(#"{"type": "DELETE_ARTIFACT", "event_data": \#(resources)}"#) == [])
        // Quay
        #expect(
            try pushed(
                """
                {"name": "base", "repository": "acme/base", "namespace": "acme", "docker_url": "quay.test/acme/base",
                 "homepage": "https://quay.test/repository/acme/base", "updated_tags": ["latest", "3"]}
                """) == ["quay.test acme/base latest", "quay.test acme/base 3"])
    }

    @Test(arguments: [
        ("", "the body is empty"), ("[]", "not a JSON object"), ("{", "not a JSON object"), ("1", "not a JSON object"),
        ("{}", "the body is not a registry's"), (#"{"events": 1}"#, "the body is not a registry's"),
        (#"{"ref": "refs/heads/main"}"#, "the body is not a registry's"),
        (#"{"type": "PUSH_ARTIFACT"}"#, "the body is not a registry's"),
    ])
    func unreadable(_ body: String, _ words: String) {
        let error = #expect(throws: IntakeError.self) { try RegistryNotice(Data(body.utf8)) }
        guard case .unreadable(let sentence)? = error else { return #expect(Bool(false), "\(error as Any)") }
        #expect(sentence.contains(words))
    }

    /// A registry's name for itself need not be ours.
    @Test(arguments: [
        ("r.test:5000", "acme/base", "1", ["r.test:5000/acme/base:1"]),
        ("localhost:5000", "acme/base", "1", ["r.test:5000/acme/base:1", "other.test/acme/base:1"]),
        ("other.test", "acme/base", "1", ["other.test/acme/base:1"]),
        // known for another image, and not for this one
        ("other.test", "acme/tool", "1", ["r.test:5000/acme/tool:1"]),
        ("r.test:5000", "acme/base", "2", []), ("r.test:5000", "base", "1", []), ("r.test:5000", "../base", "", []),
    ])
    func whomItConcerns(_ host: String, _ path: String, _ tag: String, _ named: [String]) throws {
        let inUse = try ["r.test:5000/acme/base:1", "r.test:5000/acme/tool:1", "other.test/acme/base:1", "debian:1"]
            .map { try ImageReference($0) }
        let notice = try RegistryNotice(Data(Self.event("push", path, tag: tag, host: host).utf8))
        #expect(notice.images(in: inUse).map(\.text) == named)
    }

    @Test func dockerHubsOwnImages() throws {
        let body = #"{"push_data": {"tag": "bookworm"}, "repository": {"repo_name": "library/debian"}}"#
        let images = try RegistryNotice(Data(body.utf8)).images(in: [ImageReference("debian:bookworm")])
        #expect(images.map(\.shown) == ["debian:bookworm"])
    }
}
