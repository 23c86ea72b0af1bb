/// The digest of a manifest: `sha256:` and 64 hexadecimal digits, or `sha512:` and 128 (OCI image spec, "Digests").
package struct Digest: TextValue {
    package let text: String

    package init(_ text: String) throws(InvalidText) {
        guard text.wholeMatch(of: /sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}/) != nil else {
            throw InvalidText("\"\(text.excerpt())\" is not a digest: sha256:<64 hexadecimal digits> is")
        }
        self.text = text
    }
}
