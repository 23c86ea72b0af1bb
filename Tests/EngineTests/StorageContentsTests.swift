import Foundation
import TestSupport
import Testing

@testable import Engine

@Suite struct StorageContentsTests {
    private static let digits = String(repeating: "0123456789abcdef", count: 4)

    /// An image of two layers, a step on the first of them, a step on that, and an image that somebody else left unnamed.
    private static let images = """
        [{"id": "whole", "names": ["r.example.com/acme/shop:sha-1", "r.example.com/acme/shop:latest"], "layer": "b",
          "names-history": ["r.example.com/acme/shop:sha-1"], "created": "2026-01-01T00:00:03Z"},
         {"id": "late", "names-history": ["docker.io/library/\(digits)-tmp:latest"], "layer": "d",
          "created": "2026-01-01T00:00:02.5Z"},
         {"id": "early", "names": [], "names-history": ["docker.io/library/\(digits)-tmp:latest"], "layer": "c",
          "created": "2026-01-01T00:00:01Z"},
         {"id": "theirs", "names-history": ["docker.io/library/busybox:latest"], "layer": "e",
          "created": "2026-01-01T00:00:00Z"},
         {"id": "never named", "layer": "e", "created": "2026-01-01T00:00:00Z"}]
        """
    private static let layers = """
        [{"id": "a", "diff-size": 1000}, {"id": "b", "parent": "a", "diff-size": 200},
         {"id": "c", "parent": "a", "diff-size": 30}, {"id": "d", "parent": "c", "diff-size": 4},
         {"id": "e", "diff-size": 50000}]
        """

    @Test func tellsStepsFromImages() throws {
        let folder = try TemporaryDirectory()
        try folder.write(Self.images, to: "overlay-images/images.json")
        try folder.write(Self.layers, to: "overlay-layers/layers.json")
        let contents = try StorageContents(root: folder.path, driver: "overlay")
        #expect(contents.names == ["r.example.com/acme/shop:sha-1", "r.example.com/acme/shop:latest"])
        #expect(contents.steps == ["early", "late"])
        #expect(contents.cacheSize == 34)
    }

    @Test func anEmptyStorageHasNothing() throws {
        let contents = try StorageContents(root: try TemporaryDirectory().path, driver: "vfs")
        #expect(contents.names.isEmpty && contents.steps.isEmpty && contents.cacheSize == 0)
    }

    @Test func anotherFormIsRefused() throws {
        let folder = try TemporaryDirectory()
        try folder.write("{\"images\": 3}", to: "overlay-images/images.json")
        #expect(throws: Unusable.self) { try StorageContents(root: folder.path, driver: "overlay") }
    }
}
