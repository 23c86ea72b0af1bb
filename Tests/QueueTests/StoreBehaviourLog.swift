import Foundation
import Model
import Queue
import TestSupport
import Testing

/// What the store promises of logs, on every kind of database.
@Suite struct StoreBehaviourLog {
    @Test(arguments: StoreFactory.all)
    func aLogIsReadFromAnywhere(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let store = fixture.store
            try await fixture.push(1)
            try await fixture.push(2)
            let hold = try await fixture.claimOne()
            let other = try await fixture.claimOne()
            // One byte, none, text, bytes that are no text, many.
            let chunks: [Data] = [
                Data([1]), Data(), Data("step 1\n".utf8), Data([0, 255, 0, 254]), Data(repeating: 7, count: 40),
            ]
            for chunk in chunks {
                try await store.append(hold, log: chunk)
                try await store.append(other, log: Data("other".utf8))
            }
            let whole = chunks.reduce(Data(), +)
            #expect(try await store.logLength(1) == whole.count)
            #expect(try await store.log(1, offset: 0, limit: Int.max) == whole)
            for offset in 0...(whole.count + 2) {
                for limit in [0, 1, 2, 5, 12, 100] {
                    let expected = whole.dropFirst(offset).prefix(limit)
                    #expect(try await store.log(1, offset: offset, limit: limit) == expected, "\(offset), \(limit)")
                }
            }
            #expect(try await store.log(1, offset: Int.max, limit: Int.max).isEmpty)
            #expect(try await store.log(1, offset: -3, limit: 1) == Data([1]))
            #expect(try await store.log(9, offset: 0, limit: 10).isEmpty)
            #expect(try await store.logLength(9) == 0)
        }
    }

    @Test(arguments: StoreFactory.all)
    func theNextAttemptWritesBehindTheFormer(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            try await fixture.push()
            let first = try await fixture.claimOne()
            try await fixture.store.append(first, log: Data("first ".utf8))
            try await fixture.store.giveBack(first)
            let second = try await fixture.startPushing()
            await fixture.expectLost(first) { try await $0.append(first, log: Data("late".utf8)) }
            try await fixture.store.append(second, log: Data("second".utf8))
            #expect(try await fixture.store.log(1, offset: 0, limit: 100) == Data("first second".utf8))
        }
    }

    @Test(arguments: StoreFactory.all)
    func aFollowerReadsEverythingOnce(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let store = fixture.store
            try await fixture.push()
            let hold = try await fixture.claimOne()
            let changes = store.changes(.build(1))
            let follower = Task {
                var read = Data()
                for await _ in changes {
                    while true {
                        let piece = try await store.log(1, offset: read.count, limit: 7)
                        if piece.isEmpty { break }
                        read.append(piece)
                    }
                    if try await store.build(1)?.state.isEnd == true { break }
                }
                return read
            }
            var written = Data()
            for line in 0..<60 {
                let chunk = Data("line \(line)\n".utf8)
                try await store.append(hold, log: chunk)
                written.append(chunk)
            }
            try await store.fail(hold, Failure(.build, .build, "the last line"))
            #expect(try await follower.value == written)
        }
    }
}
