import Foundation
import Model
import Settings
import Testing

@Suite struct SettingsFileTests {
    @Test func flagThenEnvironmentThenPlaces() throws {
        try inFolder { folder in
            let places = ["a", "b", "c"].map { "\(folder)/\($0)" }
            let environment = ["SLIPWAY_CONFIG": places[1]]
            for place in places { try Data().write(to: URL(fileURLWithPath: place)) }
            func locate(_ flag: String?, _ environment: [String: String]) throws -> String {
                try SettingsFile.locate(flag: flag, environment: environment, places: [folder + "/none", places[2]])
            }
            #expect(try locate(places[0], environment) == places[0])
            #expect(try locate(nil, environment) == places[1])
            #expect(try locate(nil, ["SLIPWAY_CONFIG": ""]) == places[2])
            #expect(throws: SettingsNotFound("there are no settings at /none/x, which --config names")) {
                try locate("/none/x", environment)
            }
            #expect(throws: SettingsNotFound("there are no settings at /none/x, which $SLIPWAY_CONFIG names")) {
                try locate(nil, ["SLIPWAY_CONFIG": "/none/x"])
            }
        }
    }

    @Test func everyPlaceIsNamedWhereThereIsNoFile() {
        let told = SettingsNotFound(
            "there are no settings: --config and $SLIPWAY_CONFIG are not given, and there is no file at "
                + "/none/a or /none/b; write one from the sample deploy/slipway.yaml")
        #expect(throws: told) {
            try SettingsFile.locate(flag: nil, environment: [:], places: ["/none/a", "/none/b"])
        }
    }

    @Test func aFileThatCannotBeReadIsToldAsAWhole() {
        let told = SettingsErrors(findings: [
            Finding(file: "/", line: 0, column: 0, message: "the settings can't be read: it is a folder")
        ])
        #expect(told.description == "/: the settings can't be read: it is a folder")
        #expect(throws: told) { try SettingsFile.read(path: "/", environment: [:]) }
    }

    @Test func theSampleThatUsersCopyIsValid() throws {
        let environment = [
            "SLIPWAY_OPS_TOKEN": "ops-0123456789abcdef", "SLIPWAY_REGISTRY_PASSWORD": "r", "SLIPWAY_GIT_TOKEN": "g",
            "SLIPWAY_GIT_HOST_SECRET": "h-0123456789abcdef", "SLIPWAY_SHOP_WEBHOOK_SECRET": "w-0123456789abcdef",
            "SLIPWAY_SHOP_TRIGGER": "t-0123456789abcdef",
            "SLIPWAY_TOOLS_KEY": privateKey,
        ]
        let path = Self.deploy("slipway.yaml")
        let (settings, warnings) = try SettingsFile.read(path: path, environment: environment)
        #expect(warnings == [])
        #expect(settings.repositories.map(\.name.text) == ["acme/shop", "acme/tools"])
        // It shows the defaults.
        #expect(settings.retries == Settings().retries && settings.sweep == Sweep() && settings.limits == Limits())
        #expect(settings.keep == Keep() && settings.disk == Disk())
        #expect(settings.repositories.map(\.poll) == [Repository.usualPoll, Repository.usualPoll])
        // Of a trigger token only the hash is kept.
        let secrets = environment.filter { $0.key != "SLIPWAY_SHOP_TRIGGER" }.values
        #expect(settings.secrets.map(\.value).sorted() == secrets.sorted())
    }

    @Test(arguments: ["compose", "kubernetes"])
    func theSettingsForContainersAreValid(folder: String) throws {
        let environment = [
            "SLIPWAY_DATABASE_PASSWORD": "d", "SLIPWAY_REGISTRY_PASSWORD": "r",
            "SLIPWAY_OPS_TOKEN": "ops-0123456789abcdef", "SLIPWAY_WEBHOOK_SECRET": "w-0123456789abcdef",
        ]
        let path = Self.deploy("\(folder)/slipway.yaml")
        let (settings, warnings) = try SettingsFile.read(path: path, environment: environment)
        #expect(warnings == [])
        #expect(settings.secrets.map(\.value).sorted() == environment.values.sorted())
        // The line that a worker's command puts another number into.
        #expect(try String(contentsOfFile: path, encoding: .utf8).contains("\nworkers: 0\n"))
    }

    private static func deploy(_ file: String) -> String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("deploy/\(file)").path
    }
}
