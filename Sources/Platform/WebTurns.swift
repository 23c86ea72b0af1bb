/// Whose turn it is: so many transfers of one host at once, in the order in which they came.
///
/// Not left to libcurl (CURLMOPT_MAX_HOST_CONNECTIONS): there the time limit of what waits is running.
struct WebTurns {
    private let width: Int
    private var waiting: [String: [WebTransfer]] = [:]
    /// How many there are of a host that began and did not end.
    private var going: [String: Int] = [:]

    init(width: Int) {
        self.width = width
    }

    mutating func wait(_ transfer: WebTransfer) { waiting[transfer.host, default: []].append(transfer) }

    /// - Returns: one that is to begin now; nil where there is none.
    mutating func next() -> WebTransfer? {
        guard let host = waiting.keys.first(where: { going[$0, default: 0] < width }) else { return nil }
        going[host, default: 0] += 1
        let transfer = waiting[host]?.removeFirst()
        if waiting[host]?.isEmpty == true { waiting[host] = nil }
        return transfer
    }

    /// One that began has ended.
    mutating func ended(_ transfer: WebTransfer) {
        let left = going[transfer.host, default: 1] - 1
        going[transfer.host] = left > 0 ? left : nil
    }

    /// - Returns: those that wait no longer.
    mutating func leave(where isOver: (WebTransfer) -> Bool) -> [WebTransfer] {
        let left = waiting.values.joined().filter(isOver)
        if !left.isEmpty {
            waiting = waiting.mapValues { $0.filter { !isOver($0) } }.filter { !$0.value.isEmpty }
        }
        return left
    }
}
