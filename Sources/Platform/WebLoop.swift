import CCurl
import Foundation
import Synchronization

/// The thread of a `WebClient`: it has libcurl do all transfers at once.
final class WebLoop: Sendable {
    /// Whether libcurl could be made ready, which is done once in the life of the process.
    static let isReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    /// So many transfers of one host at once, and so many connections to it; what is beyond them waits.
    private static let width = 16
    /// So many connections are kept, to all hosts together.
    private static let kept = 64
    /// After so long without anything the loop looks around, in milliseconds.
    private static let pause: Int32 = 60_000

    /// libcurl's multi handle: but for waking it, only the thread uses it.
    private struct Multi: @unchecked Sendable {
        let pointer: UnsafeMutableRawPointer
    }

    private struct State {
        var multi: Multi?
        var arrived: [WebTransfer] = []
        var isOver = false
    }

    private let state = Mutex(State())

    func begin(_ transfer: WebTransfer, _ continuation: WebTransfer.Continuation) {
        transfer.continuation = continuation
        let isBegun = state.withLock { state in
            if let multi = state.multi {
                state.arrived.append(transfer)
                curl_multi_wakeup(multi.pointer)
                return true
            }
            guard let pointer = curl_multi_init() else { return false }
            curl_set_bound(pointer, CURLMOPT_MAXCONNECTS, Self.kept)
            let multi = Multi(pointer: pointer)
            state.multi = multi
            state.arrived.append(transfer)
            let thread = Thread { [self] in run(multi) }
            thread.name = "web client"
            thread.start()
            return true
        }
        if !isBegun { transfer.end(CURLE_OUT_OF_MEMORY) }
    }

    func cancel(_ transfer: WebTransfer) {
        transfer.isCancelled.store(true, ordering: .relaxed)
        wake()
    }

    func end() {
        state.withLock { $0.isOver = true }
        wake()
    }

    private func wake() {
        state.withLock { state in
            if let multi = state.multi { curl_multi_wakeup(multi.pointer) }
        }
    }

    private func run(_ multi: Multi) {
        let multi = multi.pointer
        var running: [UnsafeMutableRawPointer: WebTransfer] = [:]
        var turns = WebTurns(width: Self.width)
        while true {
            let (arrived, isOver) = state.withLock { state in
                defer { state.arrived = [] }
                return (state.arrived, state.isOver)
            }
            for transfer in arrived { turns.wait(transfer) }
            let isEnding = { (transfer: WebTransfer) in isOver || transfer.isCancelled.load(ordering: .relaxed) }
            for transfer in turns.leave(where: isEnding) { transfer.end(nil) }
            for (handle, transfer) in running where isEnding(transfer) {
                curl_multi_remove_handle(multi, handle)
                running[handle] = nil
                turns.ended(transfer)
                transfer.end(nil)
            }
            if isOver { break }
            while let transfer = turns.next() {
                curl_multi_add_handle(multi, transfer.handle)
                running[transfer.handle] = transfer
            }
            var count: Int32 = 0
            var mayBegin = false
            let code = curl_multi_perform(multi, &count)
            while let message = curl_multi_info_read(multi, &count) {
                guard message.pointee.msg == CURLMSG_DONE, let handle = message.pointee.easy_handle else { continue }
                let result = curl_result(message)
                curl_multi_remove_handle(multi, handle)
                guard let transfer = running.removeValue(forKey: handle) else { continue }
                turns.ended(transfer)
                transfer.end(result)
                mayBegin = true
            }
            if code != CURLM_OK {
                // Out of memory, or worse: whoever waits is told, and may try again.
                for (handle, transfer) in running {
                    curl_multi_remove_handle(multi, handle)
                    turns.ended(transfer)
                    transfer.end(CURLE_OUT_OF_MEMORY)
                }
                running = [:]
                mayBegin = true
            }
            // Those whose turn it is then wait for nothing.
            if mayBegin { continue }
            curl_multi_poll(multi, nil, 0, Self.pause, nil)
        }
        // Nobody wakes what is gone.
        state.withLock { $0.multi = nil }
        curl_multi_cleanup(multi)
    }
}
