import Foundation
import Platform
import TestSupport
import Testing

extension EndToEnd {
    /// The program as a person at a terminal uses it.
    @Suite(.enabled(if: Machine.has("buildah", "docker-registry")))
    struct CommandLineTests {
        private func slipway(_ arguments: String..., environment: [String: String] = [:]) async throws -> ProgramRun {
            try await ProgramRun.slipway(arguments, environment: environment)
        }

        @Test(.timeLimit(.minutes(6)))
        func checkNamesTenMistakesAtOnce() async throws {
            let folder = try TemporaryDirectory()
            let file = try folder.write(
                """
                lisen: 127.0.0.1:8080
                workers: many
                engine: dokcer
                url: builds.example.com
                repositories:
                  acme/shop:
                    sorce: /srv/shop.git
                    image: Registry.example.com/Acme
                    webhook_secret: {env: NOT_SET_ANYWHERE}
                    rules:
                      - branch: '/(/'
                        tags: '{\\1}'
                      - tag: v1
                        tags: '{shaa}'
                      - branch: main
                        timeout: soon
                        dockerfil: x

                """, to: "slipway.yaml")
            let run = try await slipway("check", "--config", file)
            #expect(run.status == 1)
            #expect(run.output.isEmpty)
            let lines = run.errors.split(separator: "\n").map(String.init)
            for (line, words) in [
                ("1:1", "nearest is \"listen\""), ("2:10", "many"), ("3:9", "nearest is \"docker\""), ("4:6", "http"),
                ("7:5", "nearest is \"source\""), ("8:12", "Acme"), ("9:27", "NOT_SET_ANYWHERE"),
                ("11:17", "regular expression"),
                ("14:15", "{sha"), ("16:18", "soon"), ("17:9", "nearest is \"dockerfile\""),
            ] {
                #expect(
                    lines.contains { $0.hasPrefix("\(file):\(line):") && $0.contains(words) },
                    "\(line) \(words)\n\(run.errors)")
            }
        }

