import Foundation
import Model
import Platform
import Status

extension Status {
    static func line(_ build: BuildJSON, retries: Int? = nil) -> String {
        let state = Terminal.coloured(build.state.rawValue, colour(build.state))
        let commit = build.commit.map { " at \($0.prefix(12))" } ?? ""
        let result = result(build, retries: retries)
        let end = result.isEmpty ? "" : ": \(result)"
        return
            "build \(build.id)  \(state)  \(build.repository) \(Terminal.harmless(build.ref.name))\(commit)\(Terminal.harmless(end))"
    }

    static func colour(_ state: Build.State) -> Terminal.Colour {
        switch state {
        case .pending: .yellow
        case .building, .pushing: .blue
        case .finished: .green
        case .failed: .red
        case .cancelled, .superseded: .dim
        }
    }

    /// What came of it, or comes next.
    ///
    /// - Parameter retries: how often builds are tried again; nil where that isn't known here.
    static func result(_ build: BuildJSON, retries: Int?) -> String {
        if build.stop != nil { return stopping(build) }
        if let successor = build.superseded_by { return "superseded by \(successor)" }
        if let error = build.error {
            let first = error.message.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
            return build.state == .pending ? "\(again(build, retries)): \(first)" : "\(error.stage): \(first)"
        }
        let image = build.digest.map { String($0.text.prefix(19)) + (build.reused.map { " of build \($0)" } ?? "") }
        return build.reason ?? image ?? ""
    }

    /// Of one that is to end: `stopping: cancelled by ops`.
    static func stopping(_ build: BuildJSON) -> String {
        "stopping: \(build.superseded_by.map { "superseded by \($0)" } ?? build.reason ?? "cancelled")"
    }

    /// Of one that is pending after a failure: `trying again in 40 s (2 of 5)`.
    static func again(_ build: BuildJSON, _ retries: Int?) -> String {
        let left = build.retry_at.flatMap(Timestamp.date)?.timeIntervalSince(ServiceClock.now) ?? 0
        let pause = left >= 120 ? " in \(Int(left / 60)) min" : left > 0 ? " in \(Int(left.rounded(.up))) s" : ""
        return "trying again\(pause) (\(build.tries)\(retries.map { " of \($0)" } ?? ""))"
    }

    static func age(_ created: String) -> String {
        Timestamp.date(created).map { short(ServiceClock.now.timeIntervalSince($0)) } ?? ""
    }

    /// From the start of the latest attempt to the end, or to now.
    static func took(_ build: BuildJSON) -> String? {
        guard let start = build.started_at.flatMap(Timestamp.date) else { return nil }
        return short((build.finished_at.flatMap(Timestamp.date) ?? ServiceClock.now).timeIntervalSince(start))
    }

    /// `0.4s`, `14s`, `3m`, `2h`, `5d`.
    private static func short(_ seconds: Double) -> String {
        switch max(0, seconds) {
        case let s where s < 9.95: "\((s * 10).rounded() / 10)s"
        case let s where s < 100: "\(Int(s))s"
        case let s where s < 100 * 60: "\(Int(s / 60))m"
        case let s where s < 48 * 3600: "\(Int(s / 3600))h"
        case let s: "\(Int(s / 86400))d"
        }
    }
}
