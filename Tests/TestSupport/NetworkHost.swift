import Foundation

/// A machine of a test's own on the network of `Hosts`: a network namespace with one address.
package struct NetworkHost: Sendable, Hashable {
    package let name: String
    package let address: String
    /// As `ip netns` knows it.
    package let namespace: String

    /// What the command line of a program follows that is to run there. It becomes that program: the process is the same.
    package var launcher: [String] {
        [Command.path(of: "nsenter") ?? "nsenter", "--net=/run/netns/\(namespace)", "--"]
    }

    /// Runs a program there to its end; see `Command.run`.
    @discardableResult
    package func run(
        _ program: String, _ arguments: [String], environment: [String: String] = [:], input: Data? = nil
    ) async throws -> String {
        guard let path = Command.path(of: program) else {
            throw Command.Failed(command: program, status: 127, errors: "this machine has no such program")
        }
        let words = launcher + [path] + arguments
        return try await Command.run(words[0], Array(words.dropFirst()), environment: environment, input: input)
    }

    /// All that runs there.
    package func processes() async throws -> [Int32] {
        try await Command.run("ip", ["netns", "pids", namespace]).split(separator: "\n").compactMap { Int32($0) }
    }

    /// Stops everything that runs there, or lets it go on, as a machine that is put to sleep.
    package func signal(_ signal: Int32) async throws {
        // Each may have started others since it was asked for, so they are asked for until there are no new ones.
        var known: Set<Int32> = []
        while case let new = Set(try await processes()).subtracting(known), !new.isEmpty {
            for process in new { kill(process, signal) }
            known.formUnion(new)
        }
    }
}
