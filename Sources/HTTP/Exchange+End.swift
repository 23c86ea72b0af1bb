import Foundation

extension Exchange {
    /// The request took longer than it may.
    func timeOut() {
        state.withLock { state in
            switch state.phase {
            case .head, .receiving:
                state.phase = .refused(dropped: 0)
                wire.answerEarly(
                    .problem(
                        408, title: "Request Timeout",
                        detail: "The request wasn't here as a whole after \(core.limits.wholeRequest.seconds) s."))
                wire.cut()
            case .refused: wire.cut()
            case .working, .answered, .sending, .gone: break
            }
        }
    }

    /// The client closed its side: the handler is told by its task's cancellation, and a stream ends here.
    func clientWent() {
        state.withLock { state in
            state.task?.cancel()
            guard case .sending = state.phase, state.stream.isOpen else { return }
            state.isAborted = true
            resume(&state)
        }
    }

    /// The server stops: a stream, which may have no end of its own, is told.
    func drain() {
        state.withLock { state in
            switch state.phase {
            case .answered(let response):
                if case .stream = response.body { state.task?.cancel() }
            case .sending: state.task?.cancel()
            case .head, .receiving, .refused, .working, .gone: break
            }
        }
    }

    /// The server's time to stop is nearly over.
    func cancel() {
        state.withLock { $0.task?.cancel() }
    }

    /// Nothing is waited for any more: the connection is closed at its next step, and none is suspended again.
    func abort() {
        state.withLock { state in
            state.isAborted = true
            state.task?.cancel()
            resume(&state)
        }
    }

    /// libmicrohttpd is done with the request, well or not.
    func finish() {
        let waiter = state.withLock { state in
            state.phase = .gone
            state.connection = nil
            state.isSuspended = false
            state.task?.cancel()
            state.task = nil
            core.holdBody(release: state.body.count)
            state.body = Data()
            return state.stream.close()
        }
        waiter?.resume(returning: false)
        wire.ended()
        core.exchangeEnded()
    }
}
