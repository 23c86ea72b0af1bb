/// What the command line asks for.
struct Options: Sendable {
    enum Engine: String {
        case standin, buildah, docker
    }

    var seed: UInt64 = 1
    /// Both lanes go on for so long; nil goes by `pushes` and `kills`.
    var minutes: Int?
    var pushes = 200
    var kills: Int?
    var engine = Engine.standin
    /// Only the three experiments with kill -9, and nothing else.
    var onlyLoss = false
    var leavesOutPoll = false
    /// Many machines in place of one, and their own faults.
    var isOnHosts = false
    /// The longest between one push and the next, in milliseconds.
    var pause = 180

    struct Wrong: Error, CustomStringConvertible {
        let description = """
            usage: Faults [--seed 1] [--minutes M | --pushes 200 [--kills 20]] [--engine standin|buildah|docker] [--no-poll]
                   Faults --loss [--seed 1]
                   Faults --hosts [--seed 1] [--pushes 300] [--engine standin|buildah]
              --minutes  how long pushes and faults go on
              --pushes   how many pushes there are
              --kills    how many processes are killed meanwhile; a tenth of the pushes where it is left out
              --engine   standin is quick: it answers as buildah does, and pushes real images
              --no-poll  every push is told, and nobody looks at the sources
              --loss     how many pushes of those that were accepted are lost by a kill -9
              --hosts    many machines on PostgreSQL, each a network namespace, with every link cut; takes root
            """
    }

    /// - Throws: `Wrong`.
    init(_ words: [String]) throws {
        var words = words[...]
        while let word = words.popFirst() {
            switch word {
            case "--loss":
                onlyLoss = true
                // Else a push may be found before it is told, and its answer names no build.
                leavesOutPoll = true
            case "--hosts":
                isOnHosts = true
                leavesOutPoll = true
                // So that there are pushes during each of the faults.
                (pushes, pause) = (300, 200)
            case "--no-poll": leavesOutPoll = true
            case "--seed": seed = UInt64(try Self.number(words.popFirst()))
            case "--minutes": minutes = try Self.number(words.popFirst())
            case "--pushes": pushes = try Self.number(words.popFirst())
            case "--kills": kills = try Self.number(words.popFirst())
            case "--engine":
                guard let value = words.popFirst().flatMap(Engine.init) else { throw Wrong() }
                engine = value
            default: throw Wrong()
            }
        }
        // Its daemon is on one machine.
        if isOnHosts, engine == .docker { throw Wrong() }
    }

    private static func number(_ text: String?) throws -> Int {
        guard let number = text.flatMap({ Int($0) }), number > 0 else { throw Wrong() }
        return number
    }
}
