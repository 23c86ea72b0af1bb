/// Why a request was turned away; the description is the sentence that its sender gets.
package enum IntakeError: Error, Equatable, CustomStringConvertible {
    /// The body or a header can't be read (400).
    case unreadable(String)
    /// The signature is missing or wrong (401).
    case unauthenticated(String)
    /// No such repository, or no such token (404).
    case unknown(String)
    /// The Git source had to be asked, and did not answer (503).
    case sourceSilent(String)

    package var description: String {
        switch self {
        case .unreadable(let sentence), .unauthenticated(let sentence), .unknown(let sentence),
            .sourceSilent(let sentence):
            sentence
        }
    }
}
