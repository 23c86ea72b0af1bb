import Foundation

/// An open file descriptor, closed with its last owner.
final class Descriptor: Sendable {
    let number: Int32

    /// - Returns: nil for a negative number, by which C says that nothing was opened.
    init?(_ number: Int32) {
        guard number >= 0 else { return nil }
        self.number = number
    }

    deinit {
        close(number)
    }

    /// - Returns: what is there, after waiting for it; empty at the end.
    func read(upTo limit: Int) -> Data {
        var bytes = [UInt8](repeating: 0, count: limit)
        while true {
            let count = Foundation.read(number, &bytes, limit)
            if count >= 0 { return Data(bytes.prefix(count)) }
            if errno != EINTR { return Data() }
        }
    }

    /// Writes all and goes back to the beginning.
    ///
    /// - Returns: false where there is no room; errno says why.
    func fill(with data: Data) -> Bool {
        var rest = data
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(number, $0.baseAddress, $0.count) }
            if count < 0 && errno != EINTR { return false }
            if count > 0 { rest = rest.dropFirst(count) }
        }
        return lseek(number, 0, SEEK_SET) == 0
    }
}

/// An array of C strings with a null at its end, as execve(2) wants it.
final class CStrings {
    let pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let count: Int

    /// - Returns: nil where one holds a zero byte.
    init?(_ strings: [String]) {
        if strings.contains(where: { $0.utf8.contains(0) }) { return nil }
        count = strings.count
        pointers = .allocate(capacity: count + 1)
        for (index, string) in strings.enumerated() { pointers[index] = strdup(string) }
        pointers[count] = nil
    }

    deinit {
        for index in 0..<count { free(pointers[index]) }
        pointers.deallocate()
    }
}

extension Duration {
    /// Rounded down; at most some hundred years.
    var milliseconds: Int64 {
        Int64(min(max(seconds * 1000, 0), 1e13))
    }
}
