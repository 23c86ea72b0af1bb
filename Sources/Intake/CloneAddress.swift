import Foundation
import Model

/// Where a repository lies, whichever of its addresses says so: over https, http, ssh or git, as `user@host:path`, or on
/// this machine.
struct CloneAddress: Equatable {
    let scheme: String
    /// In lower case; empty for a path of this machine.
    let host: String
    /// Nil is the scheme's own.
    let port: Int?
    /// Without slashes at its ends and without `.git`.
    let path: String

    /// Nil where the text is no address.
    init?(_ text: String) {
        if text.hasPrefix("/") || text.hasPrefix("file:///") {
            (scheme, host, port) = ("file", "", nil)
            path = Self.bare(text.hasPrefix("/") ? text[...] : text.dropFirst("file://".count))
        } else if let scheme = text.firstRange(of: "://") {
            self.scheme = text[..<scheme.lowerBound].lowercased()
            let rest = text[scheme.upperBound...]
            guard let slash = rest.firstIndex(of: "/") else { return nil }
            let place = rest[..<slash].split(separator: "@", omittingEmptySubsequences: false).last ?? ""
            // The colon of a port stands behind an IPv6 address's bracket.
            if let colon = place.lastIndex(of: ":"), let number = Int(place[place.index(after: colon)...]) {
                (host, port) = (place[..<colon].lowercased(), number)
            } else {
                (host, port) = (place.lowercased(), nil)
            }
            path = Self.bare(rest[slash...])
        } else if let colon = text.firstIndex(of: ":") {
            let place = text[..<colon].split(separator: "@", omittingEmptySubsequences: false).last ?? ""
            (scheme, host, port) = ("ssh", place.lowercased(), nil)
            path = Self.bare(text[text.index(after: colon)...])
        } else {
            return nil
        }
        if path.isEmpty { return nil }
    }

    private static func bare(_ path: Substring) -> String {
        var path = path.drop { $0 == "/" }
        while path.hasSuffix("/") { path.removeLast() }
        if path.hasSuffix(".git") { path.removeLast(4) }
        // Git hosts write a project's spaces as they like.
        return path.removingPercentEncoding ?? String(path)
    }

    /// Whether both are of one repository. Ports are compared within one scheme only: that of ssh says nothing of https.
    ///
    /// - Parameter caseMatters: of the path; Git hosts answer to any case, other servers may hold two that differ in it.
    func leads(toWhere other: CloneAddress, caseMatters: Bool) -> Bool {
        guard host == other.host, scheme != other.scheme || port == other.port else { return false }
        return path == other.path || (!caseMatters && !host.isEmpty && path.lowercased() == other.path.lowercased())
    }
}

extension CloneAddress {
    /// Those of the sources that one of the addresses leads to; where none does to the letter, in any case.
    static func places<Place>(of addresses: [String], in places: [Place], source: (Place) -> GitSource) -> [Place] {
        let told = addresses.compactMap { CloneAddress($0) }
        let known = places.map { ($0, CloneAddress(source($0).text)) }
        for caseMatters in [true, false] {
            let found = known.filter { known in
                told.contains { known.1?.leads(toWhere: $0, caseMatters: caseMatters) ?? false }
            }
            if !found.isEmpty { return found.map(\.0) }
        }
        return []
    }
}
