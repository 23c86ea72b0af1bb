import Model

/// Goes through a Dockerfile's instructions and notes what they need.
struct DockerfileReader {
    typealias Doubt = DockerfileVariables.Doubt
    typealias Instruction = Dockerfile.Instruction

    private(set) var images: [ImageReference] = []
    /// Those of FROM.
    private(set) var parents: [ImageReference] = []
    private(set) var doubts: [String] = []
    /// The names of all build arguments that an ARG declares.
    private(set) var declared: Set<String> = []

    private let engine: BuilderKind
    private let shortNames: ShortNames
    private let buildArgs: [String: String]
    private let target: String?
    private var variables: DockerfileVariables
    /// The names of all stages as written, by number from 0; nil where one has none.
    private let stages: [String?]
    /// Stages with an ONBUILD, from 1.
    private var withTriggers: Set<Int> = []

    init(
        _ file: Dockerfile, buildArgs: [String: String], target: String?, engine: BuilderKind, shortNames: ShortNames
    ) {
        self.engine = engine
        self.shortNames = shortNames
        self.buildArgs = buildArgs
        self.target = target
        variables = DockerfileVariables(buildArgs: buildArgs, engine: engine)
        stages = file.instructions.filter { $0.stage > 0 && $0.step == 1 }.map { from in
            from.text.firstMatch(of: /\ [Aa][Ss] ([^ ]+)$/).map { String($0.1) }
        }
    }

    mutating func read(_ file: Dockerfile) {
        readSyntax(file)
        let last = lastStage()
        for instruction in file.instructions {
            let keyword = instruction.text.prefix { $0 != " " }.uppercased()
            do throws(Doubt) {
                guard Dockerfile.keywords.contains(keyword) else { throw Doubt("it begins no instruction") }
                // Declared in any stage, it is told to the builder.
                if keyword == "ARG" || instruction.stage <= last { try read(instruction, keyword) }
            } catch {
                let name = Dockerfile.keywords.contains(keyword) ? " (\(keyword))" : ""
                doubts.append("Dockerfile line \(instruction.line)\(name): \(error.reason)")
            }
        }
    }

    /// The image that reads the Dockerfile, for BuildKit alone.
    private mutating func readSyntax(_ file: Dockerfile) {
        guard engine == .buildKit else { return }
        if buildArgs["BUILDKIT_SYNTAX"] != nil {
            doubts.append("the build argument BUILDKIT_SYNTAX names another reader of the Dockerfile")
        }
        guard let syntax = file.directives.first(where: { $0.name == "syntax" }) else { return }
        let place = "Dockerfile line \(syntax.line) (# syntax=)"
        do throws(Doubt) {
            let image = try reference(String(syntax.value.prefix { $0 != " " }))
            if !["docker.io/docker/dockerfile", "docker.io/docker/dockerfile-upstream"].contains(image.image.text) {
                throw Doubt("what \(image) makes of the Dockerfile is not known")
            }
        } catch {
            doubts.append("\(place): \(error.reason)")
        }
    }

    /// The number of the stage that is built, from 1.
    private mutating func lastStage() -> Int {
        if stages.isEmpty { doubts.append("the Dockerfile has no FROM") }
        let names = stages.compactMap { $0?.lowercased() }
        if Set(names).count < names.count { doubts.append("two stages of the Dockerfile have one name") }
        guard let target else { return stages.count }
        if let number = Int(target), stages.indices.contains(number) { return number + 1 }
        do throws(Doubt) {
            if let stage = try stage(named: target) { return stage + 1 }
            throw Doubt("no stage of the Dockerfile has the target's name")
        } catch {
            doubts.append(error.reason)
            return stages.count
        }
    }

    private mutating func read(_ instruction: Instruction, _ keyword: String) throws(Doubt) {
        guard instruction.stage > 0 || keyword == "ARG" else { throw Doubt("it stands before the first FROM") }
        if ["RUN", "COPY", "ADD", "ONBUILD"].contains(keyword), instruction.text.contains("<<") {
            throw Doubt("not all builders know here-documents")
        }
        switch keyword {
        case "FROM": try readFrom(instruction)
        case "ARG": try readArg(instruction.text.dropFirst(4), isGlobal: instruction.stage == 0)
        case "COPY": try readCopy(instruction)
        case "ADD": try readAdd(instruction)
        case "RUN": try readRun(instruction)
        case "ONBUILD":
            withTriggers.insert(instruction.stage)
            let trigger = instruction.text.dropFirst(8)
            if trigger.uppercased().hasPrefix("ARG ") { try readArg(trigger.dropFirst(4), isGlobal: false) }
        default: break
        }
    }

    private mutating func readFrom(_ instruction: Instruction) throws(Doubt) {
        let line = try DockerfileFlags(instruction, allowed: ["platform"])
        let words = line.words
        guard words.count == 1 || words.count == 3 && words[1].uppercased() == "AS" else {
            throw Doubt("it is neither an image nor an image AS a name")
        }
        if words.count == 3 {
            let name = words[2].lowercased()
            guard name.wholeMatch(of: /[a-z][a-z0-9_.-]*/) != nil, name != "scratch", name != "context" else {
                throw Doubt("\"\(words[2].excerpt())\" can't be a stage's name")
            }
        }
        try readBase(variables.expand(words[0]), as: words[0], of: instruction.stage)
        for platform in line.values("platform") {
            // The images are the same, as far as their names go.
            let wanted = try variables.expand(platform, isPlatform: true)
            guard wanted == Engines.platform else {
                throw Doubt("it asks for another platform than this machine's, or one that can't be known")
            }
        }
    }

