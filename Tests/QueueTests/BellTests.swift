import Testing

@testable import Queue

@Suite struct BellTests {
    @Test func whoStopsListeningIsForgotten() async {
        let bell = Bell()
        let task = Task { for await _ in bell.listen(.pending) {} }
        let stream = bell.listen(.pending)
        bell.ring([.pending, .build(1)])
        for await _ in stream { break }
        task.cancel()
        await task.value
        bell.close()
        #expect(bell.listenerCount == 0)
        for await _ in bell.listen(.pending) { Issue.record("a closed bell rang") }
    }

    @Test func aStreamThatIsLetGoIsForgotten() {
        let bell = Bell()
        do {
            let stream = bell.listen(.build(1))
            #expect(bell.listenerCount == 1)
            withExtendedLifetime(stream) {}
        }
        #expect(bell.listenerCount == 0)
    }
}
