import Foundation
import Model
import Testing

@testable import Intake

@Suite struct TriggerTests {
    private static func ref(_ kind: RefName.Kind, _ name: String) -> Trigger {
        (try? RefName(kind, name)).map { .ref($0, nil) } ?? .all
    }

    @Test(
        arguments: [
            // everything
            ("", .all), ("  \n", .all), ("{}", .all), ("{\"build\": true}", .all), ("build=true", .all),
            // by image tag
            ("{\"docker_tag\": \"master\"}", .imageTag("master")), ("docker_tag=1.4", .imageTag("1.4")),
            // as if pushed; the form's escapes and the JSON without its Content-Type
            ("{\"source_type\": \"Branch\", \"source_name\": \"staging\"}", ref(.branch, "staging")),
            ("{\"source_type\": \"Tag\", \"source_name\": \"v1.1\"}", ref(.tag, "v1.1")),
            ("source_type=Branch&source_name=feature%2Fa+b".replacing("+b", with: "b"), ref(.branch, "feature/ab")),
            ("{\"source_name\": \"main\"}", ref(.branch, "main")),
            ("{\"docker_tag\": \"latest\", \"source_name\": \"master\"}", ref(.branch, "master")),
            // ours
            ("{\"branch\": \"main\"}", ref(.branch, "main")), ("{\"tag\": \"v1\"}", ref(.tag, "v1")),
            ("{\"branch\": \"main\", \"tag\": null}", ref(.branch, "main")),
        ] as [(String, Trigger)])
    func bodies(body: String, meaning: Trigger) throws {
        #expect(try Trigger.read(Data(body.utf8)) == meaning)
    }

    @Test(arguments: [
        ("{\"build\": false}", "asks for nothing"), ("nonsense", "neither empty"), ("{", "not JSON"),
        ("[1]", "neither empty"),
        ("{\"sourcename\": \"x\"}", "nearest is \"source_name\""), ("{\"branch\": 5}", "another type"),
        ("{\"source_type\": \"Tag\"}", "without \"source_name\""),
        ("{\"source_type\": \"Commit\", \"source_name\": \"x\"}", "Branch or Tag"),
        ("{\"branch\": \"a..b\"}", "can't be the name"), ("{\"commit\": \"abc\"}", "not a commit id"),
        ("{\"branch\": \"a\", \"tag\": \"b\"}", "more than one"), ("build=maybe", "not true"),
    ])
    func unreadableBodiesNeverBuildEverything(body: String, reason: String) {
        let error = #expect(throws: IntakeError.self) { try Trigger.read(Data(body.utf8)) }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "none")")
    }
}
