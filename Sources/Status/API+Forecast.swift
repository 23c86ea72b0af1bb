import HTTP
import Model
import Platform
import Settings

extension API {
    /// What a rule's image of a branch or tag would be made of, and whether another build's would be taken for it:
    /// `?rule=1&branch=main`, perhaps with a `commit`.
    func forecast(_ request: HTTPRequest, _ path: Path) async throws -> HTTPResponse {
        let caller = try access.caller(request, needs: .read)
        let name = try repository(path)
        guard caller.sees(name), let repository = settings[name] else { throw Refusal.unseen(name) }
        let number = try self.number("rule", request.query("rule") ?? "1", in: 1...Int64.max)
        guard let rule = repository.rules.first(where: { $0.number == number }) else {
            throw Refusal(404, "Not known here", "\(name) has no rule \(number)")
        }
        let ref: RefName
        switch (request.query("branch"), request.query("tag")) {
        case (let branch?, nil): ref = try RefName(.branch, branch)
        case (nil, let tag?): ref = try RefName(.tag, tag)
        default: throw InvalidText("give either branch or tag")
        }
        let commit: CommitID? = if let text = request.query("commit") { try CommitID(text) } else { nil }
        let forecast = try await forecasting.use { try await found(repository, rule, ref, commit) }
        guard let forecast else {
            var refusal = Refusal(
                429, "Too many requests", "\(Forecast.most) forecasts are being made; ask again in a moment")
            refusal.headers = [("Retry-After", "5")]
            throw refusal
        }
        return .json(200, ForecastJSON(forecast, repository, rule, ref))
    }

    private func found(
        _ repository: Repository, _ rule: Rule, _ ref: RefName, _ commit: CommitID?
    ) async throws -> Forecast {
        let title = "What it is made of is not known"
        guard let findForecast else { throw Refusal(503, title, "this service has no workers, it only receives") }
        let forecast: Forecast?
        do {
            forecast = try await withDeadline(Forecast.patience) {
                try await findForecast(repository, rule, ref, commit)
            }
        } catch {
            throw Refusal(503, title, "\(error)")
        }
        guard let forecast else {
            throw Refusal(
                503, title,
                "it could not be found out in \(Int(Forecast.patience.seconds)) s; build it, or ask again")
        }
        return forecast
    }
}
