import Foundation
import Model

/// What a build trigger asks for; Docker Hub's meaning, and ours beside it.
package struct Trigger: Sendable, Equatable {
    package enum Target: Sendable, Equatable {
        /// Every rule, each for the ref that it names.
        case all
        /// As if this ref had been pushed, at a commit where one is given.
        case ref(RefName, CommitID?)
        /// A commit of the default branch.
        case commit(CommitID)
    }

    package var target: Target
    /// Only the rules that have this among their image tags, as written in the settings; nil is any.
    package var imageTag: String?
    /// Whether what was built before is built again.
    package var force: Bool
    /// Whether neither another build's image nor the engine's cache is taken; such a one is always built.
    package var isFresh: Bool
    /// Take the place of the rule's own.
    package var buildArgs: [String: String]

    package init(
        _ target: Target, imageTag: String? = nil, force: Bool = false, isFresh: Bool = false,
        buildArgs: [String: String] = [:]
    ) {
        self.target = target
        self.imageTag = imageTag
        self.force = force || isFresh
        self.isFresh = isFresh
        self.buildArgs = buildArgs
    }

    /// Reads the body of a trigger: empty, JSON or a form, told apart by content where the Content-Type lies.
    ///
    /// Keys: `build`, `docker_tag` (also `docker_tag_name`), `source_type` with `source_name`; ours are `branch`,
    /// `tag`, `commit`, `force`, `no_cache` and `build_args`, in a form `build_args[NAME]`. What can't be read is an error, never
    /// "everything".
    package static func read(_ body: Data) throws(IntakeError) -> Trigger {
        try TriggerFields.read(body).trigger()
    }
}

extension TriggerFields {
    /// What the fields mean together.
    func trigger() throws(IntakeError) -> Trigger {
        try checkNames()
        do throws(InvalidText) {
            let asks = try flag("build")
            let imageTag = try imageTag()
            var target = Trigger.Target.all
            let commit: CommitID? = if let text = try text("commit") { try CommitID(text) } else { nil }
            if let ref = try ref() {
                target = .ref(ref, commit)
            } else if let commit {
                target = .commit(commit)
            }
            if asks == false { throw InvalidText("the trigger says \"build\": false, which asks for nothing") }
            // A script whose variable was not set must not start every rule.
            if target == .all, imageTag == nil, asks == nil, let empty = unset {
                throw InvalidText(
                    "the trigger's \"\(empty)\" is null, which names nothing; {\"build\": true} asks for every rule")
            }
            return Trigger(
                target, imageTag: imageTag, force: try flag("force") ?? false,
                isFresh: try flag("no_cache") ?? false, buildArgs: try buildArguments())
        } catch {
            throw .unreadable(error.description)
        }
    }

    private func imageTag() throws(InvalidText) -> String? {
        let tags = [try text("docker_tag"), try text("docker_tag_name")].compactMap(\.self)
        guard let tag = tags.first else { return nil }
        if tags.contains("") { throw InvalidText("the trigger's \"docker_tag\" is empty; name a tag of the image") }
        if tags.contains(where: { $0 != tag }) {
            throw InvalidText("the trigger's \"docker_tag\" and \"docker_tag_name\" differ; name one tag")
        }
        return tag
    }

    private func ref() throws(InvalidText) -> RefName? {
        let (branch, tag, source) = (try text("branch"), try text("tag"), try text("source_name"))
        let kind: RefName.Kind?
        switch try text("source_type")?.lowercased() {
        case nil: kind = nil
        case "branch": kind = .branch
        case "tag": kind = .tag
        case let other?:
            throw InvalidText("the trigger's \"source_type\" is \"\(other.excerpt())\"; Branch or Tag are known")
        }
        guard [branch, tag, source].count(where: { $0 != nil }) <= 1 else {
            throw InvalidText("the trigger names more than one branch or tag; name one")
        }
        if let source { return try RefName(kind ?? .branch, source) }
        if kind != nil { throw InvalidText("the trigger has \"source_type\" without \"source_name\"") }
        if let branch { return try RefName(.branch, branch) }
        return if let tag { try RefName(.tag, tag) } else { nil }
    }
}
