import Foundation
import Model
import Settings

/// A build in the list that Docker Hub's classic trigger answers with; `build` and `url` are ours, for scripts that wait.
struct ClassicBuildJSON: Encodable {
    /// `Branch` or `Tag`.
    var source_type: String
    var source_name: String
    /// Several are joined by commas.
    var evaluated_tag_name: String
    var build_code: String
    var msg: String
    var queued_for_retry = false
    var build: Build.ID
    var url: String

    init(_ build: Build, url: String) {
        self.init(build, url: url) { _ in "Build submitted" }
    }

    /// A build that was there already, so that none was made.
    init(known build: Build, url: String) {
        self.init(build, url: url) { tag in
            "A build for tag \(tag) is already \(build.state == .finished ? "finished" : "pending"). Ignoring request."
        }
    }

    private init(_ build: Build, url: String, message: (String) -> String) {
        source_type = build.ref.kind == .branch ? "Branch" : "Tag"
        source_name = build.ref.name
        let names =
            build.tags.isEmpty
            ? build.rule.tagsWithoutCommit(for: build.ref, captures: build.captures, acceptedAt: build.createdAt)
            : build.tags.map(\.name.text)
        evaluated_tag_name = names.joined(separator: ",")
        build_code = "\(build.id)"
        msg = message(evaluated_tag_name)
        self.build = build.id
        self.url = url
    }
}

/// What Docker Hub's trigger answers with: the source that builds, and beside it, as ours, what came of the request.
struct SourceJSON: Encodable {
    struct SettingJSON: Encodable {
        var source_type: String
        /// `HEAD` for the default branch.
        var source_name: String
        var tag: String
        var dockerfile: String
        var build_context: String
        var autobuild: Bool
        var nocache: Bool

        init(_ rule: Rule) {
            switch rule.source {
            case .branch(let pattern): (source_type, source_name) = ("Branch", pattern.text)
            case .tag(let pattern): (source_type, source_name) = ("Tag", pattern.text)
            case .defaultBranch: (source_type, source_name) = ("Branch", "HEAD")
            }
            tag = rule.tags.map(\.text).joined(separator: ",")
            dockerfile = rule.dockerfile ?? "Dockerfile"
            build_context = rule.contextShown
            autobuild = rule.autobuild
            nocache = !rule.cache
        }
    }

    var autotests = "OFF"
    var build_in_farm = true
    var build_settings: [SettingJSON]
    var channel = "Stable"
    var image: String
    var owner: String
    var provider: String
    var repo_links = false
    var repository: String
    var resource_uri: String
    var state: String
    var uuid: String
    var delivery: String
    var builds: [BuildJSON]
    var ignored: [AnswerJSON.IgnoredJSON]

    /// - Parameters:
    ///   - uuid: what the trigger's address calls the source.
    ///   - before: the state of the newest build from before the request; Docker Hub told no other.
    init(_ repository: Repository, uuid: String, before: Build.State?, answer: AnswerJSON) {
        build_settings = repository.rules.map(SettingJSON.init)
        image = repository.name.text
        owner = repository.name.namespace
        switch repository.source.host {
        case "github.com": provider = "Github"
        case "bitbucket.org": provider = "Bitbucket"
        default: provider = "Git"
        }
        self.repository = repository.name.name
        resource_uri = "/api/build/v1/source/\(uuid)/"
        switch before {
        case nil: state = "Empty"
        case .finished: state = "Success"
        case .failed, .cancelled, .superseded: state = "Failed"
        case .pending, .building, .pushing: state = "Building"
        }
        self.uuid = uuid
        delivery = answer.delivery
        builds = answer.builds
        ignored = answer.ignored
    }
}
