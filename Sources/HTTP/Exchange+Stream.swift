import CMicroHTTPD
import Foundation
import Platform

/// What lies between a stream's source and the connection: at most one piece.
struct BodyStream {
    private enum End {
        case open, well, broken
    }

    private var piece = Data()[...]
    private var end = End.open
    private var waiter: CheckedContinuation<Bool, Never>?

    enum Reading {
        case nothingYet, ended, broken
        case bytes(Data, next: CheckedContinuation<Bool, Never>?)
    }

    /// False once the source has given all that it will.
    var isOpen: Bool { end == .open }

    mutating func offer(_ piece: Data, _ waiter: CheckedContinuation<Bool, Never>) {
        self.piece = piece
        self.waiter = waiter
    }

    mutating func end(well: Bool) {
        if end == .open { end = well ? .well : .broken }
    }

    /// Takes up to `limit` bytes; with the last of a piece, whoever is to be asked for the next one.
    mutating func take(_ limit: Int) -> Reading {
        guard !piece.isEmpty else {
            switch end {
            case .open: return .nothingYet
            case .well: return .ended
            case .broken: return .broken
            }
        }
        let bytes = Data(piece.prefix(limit))
        piece = piece.dropFirst(bytes.count)
        guard piece.isEmpty else { return .bytes(bytes, next: nil) }
        piece = Data()[...]
        defer { waiter = nil }
        return .bytes(bytes, next: waiter)
    }

    /// - Returns: who still waits for the piece to be taken.
    mutating func close() -> CheckedContinuation<Bool, Never>? {
        end(well: false)
        piece = Data()[...]
        defer { waiter = nil }
        return waiter
    }
}

extension Exchange {
    /// Hands the source's pieces to the connection, one at a time, until either ends.
    func pump(_ next: @Sendable () async throws -> Data?) async {
        do {
            while let piece = try await next() {
                if piece.isEmpty { continue }
                guard await offer(piece) else { return }
            }
            end(well: true)
        } catch {
            if !Task.isCancelled { core.log.warning("an answer's body broke off", ["reason": error]) }
            end(well: false)
        }
    }

    /// - Returns: once the connection took the piece; false where it is gone.
    private func offer(_ piece: Data) async -> Bool {
        await withCheckedContinuation { waiter in
            let isGone = state.withLock { state in
                if state.isAborted { return true }
                if case .gone = state.phase { return true }
                state.stream.offer(piece, waiter)
                // While the answer's head isn't out yet the connection is suspended for nothing, or not at all.
                if case .sending = state.phase { resume(&state) }
                return false
            }
            if isGone { waiter.resume(returning: false) }
        }
    }

    private func end(well: Bool) {
        state.withLock { state in
            state.stream.end(well: well)
            if case .sending = state.phase { resume(&state) }
        }
    }

    /// Gives libmicrohttpd up to `limit` bytes of the body; suspends the connection where there are none yet.
    func read(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        let limit = buffer.count
        let reading = state.withLock { state in
            if state.isAborted { return BodyStream.Reading.broken }
            let reading = state.stream.take(limit)
            if case .nothingYet = reading { suspend(&state) }
            return reading
        }
        switch reading {
        case .nothingYet: return 0
        case .ended: return mhd_end_of_stream
        case .broken: return mhd_end_with_error
        case .bytes(let bytes, let next):
            bytes.copyBytes(to: buffer)
            next?.resume(returning: true)
            return bytes.count
        }
    }
}