        @Test(.timeLimit(.minutes(6)))
        func exitCodesAndAnswers() async throws {
            let bed = try await Bed()
            let here = ["SLIPWAY_URL": bed.service.url]
            try bed.write("one")
            try bed.git.commit()
            try bed.git.push()
            let good = try await slipway("trigger", "acme/shop", "--branch", "main", "--wait", environment: here)
            #expect(good.status == 0, "\(good)")
            #expect(good.errors.contains("build 1  finished"), "\(good)")
            // stdout is data: nothing but JSON there.
            let json = try await slipway("status", "1", "--json", environment: here)
            #expect(
                (try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])?["state"] as? String
                    == "finished")
            let table = try await slipway("status", environment: here)
            #expect(
                table.output.contains("REPOSITORY") && table.output.contains("latest")
                    && table.output.contains("sha256:"))
            #expect(!table.output.contains("\u{1b}"))

            try bed.write("two", "FROM scratch\nCOPY gone /\n")
            try bed.git.commit("Break it")
            try bed.git.push()
            let broken = try await slipway("trigger", "acme/shop", "--branch", "main", "--wait", environment: here)
            #expect(broken.status == 3, "\(broken)")
            let shown = try await slipway("status", "2", environment: here)
            #expect(shown.status == 3)
            #expect(shown.output.contains("line 2"), "\(shown)")
            let logs = try await slipway("logs", "2", "--follow", environment: here)
            #expect(logs.status == 3)
            #expect(logs.output.contains("slipway: failed (build, build)"), "\(logs)")
            #expect(try await slipway("logs", "1", environment: here).status == 0)

            let rules = try await slipway("rules", "acme/shop", "--branch", "main", "--config", bed.config)
            #expect(rules.output.contains("rule 1: yes"), "\(rules)")
            let nothing = try await slipway("trigger", "acme/shop", "--tag", "v1", environment: here)
            #expect(nothing.status == 2)
            #expect(nothing.errors.contains("not tag \"v1\""), "\(nothing)")
            // What the service can't read is wrong usage.
            let many = try await slipway("status", "-n", "501", environment: here)
            #expect(many.status == 1 && many.errors.contains("from 1 to 500\nusage: "), "\(many)")
            await bed.service.stop()
            let gone = try await slipway("status", environment: here)
            #expect(gone.status == 2)
            #expect(gone.errors.contains("slipway serve"), "\(gone)")
            await bed.stop()
        }

        /// What a trigger asks for beside the branch, and a build that was there already.
        @Test(.timeLimit(.minutes(6)))
        func triggersThatForceSetAndFollow() async throws {
            let rules = """
                    rules:
                      - {branch: main, trigger_build_args: [CHANNEL]}
                """
            let bed = try await Bed(rules: rules)
            try bed.write("one", "FROM scratch\nARG CHANNEL=hello\nCOPY $CHANNEL /\n")
            let commit = try bed.git.commit()
            try bed.git.push()
            func trigger(_ more: String...) async throws -> ProgramRun {
                try await ProgramRun.slipway(
                    ["trigger", "acme/shop", "--branch", "main", "--commit", commit, "--wait"] + more,
                    environment: ["SLIPWAY_URL": bed.service.url])
            }
            #expect(try await trigger().errors.contains("build 1  finished"))
            let known = try await trigger()
            #expect(known.status == 0 && known.errors.contains("build 1 is of this commit"), "\(known)")
            #expect(known.errors.contains("build 1  finished"), "\(known)")
            let forced = try await trigger("--force")
            #expect(forced.status == 0 && forced.errors.contains("build 2  finished"), "\(forced)")
            let gone = try await trigger("--build-arg", "CHANNEL=a=b", "--json")
            #expect(gone.status == 3, "\(gone)")
            let build = try JSONSerialization.jsonObject(with: Data(gone.output.utf8)) as? [String: Any]
            let error = build?["error"] as? [String: Any]
            #expect(build?["id"] as? Int == 3 && (error?["message"] as? String)?.contains("a=b") == true, "\(gone)")
            let refused = try await trigger("--build-arg", "CHANNEL=x", "--build-arg", "OTHER=x")
            #expect(refused.status == 2 && refused.errors.contains("argument OTHER"), "\(refused)")
            await bed.stop()
        }

        @Test(
            .timeLimit(.minutes(6)),
            arguments: [
                (["statsu"], 1, "nearest is \"status\""), (["status", "--jsno"], 1, "nearest is --json"),
                (["logs"], 1, "is missing"),
                (["logs", "x"], 1, "not the number"), (["trigger", "shop"], 1, "<namespace>/<name>"),
                (["trigger", "acme/shop", "--build-arg", "A"], 1, "is not NAME=VALUE"),
                (["trigger", "acme/shop", "--build-arg", "A=1", "--build-arg", "A=2"], 1, "A is given twice"),
                (["delivery", "abcd", "--wait"], 1, "--wait is for --redeliver"),
                (["status", "--url", "nowhere"], 1, "not an http"),
                (["serve", "--config", "/nonexistent.yaml"], 1, "/nonexistent.yaml"),
                (["token", "nightly"], 1, "is too much"), (["token", "--name", "a\nb"], 1, "visible text"),
            ])
        func usage(arguments: [String], status: Int, words: String) async throws {
            let run = try await ProgramRun.slipway(arguments)
            #expect(run.status == Int32(status), "\(run)")
            #expect(run.errors.contains(words), "\(run)")
        }

        /// A token that the program made starts builds once the entry that it showed is in the settings.
        @Test(.timeLimit(.minutes(6)))
        func tokenForTriggers() async throws {
            let made = try await slipway("token", "--name", "Ada's: nightly")
            #expect(made.status == 0, "\(made)")
            // stdout is data: the token and nothing else, safe in an address.
            let token = made.output.trimmingCharacters(in: .newlines)
            #expect(token.wholeMatch(of: /[A-Za-z0-9_-]{43}/) != nil && made.output == token + "\n", "\(made)")
            #expect(!made.errors.contains(token))
            let hash = Crypto.sha256(Data(token.utf8)).hex
            let entry = "- {name: 'Ada''s: nightly', sha256: \(hash)}"
            #expect(made.errors.contains("\n      \(entry)\n"), "\(made)")

            let bed = try await Bed(workers: 0, rules: "    rules: [{branch: main}]", start: false)
            try bed.replace("trigger_tokens: [\"\(Bed.triggerToken)\"]", "trigger_tokens:\n      \(entry)")
            try await bed.startService()
            let body = Data(#"{"source_type": "Branch", "source_name": "main"}"#.utf8)
            let reply = try await bed.service.request("POST", "/triggers/\(token)", body: body)
            #expect(reply.status == 202 && reply.builds.count == 1, "\(reply.text)")
            await bed.stop()
        }

        @Test(.timeLimit(.minutes(6)))
        func tokenAsJSON() async throws {
            let made = try await slipway("token", "--json")
            let object = try #require(try JSONSerialization.jsonObject(with: Data(made.output.utf8)) as? [String: Any])
            let token = try #require(object["token"] as? String)
            let hash = Crypto.sha256(Data(token.utf8)).hex
            #expect(object["sha256"] as? String == hash && object["settings"] as? String == "- {sha256: \(hash)}")
            #expect((object["paths"] as? [String])?.count == 3 && made.errors.isEmpty, "\(made)")
            let again = try await slipway("token", "--json")
            #expect(again.output != made.output)
        }

        /// Tokens with roles, on an address that others could reach.
        @Test(.timeLimit(.minutes(6)))
        func tokens() async throws {
            let bed = try await Bed(workers: 0, start: false)
            try bed.append(settings: "access:\n  - {name: reader, token: a-token-to-read, role: read}\n")
            try await bed.startService()
            let here = ["SLIPWAY_URL": bed.service.url]
            let without = try await slipway("status", environment: here)
            #expect(without.status == 2)
            #expect(without.errors.contains("SLIPWAY_TOKEN"), "\(without)")
            #expect(try await slipway("status", "--token", "a-token-to-read", environment: here).status == 0)
            let small = try await slipway(
                "trigger", "acme/shop", environment: here.merging(["SLIPWAY_TOKEN": "a-token-to-read"]) { $1 })
            #expect(small.status == 2)
            #expect(small.errors.contains("role"), "\(small)")
            await bed.stop()
        }
    }
}
