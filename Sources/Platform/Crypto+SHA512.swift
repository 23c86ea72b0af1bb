import CCrypto
import Foundation

extension Crypto {
    /// - Returns: 64 bytes.
    package static func sha512(_ data: some ContiguousBytes) -> Data {
        var hash = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var length: UInt32 = 0
        let done = data.withUnsafeBytes { EVP_Digest($0.baseAddress, $0.count, &hash, &length, EVP_sha512(), nil) }
        precondition(done == 1, "libcrypto gave no SHA-512 digest")
        return Data(hash.prefix(Int(length)))
    }
}
