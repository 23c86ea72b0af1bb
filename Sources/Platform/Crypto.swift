import CCrypto
import Foundation

/// Hashes, message authentication and random bytes, from OpenSSL's libcrypto.
package enum Crypto {
    /// - Returns: 32 bytes.
    package static func sha256(_ data: some ContiguousBytes) -> Data {
        digest(data, EVP_sha256())
    }

    /// HMAC-SHA256 (RFC 2104).
    ///
    /// - Returns: 32 bytes.
    package static func hmacSHA256(key: some ContiguousBytes, _ message: some ContiguousBytes) -> Data {
        var code = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var length: UInt32 = 0
        key.withUnsafeBytes { key in
            message.withUnsafeBytes { message in
                // A null message pointer would ask HMAC for something else than the code of an empty message.
                _ = HMAC(
                    EVP_sha256(), key.baseAddress ?? UnsafeRawPointer(bitPattern: 1), Int32(key.count),
                    message.baseAddress?.assumingMemoryBound(to: UInt8.self), message.count, &code, &length)
            }
        }
        precondition(length == 32, "libcrypto gave no HMAC-SHA256")
        return Data(code.prefix(Int(length)))
    }

    /// Whether both are the same, in a time that depends only on their lengths.
    package static func constantTimeEqual(_ a: some DataProtocol, _ b: some DataProtocol) -> Bool {
        let (a, b) = (Data(a), Data(b))
        guard a.count == b.count else { return false }
        return a.withUnsafeBytes { a in
            b.withUnsafeBytes { b in CRYPTO_memcmp(a.baseAddress, b.baseAddress, a.count) == 0 }
        }
    }

    /// - Returns: bytes that nobody can guess.
    package static func randomBytes(_ count: Int) -> Data {
        var bytes = [UInt8](repeating: 0, count: count)
        precondition(RAND_bytes(&bytes, Int32(count)) == 1, "libcrypto has no randomness to give")
        return Data(bytes)
    }

    private static func digest(_ data: some ContiguousBytes, _ algorithm: OpaquePointer) -> Data {
        var hash = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var length: UInt32 = 0
        let done = data.withUnsafeBytes { EVP_Digest($0.baseAddress, $0.count, &hash, &length, algorithm, nil) }
        precondition(done == 1, "libcrypto gave no digest")
        return Data(hash.prefix(Int(length)))
    }
}
