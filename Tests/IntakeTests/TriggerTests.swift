import Foundation
import Model
import Testing

@testable import Intake

@Suite struct TriggerTests {
    private static let commit = String(repeating: "a", count: 40)

    /// Nil, which no trigger is, where the name is none.
    private static func pushed(
        _ kind: RefName.Kind, _ name: String, commit: String? = nil, imageTag: String? = nil, force: Bool = false
    ) -> Trigger? {
        guard let ref = try? RefName(kind, name) else { return nil }
        return Trigger(.ref(ref, commit.flatMap { try? CommitID($0) }), imageTag: imageTag, force: force)
    }

    private static func all(imageTag: String? = nil, force: Bool = false, _ args: [String: String] = [:]) -> Trigger {
        Trigger(.all, imageTag: imageTag, force: force, buildArgs: args)
    }

    @Test(
        arguments: [
            // everything
            ("", all()), ("  \n", all()), ("{}", all()), ("{\"build\": true}", all()), ("{\"build\": \"true\"}", all()),
            ("build=true", all()), ("build=true\n", all()), ("{\"build\": true, \"docker_tag\": null}", all()),
            // by image tag
            ("{\"docker_tag\": \"master\"}", all(imageTag: "master")), ("docker_tag=1.4", all(imageTag: "1.4")),
            ("{\"docker_tag_name\": \"master\"}", all(imageTag: "master")),
            ("{\"docker_tag_name\": \"a\", \"docker_tag\": \"a\"}", all(imageTag: "a")),
            // as if pushed; the form's escapes, and what Docker Hub's own examples send
            ("{\"source_type\": \"Branch\", \"source_name\": \"staging\"}", pushed(.branch, "staging")),
            ("{\"source_type\": \"Tag\", \"source_name\": \"v1.1\"}", pushed(.tag, "v1.1")),
            ("source_type=Branch&source_name=feature%2Fab", pushed(.branch, "feature/ab")),
            ("{\"source_name\": \"main\", \"source_type\": null}", pushed(.branch, "main")),
            // both must hold
            (
                "{\"docker_tag\": \"latest\", \"source_name\": \"master\"}",
                pushed(.branch, "master", imageTag: "latest")
            ),
            // ours
            ("{\"branch\": \"main\"}", pushed(.branch, "main")), ("{\"tag\": \"v1\"}", pushed(.tag, "v1")),
            ("{\"branch\": \"main\", \"tag\": null}", pushed(.branch, "main")),
            ("{\"commit\": \"\(commit)\"}", (try? CommitID(commit)).map { Trigger(.commit($0)) }),
            ("branch=main&commit=\(commit)", pushed(.branch, "main", commit: commit)),
            ("{\"branch\": \"main\", \"force\": true}", pushed(.branch, "main", force: true)),
            ("{\"branch\": \"main\", \"force\": \"true\"}", pushed(.branch, "main", force: true)),
            ("{\"branch\": \"main\", \"force\": false}", pushed(.branch, "main")),
            ("{\"branch\": \"main\", \"no_cache\": false}", pushed(.branch, "main")),
            ("no_cache=1", Trigger(.all, force: true, isFresh: true)),
            ("{\"no_cache\": true, \"force\": false}", Trigger(.all, force: true, isFresh: true)),
            ("force=true", all(force: true)), ("force=false&build=1", all()),
            ("{\"build_args\": {\"CHANNEL\": \"beta\", \"_a1\": \"\"}}", all(["CHANNEL": "beta", "_a1": ""])),
            ("{\"build_args\": {\"URL\": \"http://a:1/{x}\\\"\\\\\"}}", all(["URL": "http://a:1/{x}\"\\"])),
            ("{\"build_args\": {}}", all()), ("{\"build_args\": null, \"force\": null}", all()),
            ("build_args[A]=1&build_args%5BB%5D=x%3Dy+z", all(["A": "1", "B": "x=y z"])),
            ("build_args[A]={x}", all(["A": "{x}"])),
        ] as [(String, Trigger?)])
    func bodies(body: String, meaning: Trigger?) throws {
        #expect(try Trigger.read(Data(body.utf8)) == meaning)
    }

