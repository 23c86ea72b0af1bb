import Model

/// A `.dockerignore` as an engine reads it: what of the context the engine sees, with `COPY . /` for instance.
///
/// Engines of one kind differ by version, and not all of their regular expressions are known here. Where they may see
/// different things, `unsure` is the answer, which holds for every version. (What is left out is kept from COPY and ADD
/// only by buildah and podman: their `RUN --mount=type=bind` reads the whole context.)
struct IgnoreFile: Sendable {
    enum Sight: Int, Sendable, Comparable {
        case leftOut, unsure, seen

        static func < (one: Sight, other: Sight) -> Bool { one.rawValue < other.rawValue }
    }

    /// What a digest of the entries must hold too where one of them is `unsure`: then equal digests still mean that each
    /// version sees equal things.
    let patterns: String
    /// Nil where the patterns are not understood.
    private let readings: [IgnoreReading]?
    /// What docker's classic builder takes out of the context when it has it.
    private let removed: Set<[Unicode.Scalar]>

    /// - Parameter dockerfile: from the context's root; nil where it lies outside of it.
    init(_ text: String, engine: BuilderKind, dockerfile: String? = nil) {
        let lines = Self.lines(of: Array(text.unicodeScalars), engine)
        let styles: [IgnoreReading.Style] =
            switch engine {
            case .buildKit, .classic: [.early, .current]
            case .buildah, .podman: [.buildah]
            }
        var removed: Set<[Unicode.Scalar]> = []
        var readings: [IgnoreReading]?
        var all = lines ?? [text.unicodeScalars.map(\.self)]
        if let lines, engine == .classic, let early = Self.read(lines, .early, engine) {
            // They are sent for the builder to read, and not kept for COPY.
            for name in [".dockerignore", dockerfile].compactMap(\.self) {
                let path = Array(name.unicodeScalars)
                guard !early.visit(path, isDirectory: false).isThere else { continue }
                removed.insert(path)
                all.append(["!"] + path)
            }
        }
        if lines != nil {
            let read = styles.compactMap { Self.read(all, $0, engine) }
            readings = read.count == styles.count ? read : nil
        }
        self.readings = readings
        self.removed = removed
        patterns = all.map { String(String.UnicodeScalarView($0)) }.joined(separator: "\n")
    }

    /// Whether the engine sees an entry.
    ///
    /// A directory of which this is not `seen` is there all the same where something below it is: what counts is the
    /// greatest answer for it and for all that is below.
    /// - Parameter path: from the context's root, without a slash at either end.
    func sight(of path: String, isDirectory: Bool) -> Sight {
        let path = Array(path.unicodeScalars)
        guard let readings, Self.isUsual(path) else { return .unsure }
        if isDirectory, removed.contains(where: { $0.starts(with: path + ["/"]) }) { return .seen }
        if !isDirectory, removed.contains(path) { return .leftOut }
        let answers = Set(readings.map { $0.visit(path, isDirectory: isDirectory).isThere })
        return answers.count == 2 ? .unsure : answers.contains(true) ? .seen : .leftOut
    }

    /// Whether something in a directory may be seen; what is below all others is left out.
    func mayTakeIn(below directory: String) -> Bool {
        let path = Array(directory.unicodeScalars)
        guard let readings, Self.isUsual(path) else { return true }
        return readings.contains { $0.visit(path, isDirectory: true).isGoneInto }
    }

    /// The files that the engine looks for, in this order; the first that is there counts.
    ///
    /// - Parameters:
    ///   - dockerfile: from the repository's root, its links followed, as what is returned.
    ///   - context: from the repository's root, without slashes at its ends; empty for the root.
    static func names(dockerfile: String, context: String, engine: BuilderKind) -> [String] {
        let root = context.isEmpty ? "" : context + "/"
        switch engine {
        case .buildKit: return [dockerfile + ".dockerignore", root + ".dockerignore"]
        case .classic: return [root + ".dockerignore"]
        case .buildah, .podman:
            // One that is called so is given to them as a copy.
            let own = dockerfile.hasSuffix(".in") ? [] : [".dockerignore", ".containerignore"].map { dockerfile + $0 }
            return own + [root + ".containerignore", root + ".dockerignore"]
        }
    }

    /// A `.` of a regular expression is no line end, and what is not UTF-8 was changed when it became a `String`.
    private static func isUsual(_ path: [Unicode.Scalar]) -> Bool {
        !path.contains { $0 == "\n" || $0 == "\u{FFFD}" }
    }

    private static func read(
        _ lines: [[Unicode.Scalar]], _ style: IgnoreReading.Style, _ engine: BuilderKind
    ) -> IgnoreReading? {
        var patterns: [IgnorePattern] = []
        for line in lines {
            var text = GoPath.clean(GoPath.trimmed(line))
            let isException = text.first == "!"
            if isException {
                text.removeFirst()
                if text.isEmpty { return nil }
                if style == .buildah {
                    text = GoPath.clean(text)
                    if text.first == "/" { text.removeFirst() }
                }
            }
            guard
                let pattern = IgnorePattern(text, isException: isException, endsWithName: style == .current)
            else { return nil }
            patterns.append(pattern)
        }
        return IgnoreReading(patterns, style: style, isBuildKit: engine == .buildKit)
    }

    /// The lines that are no comments; nil where an engine would take them in a way of its own.
    private static func lines(of text: [Unicode.Scalar], _ engine: BuilderKind) -> [[Unicode.Scalar]]? {
        var text = text[...]
        let hasMark = text.first == "\u{FEFF}"
        if hasMark { text.removeFirst() }
        let lines = text.split(separator: "\n").filter { $0.first != "#" }
        switch engine {
        case .buildKit, .classic:
            return lines.map { GoPath.trimmed($0) }.filter { !$0.isEmpty }.map { line in
                let isException = line.first == "!"
                var path = isException ? GoPath.trimmed(line.dropFirst()) : line
                if !path.isEmpty { path = GoPath.clean(path) }
                if path.count > 1, path.first == "/" { path.removeFirst() }
                return (isException ? ["!"] : []) + path
            }
        case .buildah, .podman:
            // Buildah takes the mark for a part of the first line.
            if hasMark { return nil }
            return lines.map { GoPath.trimmed($0, of: { $0 == "/" }) }.filter { !GoPath.trimmed($0).isEmpty }
        }
    }
}

/// Go's `strings.TrimSpace` and `filepath.Clean`, by characters as Go compares them.
private enum GoPath {
    static func trimmed(
        _ text: some BidirectionalCollection<Unicode.Scalar>,
        of isLeftOut: (Unicode.Scalar) -> Bool = { $0.properties.isWhitespace }
    ) -> [Unicode.Scalar] {
        Array(text.drop(while: isLeftOut).reversed().drop(while: isLeftOut).reversed())
    }

    static func clean(_ path: [Unicode.Scalar]) -> [Unicode.Scalar] {
        let isRooted = path.first == "/"
        var parts: [ArraySlice<Unicode.Scalar>] = []
        for part in path.split(separator: "/") where !part.elementsEqual(".".unicodeScalars) {
            let isUp = part.elementsEqual("..".unicodeScalars)
            if isUp, let last = parts.last, !last.elementsEqual("..".unicodeScalars) {
                parts.removeLast()
            } else if !(isUp && isRooted) {
                parts.append(part)
            }
        }
        let joined = Array(parts.joined(separator: ["/"]))
        if isRooted { return ["/"] + joined }
        return joined.isEmpty ? ["."] : joined
    }
}
