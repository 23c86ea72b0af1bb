import CCrypto
import Foundation

extension Crypto {
    /// An X.509 certificate of an RSA key (RFC 5280), as somebody shows it: who signed it is for its taker to know.
    package struct Certificate: Sendable {
        package enum Hash: Sendable {
            case sha1, sha256
        }

        package let validFrom: Date
        package let validUntil: Date
        private let pem: Data

        /// - Returns: nil where the text holds no certificate in PEM form (RFC 7468), or one of another kind of key.
        package init?(pem: Data) {
            self.pem = pem
            let period = Self.read(pem) { certificate, key -> (Date, Date)? in
                guard EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA,
                    let from = Self.date(X509_get0_notBefore(certificate)),
                    let until = Self.date(X509_get0_notAfter(certificate))
                else { return nil }
                return (from, until)
            }
            guard let (from, until) = period else { return nil }
            validFrom = from
            validUntil = until
        }

        /// Whether the certificate's key signed the message (RSASSA-PKCS1-v1_5, RFC 8017).
        package func verifies(_ signature: Data, of message: Data, _ hash: Hash) -> Bool {
            let genuine = Self.read(pem) { _, key -> Bool? in
                guard let context = EVP_MD_CTX_new() else { return nil }
                defer { EVP_MD_CTX_free(context) }
                let algorithm =
                    switch hash {
                    case .sha1: EVP_sha1()
                    case .sha256: EVP_sha256()
                    }
                guard EVP_DigestVerifyInit(context, nil, algorithm, nil, key) == 1 else { return nil }
                let (signature, message) = ([UInt8](signature), [UInt8](message))
                return EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
            }
            return genuine ?? false
        }

        private static func read<Value>(
            _ pem: Data, _ body: (_ certificate: OpaquePointer, _ key: OpaquePointer) -> Value?
        ) -> Value? {
            // libgit2 and libcurl read this thread's list of errors, and would take what is left there for their own.
            defer { ERR_clear_error() }
            let bytes = [UInt8](pem)
            return bytes.withUnsafeBytes { bytes in
                guard let input = BIO_new_mem_buf(bytes.baseAddress, Int32(clamping: bytes.count)) else { return nil }
                defer { BIO_free(input) }
                // Without a function of ours an encrypted text would have its password asked for at the terminal.
                guard let certificate = PEM_read_bio_X509(input, nil, { _, _, _, _ in -1 }, nil) else { return nil }
                defer { X509_free(certificate) }
                guard let key = X509_get0_pubkey(certificate) else { return nil }
                return body(certificate, key)
            }
        }

        private static func date(_ time: UnsafePointer<ASN1_TIME>?) -> Date? {
            var parts = tm()
            guard let time, ASN1_TIME_to_tm(time, &parts) == 1 else { return nil }
            return Date(timeIntervalSince1970: TimeInterval(timegm(&parts)))
        }
    }
}
