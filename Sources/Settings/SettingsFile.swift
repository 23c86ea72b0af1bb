import Foundation
import Model

/// Finds and reads `slipway.yaml`.
package enum SettingsFile {
    /// Where the file is looked for when nobody names one.
    package static let places = ["./slipway.yaml", "/etc/slipway/slipway.yaml"]

    /// The path that `--config` names, else `$SLIPWAY_CONFIG`, else the first of `places` that is there.
    ///
    /// - Throws: `SettingsNotFound` where there is no such file.
    package static func locate(
        flag: String?, environment: [String: String], places: [String] = Self.places
    ) throws -> String {
        if let flag { return try existing(flag, "--config") }
        if let named = environment["SLIPWAY_CONFIG"], !named.isEmpty { return try existing(named, "$SLIPWAY_CONFIG") }
        guard let found = places.first(where: FileManager.default.fileExists(atPath:)) else {
            throw SettingsNotFound(
                "there are no settings: --config and $SLIPWAY_CONFIG are not given, and there is no file at "
                    + places.joined(separator: " or ") + "; write one from the sample deploy/slipway.yaml")
        }
        return found
    }

    private static func existing(_ path: String, _ namedBy: String) throws -> String {
        guard FileManager.default.fileExists(atPath: path) else {
            throw SettingsNotFound("there are no settings at \(path), which \(namedBy) names")
        }
        return path
    }

    /// - Parameter environment: where `{env: NAME}` is looked up.
    /// - Throws: `SettingsErrors` with every fault of the file.
    package static func read(
        path: String, environment: [String: String]
    ) throws(SettingsErrors) -> (settings: Settings, warnings: [Finding]) {
        let bytes: [UInt8]
        do throws(InvalidText) {
            bytes = try TextFile.bytes(at: path, limit: 4 << 20)
        } catch {
            let message = "the settings can't be read: \(error)"
            throw SettingsErrors(findings: [Finding(file: path, line: 0, column: 0, message: message)])
        }
        return try parse(bytes, file: path, environment: environment)
    }

    /// Reads settings that are at hand; relative paths in them begin at `file`'s folder.
    package static func parse(
        text: String, file: String, environment: [String: String]
    ) throws(SettingsErrors) -> (settings: Settings, warnings: [Finding]) {
        try parse(Array(text.utf8), file: file, environment: environment)
    }

    private static func parse(
        _ bytes: [UInt8], file: String, environment: [String: String]
    ) throws(SettingsErrors) -> (settings: Settings, warnings: [Finding]) {
        let report = Report(file: file)
        let folder = URL(fileURLWithPath: file).deletingLastPathComponent().path
        let reader = SettingsReader(report: report, environment: environment, folder: folder)
        var settings = Settings()
        do throws(YAMLFault) {
            settings = reader.settings(try Composer.tree(of: bytes, report))
        } catch {
            report.error(error.position, error.message)
        }
        let errors = report.errors
        guard errors.isEmpty else { throw SettingsErrors(findings: errors) }
        return (settings, report.warnings)
    }
}

/// No settings file is where one was looked for; the description names every such place.
package struct SettingsNotFound: Error, Equatable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
