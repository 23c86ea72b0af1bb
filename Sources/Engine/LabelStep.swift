import Foundation
import Model

/// A build's labels as one instruction after the Dockerfile's last.
///
/// The classic builder and buildah make an image of each `--label`, one after the other. That takes as long as a small
/// build, and no cache saves it, since the values change with every commit.
struct LabelStep {
    /// `LABEL "a"="1" "b"="2"` and a line end.
    let instruction: String

    private let dockerfile: Data

    /// Nil where `--label` is to be used: the image is of a stage before the last, a value has characters that the
    /// instruction would read otherwise, or the Dockerfile does not end with its last instruction.
    init?(_ build: ImageBuild) {
        guard !build.labels.isEmpty, let data = FileManager.default.contents(atPath: build.dockerfile),
            let text = String(data: data, encoding: .utf8)
        else { return nil }
        let words = build.labels.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] }
        guard words.allSatisfy({ $0.utf8.allSatisfy(Self.isPlain) }), Dockerfile(text).ends(in: build.target),
            let last = text.trimmingCharacters(in: .whitespacesAndNewlines).last, last != "\\", last != "`"
        else { return nil }
        dockerfile = data
        let pairs = stride(from: 0, to: words.count, by: 2).map { "\"\(words[$0])\"=\"\(words[$0 + 1])\"" }
        instruction = "LABEL \(pairs.joined(separator: " "))\n"
    }

    /// The Dockerfile and the instruction, whose lines keep their numbers.
    var whole: Data { dockerfile + Data("\n\(instruction)".utf8) }

    /// Whether a character stands for itself between double quotes, whatever the `escape` directive says.
    private static func isPlain(_ byte: UInt8) -> Bool {
        (0x20...0x7e).contains(byte) && !"\"'\\`$".utf8.contains(byte)
    }
}

extension Dockerfile {
    /// Whether a target is the last stage, by its name or its number from 0; nil always is.
    fileprivate func ends(in target: String?) -> Bool {
        guard let last = instructions.last?.stage, last > 0 else { return false }
        guard let target else { return true }
        let stages = instructions.filter { $0.stage > 0 && $0.step == 1 }
        let names = stages.map { $0.text.lowercased().firstMatch(of: /\ as ([^ ]+)$/).map { String($0.1) } }
        // The first of that name is the one that is built.
        return (names.firstIndex(of: target.lowercased()) ?? Int(target)) == last - 1
    }
}