    /// - Parameter word: as written.
    private mutating func readBase(_ name: String, as word: String, of stage: Int) throws(Doubt) {
        if name == "scratch" { return }
        guard let base = try self.stage(named: name), base != stage - 1 else {
            parents.append(try reference(name, shown: word))
            return
        }
        if base >= stage { throw Doubt("\"\(word.excerpt())\" is a later stage") }
        if withTriggers.contains(base + 1) { throw Doubt("it is built on a stage with ONBUILD") }
        // Before it asks which stages are needed, buildah does not replace what ARG declares.
        if word.contains("$"), engine == .buildah || engine == .podman {
            throw Doubt("\(engine.rawValue) finds no stage by a variable")
        }
    }

    /// - Parameter text: after the keyword.
    private mutating func readArg(_ text: Substring, isGlobal: Bool) throws(Doubt) {
        for word in try DockerfileFlags.quotedWords(text) {
            let name = String(word.prefix { $0 != "=" })
            guard name.wholeMatch(of: /[A-Za-z_][A-Za-z0-9_.-]*/) != nil else {
                throw Doubt("\"\(name.excerpt())\" is not a variable's name")
            }
            declared.insert(name)
            if isGlobal {
                variables.declare(name, standard: name == word ? nil : String(word.dropFirst(name.count + 1)))
            }
        }
    }

    private mutating func readCopy(_ instruction: Instruction) throws(Doubt) {
        let line = try DockerfileFlags(
            instruction, allowed: ["from", "chown", "chmod", "link", "parents", "exclude"])
        for source in line.values("from") { try readSource(source, instruction, byNumber: true) }
        if line.sources.contains(where: DockerfileFlags.isAddress) { throw Doubt("COPY takes no address") }
    }

    private mutating func readAdd(_ instruction: Instruction) throws(Doubt) {
        let line = try DockerfileFlags(
            instruction,
            allowed: ["chown", "chmod", "link", "keep-git-dir", "checksum", "exclude", "unpack"])
        let isPinned = line.values("checksum").contains { !$0.isEmpty && !$0.contains("$") }
        for source in line.sources where !isPinned {
            if DockerfileFlags.isAddress(source) { throw Doubt("it takes an address without --checksum=") }
            if DockerfileFlags.mayBeAddress(source) {
                throw Doubt("\"\(source.excerpt())\" may be an address; ./ before it, or COPY, says that it is a file")
            }
        }
    }

    private mutating func readRun(_ instruction: Instruction) throws(Doubt) {
        let line = try DockerfileFlags(instruction, allowed: ["mount", "network", "security", "device"])
        for mount in line.values("mount") {
            for part in mount.split(separator: ",") {
                let key = part.prefix { $0 != "=" }.lowercased()
                let value = String(part.dropFirst(key.count + 1))
                switch key {
                case "from": try readSource(value, instruction, byNumber: false)
                case "type" where ["secret", "ssh"].contains(value.lowercased()):
                    throw Doubt("it takes a \(value == "ssh" ? "key" : "secret") that may be another each time")
                case "type" where value.contains("$"): throw Doubt("the type of its mount is a variable")
                default: break
                }
            }
        }
    }

    /// A `from=`: a former stage or an image.
    ///
    /// - Parameter byNumber: whether builders take a number for a stage.
    private mutating func readSource(_ source: String, _ instruction: Instruction, byNumber: Bool) throws(Doubt) {
        guard !source.contains("$") else { throw Doubt("not all builders put a variable's value into from=") }
        var former = try stage(named: source)
        if byNumber && former == nil { former = Int(source) }
        if let former {
            guard (0..<instruction.stage - 1).contains(former) else {
                throw Doubt("\"\(source.excerpt())\" is not a former stage")
            }
        } else if ["scratch", "context"].contains(source) {
            throw Doubt("builders differ in what from=\(source) is")
        } else {
            try reference(source)
        }
    }

    /// The stage of a name, from 0; nil where there is none.
    ///
    /// - Throws: `Doubt` where it differs in case and the builder goes by that.
    private func stage(named name: String) throws(Doubt) -> Int? {
        guard let stage = stages.firstIndex(where: { $0?.lowercased() == name.lowercased() }) else { return nil }
        if engine == .buildah || engine == .podman, stages[stage] != name {
            throw Doubt("\(engine.rawValue) tells apart \"\(name.excerpt())\" and \"\(stages[stage] ?? "")\"")
        }
        return stage
    }

    /// Notes an image.
    ///
    /// - Parameter shown: in the doubt, since a build argument's value may be a secret.
    @discardableResult
    private mutating func reference(_ name: String, shown: String? = nil) throws(Doubt) -> ImageReference {
        guard let full = shortNames.resolve(name) else {
            throw Doubt("which registry \(engine.rawValue) takes it from can't be known; write docker.io/… where it is")
        }
        guard !name.allSatisfy(\.isNumber), var image = try? ImageReference(full) else {
            throw Doubt("\"\((shown ?? name).excerpt())\" names no image")
        }
        if image.tag == nil && image.digest == nil, let latest = try? Tag("latest") {
            image = ImageReference(image: image.image, tag: latest)
        }
        images.append(image)
        return image
    }
}
