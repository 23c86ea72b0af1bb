import Foundation
import Model
import Platform
import Queue

/// A build as the API shows it; the CLI reads it back.
package struct BuildJSON: Codable, Sendable {
    package struct Fault: Codable, Sendable {
        package var kind: Failure.Kind
        package var stage: Failure.Stage
        package var message: String
    }

    /// What the image is made of, as far as it could be known.
    package struct InputsJSON: Codable, Sendable {
        package struct BaseJSON: Codable, Sendable {
            /// With its tag: `docker.io/library/debian:bookworm`.
            package var image: String
            package var digest: String
        }

        package var key: String?
        /// Why there is no key.
        package var doubt: String?
        package var bases: [BaseJSON]

        package init(_ inputs: BuildInputs) {
            key = inputs.key?.text
            doubt = inputs.doubt
            bases = inputs.bases.map { BaseJSON(image: "\($0.image):\($0.tag)", digest: $0.digest.text) }
        }

        package func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(key, forKey: .key)
            try container.encode(doubt, forKey: .doubt)
            try container.encode(bases, forKey: .bases)
        }
    }

    package var id: Build.ID
    package var repository: RepositoryName
    package var state: Build.State
    package var ref: RefName
    package var branch: String?
    package var tag: String?
    package var commit: CommitID?
    package var message: String?
    package var author: String?
    package var rule: Int
    package var dockerfile: String
    package var context: String
    package var image: ImageName
    package var commit_tag: Tag?
    package var digest: Digest?
    package var tags: [BuildTag]
    package var cause: Cause
    package var attempt: Int
    package var reused: Build.ID?
    /// Nil until the checkout has looked.
    package var inputs: InputsJSON?
    /// Why another build's image was taken, or not, in words.
    package var reuse: String?
    /// Whether somebody asked for a build without any cache.
    /// Nil from services that do not tell it.
    package var no_cache: Bool?
    /// Why it failed; of one that is pending again, why its last attempt did.
    package var error: Fault?
    /// Attempts that count against it.
    package var tries: Int
    /// Of one that is pending again after a failure: not before.
    package var retry_at: String?
    /// Of one that is pending: why no worker takes it, where nobody who is there has the labels that it asks for.
    package var waits: String?
    /// The end that was asked for while it runs.
    package var stop: Build.State?
    package var superseded_by: Build.ID?
    /// Why it ended, or is to end, without an image though nothing failed.
    package var reason: String?
    package var created_at: String
    package var started_at: String?
    package var pushing_at: String?
    package var finished_at: String?
    package var url: String
    package var log_url: String

    package init(_ build: Build, url base: String) {
        id = build.id
        repository = build.repository
        state = build.state
        ref = build.ref
        branch = build.ref.branch
        tag = build.ref.tag
        commit = build.commit
        message = build.message
        author = build.author
        rule = build.rule.number
        dockerfile = build.rule.dockerfile ?? "Dockerfile"
        context = build.rule.contextShown
        image = build.image
        commit_tag = build.commitTag
        digest = build.digest
        tags = build.tags
        cause = build.cause
        attempt = build.attempt
        reused = build.reused
        inputs = build.inputs.map(InputsJSON.init)
        reuse = build.reuse
        no_cache = build.isFresh
        error = build.failure.map { Fault(kind: $0.kind, stage: $0.stage, message: $0.message) }
        tries = build.tries
        retry_at = build.retryAt.map(Timestamp.text)
        stop = build.stop
        superseded_by = build.successor
        reason = build.reason
        created_at = Timestamp.text(build.createdAt)
        started_at = build.startedAt.map(Timestamp.text)
        pushing_at = build.pushingAt.map(Timestamp.text)
        finished_at = build.finishedAt.map(Timestamp.text)
        url = "\(base)/api/v1/builds/\(build.id)"
        log_url = "\(base)/api/v1/builds/\(build.id)/log"
    }

    /// What isn't known is written as null, so that every build has every key. Texts are given as such: a webhook's answer
    /// is written many times a second, and values that encode themselves take thrice the time.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(repository.text, forKey: .repository)
        try container.encode(state.rawValue, forKey: .state)
        try container.encode(ref.text, forKey: .ref)
        try container.encode(branch, forKey: .branch)
        try container.encode(tag, forKey: .tag)
        try container.encode(commit?.text, forKey: .commit)
        try container.encode(message, forKey: .message)
        try container.encode(author, forKey: .author)
        try container.encode(rule, forKey: .rule)
        try container.encode(dockerfile, forKey: .dockerfile)
        try container.encode(context, forKey: .context)
        try container.encode(image.text, forKey: .image)
        try container.encode(commit_tag?.text, forKey: .commit_tag)
        try container.encode(digest?.text, forKey: .digest)
        try container.encode(tags.map(TagJSON.init), forKey: .tags)
        try container.encode(CauseJSON(cause), forKey: .cause)
        try container.encode(attempt, forKey: .attempt)
        try container.encode(reused, forKey: .reused)
        try container.encode(inputs, forKey: .inputs)
        try container.encode(reuse, forKey: .reuse)
        try container.encode(no_cache, forKey: .no_cache)
        try container.encode(error, forKey: .error)
        try container.encode(tries, forKey: .tries)
        try container.encode(retry_at, forKey: .retry_at)
        try container.encode(waits, forKey: .waits)
        try container.encode(stop?.rawValue, forKey: .stop)
        try container.encode(superseded_by, forKey: .superseded_by)
        try container.encode(reason, forKey: .reason)
        try container.encode(created_at, forKey: .created_at)
        try container.encode(started_at, forKey: .started_at)
        try container.encode(pushing_at, forKey: .pushing_at)
        try container.encode(finished_at, forKey: .finished_at)
        try container.encode(url, forKey: .url)
        try container.encode(log_url, forKey: .log_url)
    }
}

