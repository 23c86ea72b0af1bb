import Checkout
import Foundation
import Model
import TestSupport
import Testing

@Suite(.enabled(if: GitRepository.isPossible, "needs git"))
struct DamageTests {
    enum Damage: String, CaseIterable {
        case packTruncated, packRemoved, packGarbled, headEmptied, headRemoved, refsRemoved, refGarbled, configGarbled,
            allEmptied
    }

    @Test(arguments: Damage.allCases)
    func aDamagedMirrorIsMadeAnew(damage: Damage) async throws {
        let fixture = try await Fixture()
        let first = try CommitID(await fixture.repository.commit("First", ["a": noise(20_000)]))
        let mirror = try fixture.mirror()
        _ = try await mirror.fetch(RefName("refs/heads/main"), commit: first)
        try inflict(damage, on: fixture.mirrorPath)
        let workspace = fixture.workspace()
        try await mirror.checkOut(first, into: workspace)
        #expect(try names(workspace) == ["a"])
        try inflict(damage, on: fixture.mirrorPath)
        let second = try CommitID(await fixture.repository.commit("Second", ["b": "2"]))
        #expect(try await mirror.fetch(RefName("refs/heads/main")).id == second)
        try inflict(damage, on: fixture.mirrorPath)
        // The answer may be that one is not held, where nothing but that is left to see.
        #expect(try await mirror.isAncestor(first, of: second) != false)
        try inflict(damage, on: fixture.mirrorPath)
        #expect(try await mirror.change(from: first, to: second) { _ in true } != .nothing)
        let again = fixture.workspace()
        _ = try await mirror.fetch(RefName("refs/heads/main"), commit: second)
        try await mirror.checkOut(second, into: again)
        #expect(try names(again) == ["a", "b"])
    }

    @Test func locksOfACrashedRunAreRemoved() async throws {
        let fixture = try await Fixture()
        try await fixture.repository.commit("First")
        _ = try await fixture.mirror().fetch(RefName("refs/heads/main"))
        let path = try fixture.mirrorPath
        for name in [
            "refs/heads/main.lock", "packed-refs.lock", "HEAD.lock", "config.lock", "objects/pack/pack_git2_x",
        ] {
            #expect(FileManager.default.createFile(atPath: "\(path)/\(name)", contents: nil))
        }
        let half = (path as NSString).deletingLastPathComponent + "/new-half"
        try FileManager.default.createDirectory(atPath: half, withIntermediateDirectories: true)
        let second = try await fixture.repository.commit("Second")
        // The next run of the service.
        let next = Mirrors(directory: fixture.directory["mirrors"], log: .init { _ in })
        let mirror = next.mirror(for: try RepositoryName("acme/shop"), source: try fixture.source, credentials: nil)
        #expect(try await mirror.fetch(RefName("refs/heads/main")).id.text == second)
        #expect(!FileManager.default.fileExists(atPath: half))
        #expect(!FileManager.default.fileExists(atPath: path + "/objects/pack/pack_git2_x"))
    }

    @Test func theMirrorOfAnEarlierSourceGoes() async throws {
        let fixture = try await Fixture()
        try await fixture.repository.commit("First")
        _ = try await fixture.mirror().fetch(RefName("refs/heads/main"))
        let other = try await GitRepository.make(at: fixture.directory["other"])
        try await other.commit("Other")
        let next = Mirrors(directory: fixture.directory["mirrors"], log: .init { _ in })
        _ = try await next.mirror(for: RepositoryName("acme/shop"), source: GitSource(other.path), credentials: nil)
            .fetch(RefName("refs/heads/main"))
        #expect(try names(fixture.directory["mirrors/acme/shop"]).count == 1)
    }

    private func inflict(_ damage: Damage, on mirror: String) throws {
        let manager = FileManager.default
        let packs = try manager.contentsOfDirectory(atPath: mirror + "/objects/pack").filter { $0.hasSuffix(".pack") }
            .map { "\(mirror)/objects/pack/\($0)" }
        switch damage {
        case .packTruncated: for pack in packs { #expect(try truncated(pack)) }
        case .packRemoved:
            for name in try manager.contentsOfDirectory(atPath: mirror + "/objects/pack") {
                try manager.removeItem(atPath: "\(mirror)/objects/pack/\(name)")
            }
        case .packGarbled:
            for pack in packs {
                try manager.setAttributes([.posixPermissions: 0o644], ofItemAtPath: pack)
                var bytes = try Data(contentsOf: URL(fileURLWithPath: pack))
                for i in stride(from: 12, to: bytes.count - 20, by: 7) { bytes[i] ^= 0x55 }
                try bytes.write(to: URL(fileURLWithPath: pack))
            }
        case .headEmptied: try Data().write(to: URL(fileURLWithPath: mirror + "/HEAD"))
        case .headRemoved: try manager.removeItem(atPath: mirror + "/HEAD")
        case .refsRemoved: try manager.removeItem(atPath: mirror + "/refs")
        case .refGarbled: try Data("not an id\n".utf8).write(to: URL(fileURLWithPath: mirror + "/refs/heads/main"))
        case .configGarbled: try Data("[core\nbroken".utf8).write(to: URL(fileURLWithPath: mirror + "/config"))
        case .allEmptied:
            for name in try manager.contentsOfDirectory(atPath: mirror) {
                try manager.removeItem(atPath: "\(mirror)/\(name)")
            }
        }
    }

    private func truncated(_ path: String) throws -> Bool {
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        return truncate(path, 40) == 0
    }

    /// Text that does not compress away.
    private func noise(_ count: Int) -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in String(UInt8.random(in: 0..<36, using: &generator), radix: 36) }.joined()
    }
}
