import CCrypto
import Foundation

extension Crypto {
    /// HMAC-SHA1 (RFC 2104): only for what old formats ask for, such as hashed names in known_hosts(5).
    ///
    /// - Returns: 20 bytes.
    package static func hmacSHA1(key: some ContiguousBytes, _ message: some ContiguousBytes) -> Data {
        var code = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var length: UInt32 = 0
        key.withUnsafeBytes { key in
            message.withUnsafeBytes { message in
                // A null message pointer would ask HMAC for something else than the code of an empty message.
                _ = HMAC(
                    EVP_sha1(), key.baseAddress ?? UnsafeRawPointer(bitPattern: 1), Int32(key.count),
                    message.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? UnsafePointer(bitPattern: 1),
                    message.count, &code, &length)
            }
        }
        precondition(length == 20, "libcrypto gave no HMAC-SHA1")
        return Data(code.prefix(Int(length)))
    }
}
