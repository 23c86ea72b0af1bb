/// What a client may take of the server.
package struct HTTPLimits: Sendable {
    /// The longest body, in bytes; over it the answer is 413.
    package var body = 25 << 20
    /// The memory of one connection, in bytes: its request line and headers have to fit; over it the answer is 431.
    package var headers = 32 << 10
    /// Open connections; further ones wait in the system's backlog until one closes.
    package var connections = 512
    /// Open connections of one IP address; further ones are closed at once. Behind a proxy all have the proxy's.
    package var perAddress = 256
    /// How long a connection may be silent while the server waits for it, in whole seconds.
    package var idle: Duration = .seconds(30)
    /// How long the sending of one whole request may take; over it the answer is 408.
    package var wholeRequest: Duration = .seconds(60)
    /// Bytes of all bodies held at once; over it the answer is 503 with `Retry-After`.
    package var bodiesInMemory = 128 << 20
    /// Threads that read and write.
    package var threads = 2

    package init() {}
}
