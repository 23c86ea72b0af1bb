import Foundation
import Model

/// What a build trigger asks for; Docker Hub's bodies and meaning.
package enum Trigger: Sendable, Equatable {
    /// Every rule, each for the ref that it names.
    case all
    /// The rules that make this image tag, each for the ref that it names.
    case imageTag(String)
    /// As if this ref had been pushed, at a commit where one is given.
    case ref(RefName, CommitID?)
    /// A commit of the default branch.
    case commit(CommitID)

    /// Reads the body of a trigger: empty, JSON or a form, told apart by content where the Content-Type lies.
    ///
    /// Keys: `build`, `docker_tag` (also `docker_tag_name`), `source_type` with `source_name`; ours are `branch`,
    /// `tag` and `commit`. What can't be read is an error, never "everything".
    package static func read(_ body: Data) throws(IntakeError) -> Trigger {
        let text = String(decoding: body, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard !text.isEmpty else { return .all }
        if text.hasPrefix("{") { return try fields(json: body) }
        guard text.contains("="), !text.contains("{"), let form = Form.fields(Data(text.utf8)) else {
            throw .unreadable("the trigger's body is neither empty, nor a JSON object, nor a form: \(text.excerpt(40))")
        }
        return try meaning(form)
    }

    /// A value that a trigger's field may have.
    private enum Field: Decodable {
        case text(String)
        case none

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                self = .none
            } else if let flag = try? container.decode(Bool.self) {
                self = .text(flag ? "true" : "false")
            } else {
                self = .text(try container.decode(String.self))
            }
        }
    }

    private static func fields(json: Data) throws(IntakeError) -> Trigger {
        let fields: [String: Field]
        do {
            fields = try JSONDecoder().decode([String: Field].self, from: json)
        } catch {
            throw .unreadable(Unreadable.sentence(json, error, wanted: "a trigger: an object of texts"))
        }
        return try meaning(fields.compactMapValues { if case .text(let text) = $0 { text } else { nil } })
    }

    private static let keys = [
        "build", "docker_tag", "docker_tag_name", "source_type", "source_name", "branch", "tag", "commit",
    ]

    private static func meaning(_ fields: [String: String]) throws(IntakeError) -> Trigger {
        if let unknown = fields.keys.sorted().first(where: { !keys.contains($0) }) {
            let hint = Nearest.word(to: unknown, in: keys).map { "; nearest is \"\($0)\"" } ?? ""
            throw .unreadable(
                "the trigger's \"\(unknown.excerpt())\" is not known\(hint); known are \(keys.joined(separator: ", "))")
        }
        do {
            let commit = try fields["commit"].map { text in try CommitID(text) }
            if let ref = try ref(fields) { return .ref(ref, commit) }
            if let commit { return .commit(commit) }
        } catch let fault as InvalidText {
            throw .unreadable(fault.description)
        } catch {
            throw .unreadable("\(error)")
        }
        if let tag = fields["docker_tag"] ?? fields["docker_tag_name"] { return .imageTag(tag) }
        switch fields["build"]?.lowercased() {
        case "true", "1": return .all
        case nil where fields.isEmpty: return .all
        case "false", "0": throw .unreadable("the trigger says \"build\": false, which asks for nothing")
        default: throw .unreadable("the trigger's \"build\" is not true")
        }
    }

    private static func ref(_ fields: [String: String]) throws -> RefName? {
        let named = [("branch", RefName.Kind.branch), ("tag", .tag)].filter { fields[$0.0] != nil }
        if named.count + (fields["source_name"] != nil ? 1 : 0) > 1 {
            throw InvalidText("the trigger names more than one branch or tag; name one")
        }
        if let (key, kind) = named.first, let name = fields[key] { return try RefName(kind, name) }
        guard let name = fields["source_name"] else {
            if fields["source_type"] != nil {
                throw InvalidText("the trigger has \"source_type\" without \"source_name\"")
            }
            return nil
        }
        switch fields["source_type"]?.lowercased() {
        case "branch", nil: return try RefName(.branch, name)
        case "tag": return try RefName(.tag, name)
        case let other?:
            throw InvalidText("the trigger's \"source_type\" is \"\(other.excerpt())\"; Branch or Tag are known")
        }
    }
}
