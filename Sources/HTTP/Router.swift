/// Finds the handler of a request by its method and path.
package struct Router: Sendable {
    package typealias Handler = @Sendable (HTTPRequest, PathParameters) async -> HTTPResponse

    private var routes: [Route] = []

    package init() {}

    /// Adds a route. Of several that match a path the one with the most literal segments answers, of those the first.
    ///
    /// - Parameter pattern: `/api/v1/builds/:id`; a segment that begins with `:` takes any text but an empty one. A
    ///   trailing slash makes no difference, neither here nor in a request. A GET answers HEAD too.
    package mutating func on(_ method: String, _ pattern: String, _ handler: @escaping Handler) {
        let segments = pattern.split(separator: "/").map { segment in
            segment.hasPrefix(":") ? Route.Segment.parameter(String(segment.dropFirst())) : .literal(String(segment))
        }
        routes.append(Route(method: method, segments: segments, handler: handler))
    }

    /// The route's answer; a 404 where no pattern has this path, a 405 with `Allow` where only other methods do.
    package func answer(_ request: HTTPRequest) async -> HTTPResponse {
        var best: (route: Route, parameters: PathParameters)?
        var allowed: Set<String> = []
        for route in routes {
            guard let parameters = route.match(request.path) else { continue }
            allowed.insert(route.method)
            if route.method == "GET" { allowed.insert("HEAD") }
            guard route.answers(request.method) else { continue }
            if let found = best, found.route.literals >= route.literals { continue }
            best = (route, parameters)
        }
        if let best { return await best.route.handler(request, best.parameters) }
        if allowed.isEmpty {
            return .problem(404, title: "Not Found", detail: "There is nothing at this address.")
        }
        let list = allowed.sorted().joined(separator: ", ")
        return .problem(
            405, title: "Method Not Allowed", detail: "This address answers \(list).", headers: [("Allow", list)])
    }
}

/// What a pattern's `:name` segments stood for in one request.
package struct PathParameters: Sendable {
    private let values: [String: String]

    package init(_ values: [String: String]) {
        self.values = values
    }

    /// The decoded segment; empty where the pattern has no such name, which no segment of a request can be.
    package subscript(name: String) -> String {
        values[name, default: ""]
    }
}

private struct Route: Sendable {
    enum Segment: Sendable {
        case literal(String)
        case parameter(String)
    }

    let method: String
    let segments: [Segment]
    let handler: Router.Handler

    var literals: Int {
        segments.count { if case .literal = $0 { true } else { false } }
    }

    func answers(_ method: String) -> Bool {
        self.method == method || (self.method == "GET" && method == "HEAD")
    }

    func match(_ path: [String]) -> PathParameters? {
        guard path.count == segments.count else { return nil }
        var values: [String: String] = [:]
        for (segment, text) in zip(segments, path) {
            switch segment {
            case .literal(let literal):
                guard literal == text else { return nil }
            case .parameter(let name):
                guard !text.isEmpty else { return nil }
                values[name] = text
            }
        }
        return PathParameters(values)
    }
}
