import Foundation
import Platform
import Settings

/// Reads the settings file again while the service runs; one with errors changes nothing.
struct Reload: Sendable {
    let path: String
    let settings: LiveSettings
    let log: Log

    func run() {
        let read: Settings
        do {
            let (settings, warnings) = try SettingsFile.read(
                path: path, environment: ProcessInfo.processInfo.environment)
            read = settings
            for warning in warnings { log.warning("\(warning)") }
        } catch {
            for finding in error.findings { log.error("\(finding)") }
            log.error("the settings have errors, so they stay as they were", ["errors": error.findings.count])
            return
        }
        let change = settings.change(to: read)
        for key in change.needRestart {
            log.warning("\"\(key)\" changed in the settings, which needs a restart; until then it stays as it was")
        }
        log.info("the settings were read again: \(change)")
    }
}
