import Engine
import Model
import Queue
import Settings

/// What an attempt would find out before it asks an engine for anything.
package struct Outlook: Sendable {
    package let commit: CommitID
    package let inputs: BuildInputs
    /// The build whose image would be taken; nil where one would be made.
    package let reusable: Build.ID?
    /// Why, in words.
    package let reuse: String
}

extension Tools {
    /// Goes the way of an attempt as far as its engine, and notes nothing.
    ///
    /// - Parameter commit: nil is where the ref is now.
    /// - Throws: `Failure` where an attempt would fail; `InvalidText` where the rule is not for the ref.
    package func outlook(
        of ref: RefName, at commit: CommitID?, by rule: Rule, in repository: Repository, engine: any Engine
    ) async throws -> Outlook {
        let captures: [String]
        // Where it can't be known, the branch asked for stands in for the default one.
        switch rule.match(ref, defaultBranch: ref.branch) {
        case .matched(let found): captures = found
        case .no(let why): throw InvalidText("rule \(rule.number): \(why)")
        }
        let build = Build(
            id: 0, repository: repository.name, state: .building, ref: ref, commit: commit, rule: rule,
            captures: captures, image: repository.image, cause: Cause(.api), createdAt: time.now)
        let output = LogWriter(store: store, hold: build.hold, secrets: { [] }, length: LogWriter.limit)
        return try await Attempt(build: build, engine: engine, tools: self, output: output).outlook(repository)
    }
}

extension Attempt {
    fileprivate func outlook(_ repository: Repository) async throws -> Outlook {
        let mirror = tools.mirrors.mirror(
            for: build.repository, source: repository.source, credentials: repository.credentials)
        let found = try resolution(try await fetch(repository, mirror))
        let inputs = try await plan(found, mirror).inputs
        func outlook(_ reuse: String, taking reusable: Build.ID? = nil) -> Outlook {
            Outlook(commit: found.commit, inputs: inputs, reusable: reusable, reuse: reuse)
        }
        if let reason = reasonToBuild { return outlook(reason) }
        guard let key = inputs.key else { return outlook(inputs.doubt ?? "it has no key") }
        switch try await former(key) {
        case .found(let former, _): return outlook("its inputs are those of build \(former.id)", taking: former.id)
        case .none(let reason): return outlook(reason)
        }
    }
}
