import Foundation
import Model

extension Response {
    /// What a registry's error body says (distribution spec, "Error codes"), fit to be put into a sentence; nil where it
    /// says nothing readable.
    var message: String? {
        struct Form: Decodable {
            struct Entry: Decodable {
                var code: String?
                var message: String?
            }
            var errors: [Entry]?
            /// Of token servers.
            var details: String?
            var error_description: String?
            var error: String?
        }
        guard let form = try? JSONDecoder().decode(Form.self, from: body) else { return nil }
        let first = form.errors?.first
        let told = [first?.code, first?.message, form.details, form.error_description, form.error].compactMap(\.self)
        let text = told.filter { !$0.isEmpty }.prefix(2).joined(separator: ": ")
        let clean = String(
            String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }))
        return clean.isEmpty ? nil : clean.excerpt(200)
    }

    /// The error for a status that isn't success.
    func error(_ operation: RegistryOperation, login: Login?, now: Date) -> RegistryError {
        switch status {
        case 401, 403: .refused(operation, username: login?.username, message: message)
        case 429: .tooManyRequests(operation, retryAfter: retryAfter(now: now))
        default: .status(operation, code: status, message: message, retryAfter: retryAfter(now: now))
        }
    }

    /// Seconds; the header holds them, or a time (RFC 9110, 10.2.3).
    private func retryAfter(now: Date) -> Int? {
        guard let text = headers["retry-after"]?.trimmingCharacters(in: .whitespaces) else { return nil }
        if let seconds = Int(text) { return max(0, seconds) }
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = TimeZone(secondsFromGMT: 0)
        format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss zzz"
        return format.date(from: text).map { max(0, Int($0.timeIntervalSince(now).rounded(.up))) }
    }
}
