import Foundation
import Model

/// The durable queue and its history: what is accepted is in here, and nowhere else.
///
/// Every function is one transaction; when it returns, what it changed survives a kill -9 and a power cut. All may be
/// called at once, from any task. The functions of a worker name the build and the attempt that they speak for: where
/// that attempt no longer holds the build, nothing is changed and `LeaseLost` is thrown. Every function may throw
/// `StoreError` where the database fails.
package protocol Store: Sendable {
    /// Whether other processes may work on the same queue.
    var isShared: Bool { get }
    /// The time by which builds, and what becomes of them, are noted; on a shared queue no machine's clock.
    func now() async throws -> Date

    // Intake

    /// Keeps the deliveries of one request and the builds that came of them, all or nothing.
    ///
    /// A build is not made again, but ignored with the reason and the number of the one that is there, where
    /// - its delivery was told before: a webhook of the same host with the same sender's id made a build of the same
    ///   repository, ref, commit, rule and image, whatever became of it;
    /// - its push was told before: a build of the same repository, ref, commit, rule and image is pending, running,
    ///   finished or superseded; for one that was found by looking (`poll`), whatever became of it; unless the ref has
    ///   been elsewhere since, by a later build whose commit is `push.before`;
    /// - its commit isn't known yet, or it was found by looking, and a pending build of the same repository, ref, rule
    ///   and image doesn't know its commit;
    /// - it is of kind `base`, and a build of the same repository, ref, commit, rule and image is pending, or was made
    ///   with the same `detail`, whatever became of it; but not before the newest that finished, and not one whose
    ///   successor failed or was cancelled. What was told before does not keep it from being made.
    /// A rule is the same wherever it stands in the settings, and another once anything else of it was changed.
    /// Deliveries with `force` build all the same; those of kinds `poll` and `base` are kept only where a build comes of them.
    ///
    /// - Parameter room: how many builds may be pending.
    /// - Returns: for each delivery its id, and its builds, `pending`, numbered in the order given.
    /// - Throws: `QueueFull`, and then nothing was kept.
    func accept(_ deliveries: [NewDelivery], room: Room) async throws -> [Acceptance]

    // Worker, in the order of a build

    /// Takes up to `limit` pending builds that are due, under a lease: they are `building` with the next attempt. None
    /// while builds are paused.
    ///
    /// Fair between repositories: the next is always one of a repository that has the fewest builds running, those taken
    /// in this call among them; of those the one whose oldest build that is due is oldest. Within a repository the
    /// oldest first. Only builds whose rule asks for no label that the worker has not; and for a moment none that
    /// another worker, which has room, has the mirror of.
    func claim(limit: Int, worker: String, lease: Duration) async throws -> [Build]
    /// Lengthens the lease to `lease` from now.
    func renew(_ hold: Hold, lease: Duration) async throws
    /// Notes what the checkout found: the commit, and the names that come of it.
    func resolve(_ hold: Hold, _ found: Resolution) async throws
    /// Notes what the image is made of, and why another build's image is taken for it or not; instead of what an earlier
    /// attempt noted.
    func inputs(_ hold: Hold, _ inputs: BuildInputs, reuse: String) async throws
    /// The newest finished build of the same image, and of any repository, that has what an engine made of the inputs with
    /// this key; nil where there is none, or the engine made it longer ago than `age`.
    func reusable(_ key: Digest, in image: ImageName, within age: Duration?) async throws -> Build?
    /// Adds output to the build's log, after all that is there.
    func append(_ hold: Hold, log: Data) async throws
    /// `building` → `pushing`, under this commit tag.
    ///
    /// - Parameters:
    ///   - built: what the engine calls the image that it made; nil leaves what was noted before.
    ///   - reused: the build whose image is taken; nil for one that was made. The commit tag may then be another's that
    ///     finished with that very image, and stays its own.
    /// - Throws: `CommitTagTaken` where another build has begun to push to the same image under this tag.
    func startPushing(_ hold: Hold, commitTag: Tag, built: String?, reusing reused: Build.ID?) async throws
    /// Whether an attempt of this build, this one or one before, has begun to push under the tag: then what the registry
    /// has there is this build's.
    func ownsCommitTag(_ hold: Hold, _ commitTag: Tag) async throws -> Bool
    /// Gives up the commit tag of a build that ended before its image was read back: the registry has nothing under it.
    /// Of any other build it stays.
    func freeCommitTag(_ commitTag: Tag, of build: Build.ID) async throws
    /// Notes the digest that the registry has under the commit tag.
    func pushed(_ hold: Hold, digest: Digest) async throws
    /// Asks for the sole right to move a tag of the build's image; it ends with `moved`, `kept`, or the attempt.
    func startMoving(_ hold: Hold, tag: Tag) async throws -> MoveRight
    /// The tag now points at the build's image, as read back from the registry.
    func moved(_ hold: Hold, tag: Tag) async throws
    /// The tag stays where it is, and why.
    func kept(_ hold: Hold, tag: Tag, reason: String) async throws
    /// `pushing` → `finished`, with the end of the build's log.
    func finish(_ hold: Hold, log: Data) async throws
    /// `building` → `cancelled`: there is nothing to build, and why.
    func skip(_ hold: Hold, reason: String) async throws
    /// `building` or `pushing` → `failed`.
    func fail(_ hold: Hold, _ failure: Failure) async throws
    /// `building` or `pushing` → `pending`, for another attempt not before `pause` is over.
    func retry(_ hold: Hold, _ failure: Failure, after pause: Duration) async throws
    /// `building` or `pushing` → the end that was asked for with `cancel`, or by a newer push.
    ///
    /// - Throws: `LeaseLost` also where none was asked for.
    func stop(_ hold: Hold) async throws
    /// Asks for the end of pending and running builds of the same repository, ref, rule and image whose commits are
    /// older than that of `successor`, which names them; running ones only where the rule says so.
    func supersede(_ builds: [Build.ID], by successor: Build.ID) async throws
    /// Asks for the end of the attempt's own build in favour of a newer push, whatever its rule says of running ones.
    ///
    /// - Returns: whether the build is to end now: not where the other has failed or was cancelled meanwhile.
    func giveWay(_ hold: Hold, to successor: Build.ID) async throws -> Bool
    /// The other pending and running builds of the same repository, ref, rule and image whose commit is known.
    func rivals(of build: Build) async throws -> [Build]
    /// How long until the first build is due of those that wait for another attempt, or for a moment for a worker that
    /// has their repository's mirror, which may be over; nil where none waits that the worker may take.
    func nextDue(for worker: String) async throws -> Duration?
    /// `building` or `pushing` → `pending`, the attempt given back: a shutdown is not the build's fault.
    func giveBack(_ hold: Hold) async throws

    // Rescuer

    /// Puts builds whose lease ran out back to `pending`; with `all`, every running build, for a start where no worker
    /// can be left, and no repair of a tag. A build with that many `tries` ends `failed` instead, and one that was to
    /// end ends so.
    ///
    /// - Returns: the builds that were running.
    func rescue(all: Bool, tries: Int) async throws -> [Build.ID]

    // Whoever asks

    /// Ends a pending build as `cancelled`, or asks for that end of a running one.
    ///
    /// - Returns: the build; nil where there is none. One that has ended is as it was.
    func cancel(_ id: Build.ID, reason: String) async throws -> Build?
    /// No build is claimed until `resume`, in this life of the service and those to come.
    func pause(_ pause: Pause) async throws
    /// - Returns: the pause that is over; nil where there was none.
    func resume() async throws -> Pause?
    func paused() async throws -> Pause?

    // Workers

    /// Notes that a worker is there, and what it is; to be called every few seconds.
    func checkIn(_ worker: WorkerNote) async throws -> WorkerOrders
    /// Forgets a worker that ends in good order; not what was asked of it with `drain`.
    func checkOut(_ worker: WorkerNote) async throws
    /// By name; those of whom nothing was heard for a week are forgotten.
    func workers() async throws -> [WorkerState]
    /// Asks a worker to take no more builds, or to take them again, in this life of it and those to come.
    ///
    /// - Returns: false where there is no such worker.
    func drain(_ worker: String, _ isDrained: Bool) async throws -> Bool
    /// Takes for `time` what one of many is to do, unless another has it; whoever has it can take it anew.
    ///
    /// - Returns: whether it is the holder's.
    func takeDuty(_ name: String, by holder: String, for time: Duration) async throws -> Bool
    /// Leaves all that is the holder's to others.
    func leaveDuties(of holder: String) async throws
    /// The labels that pending builds ask for: each combination once.
    func labelsAsked() async throws -> [[String]]
    /// Takes one out of a bucket that all who serve have in common: it holds as much as the rate's burst, empties by use
    /// and fills evenly.
    ///
    /// - Returns: nil where there was one, else how long until there is.
    func take(from bucket: String, at rate: Rate) async throws -> Duration?

    // Poll

    /// Where the source's branches and tags were when they were last looked at; nil where they never were.
    func seenRefs(_ repository: RepositoryName) async throws -> [RefName: CommitID]?
    /// Notes where they are now: all of them.
    func saw(_ refs: [RefName: CommitID], in repository: RepositoryName) async throws

    // Sweep

    /// The tags that Slipway moved, behind this one, in the order of image and name.
    func tags(after: TagPlace?, limit: Int) async throws -> [TagPlace]
    /// Notes what the registry has under a tag instead of what Slipway put there; nil for what is as it should be.
    func found(_ other: FoundTag?, at tag: TagPlace) async throws
    /// The newest build whose image has this digest, and that has the tag, where one has; nil where it is none of Slipway's.
    func build(of digest: Digest, in image: ImageName, tag: Tag?) async throws -> Build?
    /// Asks for the sole right to put a tag right, for at most `time`.
    ///
    /// - Returns: where it is to point; nil where a build is moving it, it is being put right, or nothing is known of it.
    func startRepair(_ name: Tag, of image: ImageName, for time: Duration) async throws -> TagHolder?
    func endRepair(_ name: Tag, of image: ImageName) async throws
    /// Notes that a tag points at the image of a build that put it there, though nobody lived to note it. Only within a
    /// repair.
    func adopt(_ name: Tag, of image: ImageName, by build: Build.ID) async throws

    // Base images

    /// The images that those images are built on which a tag points at, each with the builds that stand on it: of each
    /// repository, ref, rule and image the newest build that a tag points at.
    func basesInUse() async throws -> [BaseInUse]

    // Retention

    /// Removes what is older or more than is to be kept, up to `limit` rows of each kind; the build that a tag points
    /// at, and what has not ended, always stays.
    ///
    /// - Returns: what was removed; call again until it is nothing.
    func prune(_ keep: Keep, limit: Int) async throws -> Pruned
    /// Copies the whole database, as it is at one moment, to a new file.
    func backup(to path: String) async throws

    // Readers

    /// Nil where there is no such build.
    func build(_ id: Build.ID) async throws -> Build?
    /// Newest first.
    func builds(_ query: BuildQuery) async throws -> [Build]
    /// The newest finished build of the same repository, ref, rule and image before this one; nil where there is none.
    func lastFinished(before build: Build) async throws -> Build?
    /// Nil where there is no such delivery.
    func delivery(_ id: String) async throws -> Delivery?
    /// Newest first, without their bodies.
    func deliveries(_ query: DeliveryQuery) async throws -> [Delivery]
    /// Up to `limit` bytes of a build's log from `offset`; empty at its end.
    func log(_ id: Build.ID, offset: Int, limit: Int) async throws -> Data
    /// The whole length of a build's log, in bytes.
    func logLength(_ id: Build.ID) async throws -> Int
    /// How many builds are `pending` and how many run.
    func load() async throws -> QueueLoad
    /// Where a tag points, as far as Slipway moved it; nil for one that it never moved.
    func tag(_ name: Tag, of image: ImageName) async throws -> TagHolder?
    /// The tags of an image that Slipway moved, by name.
    func tags(of image: ImageName) async throws -> [TagPlace]
    /// Writes and takes back a row: whether the database can take just now what is accepted.
    func probe() async throws

    /// Tells of every change to one build (state, log), or of builds that became pending; starts with no element.
    ///
    /// Elements that nobody took yet become one, so a reader looks at the database after each.
    func changes(_ topic: ChangeTopic) -> AsyncStream<Void>

    /// Writes all that is due and closes; no function is called after it.
    func close() async
}