extension Rule {
    /// The context from the repository's root: as written, else the Dockerfile's directory.
    package var contextShown: String {
        if let context, !context.isEmpty { return context }
        let folder = (dockerfile ?? "").split(separator: "/").dropLast().joined(separator: "/")
        return "/" + folder
    }
}

private struct TagJSON: Encodable {
    let tag: BuildTag

    private enum Keys: CodingKey { case name, moved, reason }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Keys.self)
        try container.encode(tag.name.text, forKey: .name)
        try container.encode(tag.moved, forKey: .moved)
        try container.encode(tag.reason, forKey: .reason)
    }
}

private struct CauseJSON: Encodable {
    let cause: Cause

    private enum Keys: CodingKey { case kind, host, delivery, detail }

    init(_ cause: Cause) { self.cause = cause }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Keys.self)
        try container.encode(cause.kind.rawValue, forKey: .kind)
        try container.encode(cause.host, forKey: .host)
        try container.encode(cause.delivery, forKey: .delivery)
        try container.encode(cause.detail, forKey: .detail)
    }
}

/// The answer to a webhook or trigger.
package struct AnswerJSON: Codable, Sendable {
    package var delivery: String
    package var builds: [BuildJSON]
    package var ignored: [IgnoredJSON]

    package struct IgnoredJSON: Codable, Sendable {
        /// Nil where the reason holds for the whole delivery.
        package var rule: Int?
        package var reason: String
        /// The build that is there already, where that is the reason.
        package var build: Build.ID?

        package init(_ ignored: Ignored) {
            rule = ignored.rule
            reason = ignored.reason
            build = ignored.build
        }

        package func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(rule, forKey: .rule)
            try container.encode(reason, forKey: .reason)
            try container.encode(build, forKey: .build)
        }
    }
}

package struct BuildListJSON: Codable, Sendable {
    package var builds: [BuildJSON]
    /// For `before`, to get the next page; nil on the last.
    package var next: Build.ID?

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(builds, forKey: .builds)
        try container.encode(next, forKey: .next)
    }
}

package struct RepositoryJSON: Codable, Sendable {
    package var name: RepositoryName
    package var source: String
    package var image: ImageName
    package var rules: [RuleJSON]
    /// The newest build, where there is one.
    package var latest: BuildJSON?
    /// Left out of lists.
    package var tags: [TagStateJSON]?

    package struct RuleJSON: Codable, Sendable {
        package var rule: Int
        package var branch: String?
        package var tag: String?
        package var tags: [String]
        package var commit_tag: String
        package var dockerfile: String
        package var context: String
        package var autobuild: Bool
        package var runs_on: [String]
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        try container.encode(source, forKey: .source)
        try container.encode(image, forKey: .image)
        try container.encode(rules, forKey: .rules)
        try container.encode(latest, forKey: .latest)
        try container.encodeIfPresent(tags, forKey: .tags)
    }
}

package struct RepositoryListJSON: Codable, Sendable {
    package var repositories: [RepositoryJSON]
    package var next: String?
}
