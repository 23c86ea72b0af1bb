import Foundation
import TestSupport

/// Makes requests of samples: some as they were, most of them changed somewhere on their way.
enum Variant {
    static func of(_ sample: Sample, _ random: inout Random, mayBeHuge: Bool) -> Request {
        if mayBeHuge, random.oneIn(500) { return huge(sample, &random) }
        let isChanged = !random.oneIn(10)
        var payload = isChanged ? changed(sample, &random) : sample.payload
        if random.oneIn(2) { payload = Sample.fresh(payload, &random) }
        // Most prove themselves, so that the readers see odd bodies and not only the guard.
        let strength: Proof.Strength = random.oneIn(6) ? .ofAnother : random.oneIn(6) ? .guessed : .good
        let isOdd = random.oneIn(4)
        var request = sample.request(payload, strength, isOdd: isOdd, &random)
        request.isWhole = !isChanged && strength == .good && !isOdd
        if random.oneIn(5) {
            request.isWhole = false
            repeat { request.headers = Mutation.of(request.headers, &random) } while random.oneIn(3)
        }
        if random.oneIn(20) {
            request.isWhole = false
            request.body = Mutation.bytes(request.body, &random)
        }
        if random.oneIn(30) {
            request.isWhole = false
            request.path = Mutation.of(request.path, &random)
        }
        return request
    }

    private static func changed(_ sample: Sample, _ random: inout Random) -> Data {
        var payload = sample.payload
        if let tree = sample.tree, !random.oneIn(4) {
            payload = (0...random.below(3)).reduce(tree) { tree, _ in Mutation.of(tree, &random) }.data
            if random.oneIn(8) { payload = Mutation.bytes(payload, &random) }
        } else {
            for _ in 0...random.below(3) { payload = Mutation.bytes(payload, &random) }
        }
        return payload
    }

    private static func huge(_ sample: Sample, _ random: inout Random) -> Request {
        var sample = sample
        let payload = Mutation.huge(&random)
        if payload.count > 1 << 20 { sample.isForm = false }
        var request = sample.request(payload, random.oneIn(2) ? .good : .guessed, isOdd: false, &random)
        if random.oneIn(2) {
            request.headers.removeAll { $0.name == "Content-Type" }
            request.headers.append(.init("Content-Type", "application/x-www-form-urlencoded"))
        }
        request.body = request.body.prefix(25 << 20)
        return request
    }
}
