/// Something that must not be.
struct Found: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
