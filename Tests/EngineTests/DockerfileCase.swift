import Model
import Testing

@testable import Engine

/// A Dockerfile and what is to come out.
struct DockerfileCase: Sendable, CustomTestStringConvertible {
    let text: String
    var args: [String: String] = [:]
    var target: String?
    var engines: [BuilderKind] = BuilderKind.allCases
    /// Texts of registries.conf.
    var configuration: [String] = []
    var images: [String] = []
    var arguments: [String: String] = [:]
    /// A part of the one doubt; nil where there is none.
    var doubt: String?

    init(
        _ text: String, args: [String: String] = [:], target: String? = nil, on engines: [BuilderKind]? = nil,
        configuration: [String] = [], images: [String] = [], arguments: [String: String] = [:], doubt: String? = nil
    ) {
        self.text = text
        self.args = args
        self.target = target
        self.engines = engines ?? BuilderKind.allCases
        self.configuration = configuration
        self.images = images
        self.arguments = arguments
        self.doubt = doubt
    }

    var testDescription: String { "\(text.debugDescription) \(engines.map(\.rawValue))" }

    func check() throws {
        for engine in engines {
            let needs = DockerfileNeeds(
                text, buildArgs: args, target: target, engine: engine, shortNames: ShortNames(configuration))
            #expect(needs.arguments == arguments, "\(engine)")
            if let doubt {
                #expect(needs.doubts.count == 1, "\(engine): \(needs.doubts)")
                #expect(needs.doubts.contains { $0.contains(doubt) }, "\(engine): \(needs.doubts)")
            } else {
                #expect(needs.doubts.isEmpty, "\(engine)")
                #expect(try needs.images == images.map { try ImageReference($0) }, "\(engine)")
            }
        }
    }
}
