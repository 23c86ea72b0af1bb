/// The digest of a manifest: `sha256:` and 64 hexadecimal digits, or `sha512:` and 128 (OCI image spec, "Digests").
package struct Digest: TextValue {
    package let text: String

    package init(_ text: String) throws(InvalidText) {
        let lengths = ["sha256:": 64, "sha512:": 128]
        let digits = text.utf8.dropFirst(7)
        guard lengths[String(text.prefix(7))] == digits.count, digits.allSatisfy(\.isHexDigit) else {
            throw InvalidText("\"\(text.excerpt())\" is not a digest: sha256:<64 hexadecimal digits> is")
        }
        self.text = text
    }
}
