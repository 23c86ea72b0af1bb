import CLinux
import Foundation
import Synchronization

/// One run of a child process: its supervisor, its pipes, and the socket between. Blocks on a queue of its own.
///
/// Call order: `start`, `next` until nil, `finish`. `terminate` may be called at any time, from anywhere.
actor ChildSession {
    enum Stream {
        case stdout, stderr
    }

    private static let reaper = DispatchQueue(label: "slipway.reaper")

    private let executor = QueueExecutor(label: "slipway.child")
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private var program = ""
    private var workingDirectory = ""
    private var supervisor: pid_t = 0
    private var pipes: [(stream: Stream, descriptor: Descriptor)] = []
    private let control = Mutex<Descriptor?>(nil)

    func start(_ child: ChildProcess, grace: Duration, timeout: Duration?, separately: Bool) throws(ChildProcessError) {
        program = child.executable
        workingDirectory = child.workingDirectory ?? ""
        guard let path = ChildProcess.find(child.executable, in: child.environment) else {
            throw child.executable.contains("/")
                ? .notExecutable(program: program, code: access(child.executable, F_OK) == 0 ? EACCES : ENOENT)
                : .notFound(program: program, path: child.environment["PATH"] ?? "")
        }
        let variables = child.environment.map { "\($0.key)=\($0.value)" }
        guard let arguments = CStrings([path] + child.arguments), let environment = CStrings(variables),
            let groups = CStrings(child.group?.entrances.map { $0 + "/cgroup.procs" } ?? [])
        else {
            throw .zeroByte(program: program)
        }
        let (input, output, errors, ours, theirs) = try descriptors(input: child.input, separately: separately)
        let directory = child.workingDirectory.map { strdup($0) } ?? nil
        defer { free(directory) }
        let id = withExtendedLifetime((arguments, environment, groups, input, output.write, errors?.write, theirs)) {
            path.withCString { path in
                var start = slipway_child(
                    path: path, arguments: arguments.pointers, environment: environment.pointers,
                    directory: directory, groups: groups.pointers, input: input.number, output: output.write.number,
                    errors: errors?.write.number ?? output.write.number, control: theirs.number,
                    grace: grace.milliseconds, timeout: timeout.map { max($0.milliseconds, 1) } ?? 0, linger: 200)
                return slipway_child_start(&start)
            }
        }
        guard id > 0 else { throw .noResources(program: program, code: errno) }
        supervisor = id
        pipes = [(.stdout, output.read)] + (errors.map { [(.stderr, $0.read)] } ?? [])
        control.withLock { $0 = ours }
    }

    /// Waits for the next piece of output.
    ///
    /// - Returns: nil once nobody holds the pipes open any more, or the supervisor is gone.
    func next() -> (Stream, Data)? {
        while !pipes.isEmpty {
            let numbers = pipes.map(\.descriptor.number) + [control.withLock { $0?.number ?? -1 }]
            var watched = numbers.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            guard poll(&watched, nfds_t(watched.count), -1) > 0 else { continue }
            // The supervisor speaks when all writers are gone, so pipes come first and the last piece is not lost.
            guard let index = watched.firstIndex(where: { $0.revents != 0 }), index < pipes.count else { return nil }
            let data = pipes[index].descriptor.read(upTo: 64 << 10)
            if !data.isEmpty { return (pipes[index].stream, data) }
            pipes.remove(at: index)
        }
        return nil
    }

    /// Asks the supervisor to end the program: SIGTERM, the grace, SIGKILL. Does not wait.
    nonisolated func terminate() {
        control.withLock { if let control = $0 { slipway_child_terminate(control.number) } }
    }

    /// Waits until the program and all its descendants are gone.
    func finish() -> Result<ChildProcess.Ending, ChildProcessError> {
        var status = slipway_child_status()
        let number = control.withLock { $0?.number ?? -1 }
        let told = slipway_child_finish(number, &status) == 0
        // It has nothing left to do than to end, which takes as long as its copy of the memory is large.
        Self.reaper.async { [supervisor] in slipway_child_reap(supervisor) }
        // Only now: `terminate` may have been using it.
        control.withLock { $0 = nil }
        guard told else { return .failure(.lost(program: program)) }
        switch slipway_child_outcome(rawValue: UInt32(status.outcome)) {
        case SLIPWAY_CHILD_NO_DIRECTORY:
            return .failure(.noDirectory(program: program, directory: workingDirectory, code: status.value))
        case SLIPWAY_CHILD_NO_GROUP: return .failure(.noGroup(program: program, code: status.value))
        case SLIPWAY_CHILD_NO_EXEC: return .failure(.notExecutable(program: program, code: status.value))
        case SLIPWAY_CHILD_NO_SUPERVISION: return .failure(.noResources(program: program, code: status.value))
        default: break
        }
        switch slipway_child_cause(rawValue: UInt32(status.cause)) {
        case SLIPWAY_CHILD_TERMINATED: return .success(.cancelled)
        case SLIPWAY_CHILD_TIMED_OUT: return .success(.timedOut)
        default: break
        }
        let signalled = UInt32(status.outcome) == SLIPWAY_CHILD_SIGNALLED.rawValue
        return .success(signalled ? .signalled(status.value) : .exited(status.value))
    }

    private typealias Pipe = (read: Descriptor, write: Descriptor)

    private func descriptors(
        input: Data?, separately: Bool
    ) throws(ChildProcessError) -> (
        input: Descriptor, output: Pipe, errors: Pipe?, ours: Descriptor, theirs: Descriptor
    ) {
        let given: Descriptor?
        if let input {
            // A file, not a pipe: the program may read it or not, and nobody has to write while it runs.
            given = Descriptor(slipway_memory_file())
            if let given, !given.fill(with: input) { throw .noResources(program: program, code: errno) }
        } else {
            given = Descriptor(open("/dev/null", O_RDONLY | O_CLOEXEC))
        }
        guard let given, let output = pair(slipway_pipe), let socket = pair(slipway_socket_pair) else {
            throw .noResources(program: program, code: errno)
        }
        let errors = separately ? pair(slipway_pipe) : nil
        if separately && errors == nil { throw .noResources(program: program, code: errno) }
        return (given, output, errors, socket.read, socket.write)
    }

    private func pair(_ make: (UnsafeMutablePointer<Int32>) -> Int32) -> Pipe? {
        var ends: [Int32] = [-1, -1]
        guard make(&ends) == 0, let read = Descriptor(ends[0]), let write = Descriptor(ends[1]) else { return nil }
        return (read, write)
    }
}