    @Test(arguments: [
        ("{\"build\": false}", "asks for nothing"), ("{\"build\": false, \"branch\": \"main\"}", "asks for nothing"),
        ("build=maybe", "not true or false"), ("nonsense", "neither empty"), ("{", "not JSON"),
        ("{\"build\": true} x", "not JSON"), ("{\"build\": tru", "not JSON"),
        // arrays, texts and numbers at the top
        ("[1]", "neither empty"), ("[{\"branch\": \"main\"}]", "neither empty"), ("\"main\"", "neither empty"),
        ("5", "neither empty"), ("null", "neither empty"), ("[{\"a\"=1}]", "not known"),
        // other types than texts
        ("{\"branch\": 5}", "\"branch\" is of another type"), ("{\"tag\": [\"v1\"]}", "\"tag\" is of another type"),
        ("{\"branch\": true}", "\"branch\" must be a text, not true"),
        ("{\"branch\": {\"name\": \"main\"}}", "\"branch\" must be a text, not an object"),
        ("{\"source_name\": {\"a\": {\"b\": \"c\"}}}", "\"source_name.a\" is of another type"),
        ("{\"build\": 1}", "\"build\" is of another type"), ("{\"force\": 1}", "\"force\" is of another type"),
        ("{\"force\": \"yes\"}", "\"force\" is \"yes\""),
        // nothing where something was to be named
        ("{\"docker_tag\": null}", "\"docker_tag\" is null"), ("{\"build\": null}", "\"build\" is null"),
        ("{\"branch\": null, \"force\": true}", "\"branch\" is null"), ("{\"docker_tag\": \"\"}", "is empty"),
        ("docker_tag=", "is empty"), ("branch=", "can't be the name"), ("commit=", "not a commit id"),
        ("build", "neither empty"), ("&build", "neither empty"),
        // twice
        ("{\"branch\": \"a\", \"branch\": \"b\"}", "twice"), ("{\"branch\": \"a\", \"branch\": \"a\"}", "twice"),
        ("{\"build_args\": {\"A\": \"1\", \"A\": \"2\"}}", "twice"), ("branch=a&branch=b", "twice"),
        ("build_args[A]=1&build_args[A]=2", "twice"), ("build_args[A]=1&build_args=x", "twice"),
        // contradictions
        ("{\"branch\": \"a\", \"tag\": \"b\"}", "more than one"),
        ("{\"branch\": \"a\", \"source_name\": \"a\"}", "more than one"),
        ("{\"docker_tag\": \"a\", \"docker_tag_name\": \"b\"}", "differ"),
        // names
        ("{\"sourcename\": \"x\"}", "nearest is \"source_name\""),
        ("{\"source_type\": \"Tag\"}", "without \"source_name\""),
        ("{\"source_type\": \"Tag\", \"branch\": \"a\"}", "without \"source_name\""),
        ("{\"source_type\": \"Commit\", \"source_name\": \"x\"}", "Branch or Tag"),
        ("{\"branch\": \"a..b\"}", "can't be the name"), ("{\"commit\": \"abc\"}", "not a commit id"),
        // build arguments
        ("{\"build_args\": {\"A-B\": \"1\"}}", "can't be a build argument"),
        ("build_args[]=1", "can't be a build argument"),
        ("{\"build_args\": {\"1A\": \"1\"}}", "can't be a build argument"),
        ("{\"build_args\": {\"A\": 1}}", "\"build_args.A\" is of another type"),
        ("{\"build_args\": {\"A\": null}}", "\"build_args.A\" is of another type"),
        ("{\"build_args\": {\"A\": \"\\u0000\"}}", "NUL"), ("{\"build_args\": [\"A=1\"]}", "of another type"),
        ("{\"build_args\": \"A=1\"}", "must be an object"), ("build_args=A", "must be an object"),
        // no text
        ("branch=%ff", "neither empty"), ("branch=a%zz", "neither empty"), ("a\0=b", "not UTF-8"),
    ])
    func unreadableBodiesNeverBuildEverything(body: String, reason: String) {
        let error = #expect(throws: IntakeError.self) { try Trigger.read(Data(body.utf8)) }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "none")")
    }

    @Test func bytesThatAreNoTextAreUnreadable() {
        #expect(throws: IntakeError.self) { try Trigger.read(Data([0xff, 0xfe])) }
        #expect(throws: IntakeError.self) { try Trigger.read(Data("{\"branch\": \"".utf8) + [0xff] + Data("\"}".utf8)) }
        #expect(throws: IntakeError.self) { try Trigger.read(try #require("{}".data(using: .utf16LittleEndian))) }
        let deep = String(repeating: "{\"a\":", count: 100_000)
        #expect(throws: IntakeError.self) { try Trigger.read(Data(deep.utf8)) }
    }

    @Test func bodiesAreBounded() throws {
        let longest =
            Data("branch=main".utf8) + Data(repeating: UInt8(ascii: "\n"), count: TriggerFields.longestBody - 11)
        #expect(try Trigger.read(longest) == Self.pushed(.branch, "main"))
        let error = #expect(throws: IntakeError.self) { try Trigger.read(longest + Data("\n".utf8)) }
        #expect(error?.description.contains("524289 bytes") == true, "\(error?.description ?? "none")")
    }

    @Test func buildArgumentsAreBounded() throws {
        func body(_ count: Int, _ length: Int) throws -> Data {
            let names = (0..<count).map { "A\($0)" }
            let arguments = Dictionary(uniqueKeysWithValues: names.map { ($0, String(repeating: "x", count: length)) })
            return try JSONSerialization.data(withJSONObject: ["build_args": arguments])
        }
        #expect(try Trigger.read(try body(64, 10)).buildArgs.count == 64)
        #expect(throws: IntakeError.self) { try Trigger.read(try body(65, 10)) }
        #expect(try Trigger.read(try body(1, (64 << 10) - 2)).buildArgs.count == 1)
        #expect(throws: IntakeError.self) { try Trigger.read(try body(1, (64 << 10) - 1)) }
    }
}