extension Store {
    /// `building` → `pushing` with an image that was made.
    package func startPushing(_ hold: Hold, commitTag: Tag, built: String? = nil) async throws {
        try await startPushing(hold, commitTag: commitTag, built: built, reusing: nil)
    }

    /// `pushing` → `finished`.
    package func finish(_ hold: Hold) async throws { try await finish(hold, log: Data()) }

    /// `building` → `pushing` with another build's image.
    package func startPushing(_ hold: Hold, commitTag: Tag, reusing reused: Build.ID?) async throws {
        try await startPushing(hold, commitTag: commitTag, built: nil, reusing: reused)
    }

    /// Keeps a delivery, however many builds are pending.
    package func accept(_ delivery: NewDelivery) async throws -> Acceptance {
        guard let acceptance = try await accept([delivery], room: Room()).first else {
            throw StoreError(.failed, "a delivery got no answer", operation: "accept", database: "")
        }
        return acceptance
    }
}

package enum ChangeTopic: Sendable, Hashable {
    case build(Build.ID)
    /// Somebody asked for the end of a build, which may run.
    case stop(Build.ID)
    /// Builds became pending.
    case pending
}

package struct Resolution: Sendable {
    package var commit: CommitID
    package var message: String
    package var author: String
    package var names: Rule.Names

    package init(commit: CommitID, message: String, author: String, names: Rule.Names) {
        self.commit = commit
        self.message = message
        self.author = author
        self.names = names
    }
}
