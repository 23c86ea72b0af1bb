import Foundation
import Model
import Platform
import Queue
import Registry

/// Compares the registry's tags with where Slipway put them, and puts right what an old image or nothing is under.
///
/// What somebody else pushed there is noted and left alone. Nothing is compared while a build moves the tag.
package actor Sweeper {
    /// The first look comes so long after the start, when what waited for it is done.
    static let delay = Duration.seconds(180)
    /// How often the settings are asked where they say never.
    static let idle = Duration.seconds(3600)
    /// After what time suspects are looked at a second time: a request that was given up may arrive late.
    static let secondLook = Duration.seconds(60)
    /// How long a tag may be kept from builds, and within it how long its registry may take.
    static let right = (held: Duration.seconds(60), used: Duration.seconds(45))
    /// Requests at once.
    static let width = 4
    static let page = 200

    let tools: Tools
    private let duty: Duty
    private var rests = Rests()

    package init(tools: Tools) {
        self.tools = tools
        duty = Duty("sweep", holder: tools.instance, store: tools.store, time: tools.time, log: tools.log)
    }

    /// Sweeps as often as the settings say, until the task is cancelled, unless another process does; suspects are looked
    /// at by whoever has them, and even where that is never.
    package func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [duty] in await duty.run() }
            group.addTask { await self.sweepRegularly() }
            group.addTask { await self.lookAtSuspects() }
        }
    }

    /// The settings are asked anew each time, as they may change.
    private func sweepRegularly() async {
        var first: Duration? = Self.delay
        while true {
            let every = tools.settings.sweep.every ?? Self.idle
            guard (try? await tools.time.sleep(for: first.map { min($0, every) } ?? every)) != nil else { return }
            first = nil
            if tools.settings.sweep.every != nil, await duty.isOurs() { await sweep() }
        }
    }

    private func lookAtSuspects() async {
        await withTaskGroup(of: Void.self) { group in
            while !Task.isCancelled {
                let suspects = await tools.suspects.next()
                guard !suspects.isEmpty else { break }
                group.addTask {
                    await self.sweep(suspects)
                    guard (try? await self.tools.time.sleep(for: Self.secondLook)) != nil else { return }
                    await self.sweep(suspects)
                }
            }
            group.cancelAll()
        }
    }

    /// Looks at every tag, or at some.
    func sweep(_ suspects: Set<Suspect>? = nil) async {
        do {
            if let suspects {
                for image in Set(suspects.map(\.image)) {
                    await check(try await tools.store.tags(of: image), suspects.filter { $0.image == image })
                }
                return
            }
            var last: TagPlace?
            repeat {
                let tags = try await tools.store.tags(after: last, limit: Self.page)
                await check(tags)
                last = tags.last
            } while last != nil && !Task.isCancelled
        } catch is CancellationError {
            return
        } catch {
            tools.log.error("the tags could not be compared with the registry's", ["error": error])
        }
    }

    /// A few at a time; with suspects, those alone.
    private func check(_ tags: [TagPlace], _ suspects: Set<Suspect>? = nil) async {
        let sent = suspects.map { Dictionary(grouping: $0, by: \.name) }
        await withTaskGroup(of: Void.self) { group in
            let chosen = tags.filter { sent == nil || sent?[$0.name] != nil }
            for (index, tag) in chosen.enumerated() {
                if index >= Self.width { await group.next() }
                if Task.isCancelled { break }
                let digests = Set((sent?[tag.name] ?? []).map(\.digest))
                group.addTask { await self.check(tag, digests) }
            }
        }
    }

    private func check(_ tag: TagPlace, _ sent: Set<Digest>) async {
        // What is no longer in the settings is no longer Slipway's to look after.
        guard tools.settings[tag.repository]?.image == tag.image, !rests.isResting(tag.image, tools.time.now) else {
            return
        }
        do {
            try await TagCheck(tag: tag, sent: sent, tools: tools).run()
            rests.answered(tag.image)
        } catch let error as RegistryError {
            let pause = rests.failed(tag.image, error, tools.time.now)
            tools.log.warning(
                "a tag could not be compared with the registry's; it is left alone for a while",
                ["tag": "\(tag.image):\(tag.name)", "seconds": Int(pause.seconds), "error": error])
        } catch is CancellationError {
            return
        } catch {
            tools.log.error(
                "a tag could not be compared with the registry's",
                ["tag": "\(tag.image):\(tag.name)", "error": error])
        }
    }
}
