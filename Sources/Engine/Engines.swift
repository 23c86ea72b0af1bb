import Foundation
import Model
import Platform

/// Which builder the operator wants; the words of the settings' `engine`.
package enum EngineKind: String, Sendable, CaseIterable {
    case auto, docker, buildah, podman
}

/// No builder that was asked for works on this machine.
package struct NoEngine: Error, Equatable, CustomStringConvertible {
    /// By builder: why not, and what to install.
    package let reasons: [String]

    package var description: String {
        "no image builder works here: " + reasons.joined(separator: "; ")
    }
}

package enum Engines {
    /// Finds a builder that works; `auto` prefers docker, then buildah, then podman.
    ///
    /// - Parameter environment: the service's own; what builders need of it is handed on to them.
    /// - Throws: `NoEngine`, with what was tried and why it does not work.
    package static func choose(_ kind: EngineKind, environment: [String: String]) async throws -> any Engine {
        let environment = BuilderEnvironment(environment)
        var reasons: [String] = []
        for candidate in kind == .auto ? [.docker, .buildah, .podman] : [kind] {
            do {
                switch candidate {
                case .docker, .auto: return try await DockerEngine.find(environment)
                case .buildah: return try await BuildahEngine.find(.buildah, environment)
                case .podman: return try await BuildahEngine.find(.podman, environment)
                }
            } catch let unusable as Unusable {
                reasons.append("\(candidate.rawValue): \(unusable.reason)")
            }
        }
        throw NoEngine(reasons: reasons)
    }
}

extension Engines {
    /// Of this machine, as images name it.
    package static var platform: String { "linux/\(architecture)" }

    static var architecture: String {
        #if arch(x86_64)
            "amd64"
        #elseif arch(arm64)
            "arm64"
        #else
            #error("name this architecture as images do")
        #endif
    }

    /// Why no builder of a kind can hold builds to such limits, however it is set up; nil where one may.
    package static func refusal(of limits: Rule.Limits, by kind: EngineKind) -> String? {
        guard kind == .docker, limits.processes != nil else { return nil }
        return "the rule limits processes, to which docker holds no build; buildah and podman can (engine: buildah)"
    }
}

/// Why one builder does not work here.
struct Unusable: Error, CustomStringConvertible {
    let reason: String

    var description: String { reason }
}
