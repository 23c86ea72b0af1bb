import Model
import Platform
import Queue

/// How it is with the service, as the API shows it; the CLI reads it back.
package struct ServiceJSON: Codable, Sendable {
    package struct PauseJSON: Codable, Sendable {
        package var since: String
        /// The name of the token of who asked for it.
        package var by: String?
        package var reason: String?

        init(_ pause: Pause) {
            since = Timestamp.text(pause.since)
            by = pause.by
            reason = pause.reason
        }

        package func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(since, forKey: .since)
            try container.encode(by, forKey: .by)
            try container.encode(reason, forKey: .reason)
        }
    }

    package var version: String
    package var url: String
    /// When it was started.
    package var since: String
    package var pending: Int
    package var running: Int
    package var paused: PauseJSON?
    /// Nil where none was found yet.
    package var engine: String?
    /// How often a build is tried again.
    package var retries: Int
    /// Why builds wait, a sentence each.
    package var waits: [String]
    /// By the clock that all other times are of; nil from services that do not tell it.
    package var now: String?

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(version, forKey: .version)
        try container.encode(url, forKey: .url)
        try container.encode(since, forKey: .since)
        try container.encode(pending, forKey: .pending)
        try container.encode(running, forKey: .running)
        try container.encode(paused, forKey: .paused)
        try container.encode(engine, forKey: .engine)
        try container.encode(retries, forKey: .retries)
        try container.encode(waits, forKey: .waits)
        try container.encode(now, forKey: .now)
    }
}

/// The answer to who asks for the end of a build: the build, and beside it why there was nothing to cancel.
package struct CancelJSON: Codable, Sendable {
    package var build: BuildJSON
    /// Nil where the build has ended so, or will.
    package var detail: String?

    private enum Keys: CodingKey { case detail }

    init(build: BuildJSON, detail: String?) {
        self.build = build
        self.detail = detail
    }

    package init(from decoder: any Decoder) throws {
        build = try BuildJSON(from: decoder)
        detail = try decoder.container(keyedBy: Keys.self).decodeIfPresent(String.self, forKey: .detail)
    }

    package func encode(to encoder: any Encoder) throws {
        try build.encode(to: encoder)
        var container = encoder.container(keyedBy: Keys.self)
        try container.encode(detail, forKey: .detail)
    }
}
