import CLinux

extension UnsafeRawBufferPointer {
    /// Where the text's bytes stand first, at or after `start`; nil where they don't.
    package func first(_ text: StaticString, from start: Int = 0) -> Int? {
        guard let baseAddress, start <= count else { return nil }
        let found = slipway_find(text.utf8Start, text.utf8CodeUnitCount, baseAddress + start, count - start)
        return found.map { $0 - baseAddress }
    }
}
