import Model

extension Webhook {
    /// What a host tells of one branch or tag.
    struct Change {
        /// `refs/heads/…` or `refs/tags/…`; anything else is a reason.
        var ref: String
        /// Nil where the host tells none, or none that is surely a commit.
        var commit: String?
        var before: String?
        var isDeletion = false
        var message: String?
        var author: String?
        var defaultBranch: String?
    }

    /// Adds the push that a change is, or the reason why it builds nothing. A commit of zeros is a deletion too.
    ///
    /// - Throws: `IntakeError.unreadable` where the commit is none.
    mutating func add(_ change: Change) throws(IntakeError) {
        let ref: RefName
        do {
            ref = try RefName(change.ref)
        } catch {
            reasons.append("\(error)")
            return
        }
        do {
            let commit = try change.commit.map { text throws(InvalidText) in try CommitID(text) }
            if change.isDeletion || commit?.isZero == true {
                reasons.append("\(ref.kind.rawValue) \"\(ref.name)\" was deleted; its images stay")
                return
            }
            // Only of use where it can be read: without it nothing is wrong.
            let before = try? change.before.map { text throws(InvalidText) in try CommitID(text) }
            pushes.append(
                Push(
                    ref: ref, commit: commit, before: before?.isZero == false ? before : nil, message: change.message,
                    author: change.author, defaultBranch: change.defaultBranch))
        } catch {
            throw .unreadable("the push of \(ref) can't be read: \(error)")
        }
    }
}
