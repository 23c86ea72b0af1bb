import CGit2
import Foundation
import Model

/// A conversation over https, http, ssh or git.
final class NetworkSession: SourceSession {
    private let source: GitSource
    private let remote: OpaquePointer
    private let talk: RemoteTalk
    private let isDetached: Bool

    /// Connects, with the host's identity and ours checked.
    ///
    /// - Throws: `CheckoutError` for what is wrong with the source, `GitFault` for what is wrong with the mirror.
    init(_ source: GitSource, _ credentials: GitCredentials?, into mirror: OpaquePointer?, _ call: NetworkCall) throws {
        self.source = source
        talk = RemoteTalk(source, credentials, call)
        isDetached = mirror == nil
        var made: OpaquePointer?
        try git("prepare to fetch from \(source)") {
            mirror == nil
                ? git_remote_create_detached(&made, source.text)
                : git_remote_create_anonymous(&made, mirror, source.text)
        }
        guard let made else { throw CheckoutError.unreachable(source, "libgit2 made no remote of it") }
        remote = made
        var options = git_remote_connect_options()
        git_remote_connect_options_init(&options, UInt32(GIT_REMOTE_CONNECT_OPTIONS_VERSION))
        options.callbacks = talk.callbacks
        options.proxy_opts.type = GIT_PROXY_AUTO
        // Off-site redirects only: another host must not be given this one's password.
        options.follow_redirects = GIT_REMOTE_REDIRECT_NONE
        try talk.explaining("connect to \(source)") { git_remote_connect_ext(remote, GIT_DIRECTION_FETCH, &options) }
    }

    deinit {
        git_remote_disconnect(remote)
        git_remote_free(remote)
    }

    func heads() throws -> [RemoteHead] {
        var list: UnsafeMutablePointer<UnsafePointer<git_remote_head>?>?
        var count = 0
        try talk.explaining("list the refs of \(source)") { git_remote_ls(&list, &count, remote) }
        var ids: [String: String] = [:]
        var order: [String] = []
        for i in 0..<count {
            guard let head = list?[i]?.pointee, let name = head.name else { continue }
            let text = String(cString: name)
            if ids.updateValue(head.oid.hex, forKey: text) == nil { order.append(text) }
        }
        return order.filter { !$0.hasSuffix("^{}") }.map {
            RemoteHead(name: $0, id: ids[$0] ?? "", peeled: ids[$0 + "^{}"])
        }
    }

    func defaultBranch() throws -> String? {
        var buffer = git_buf()
        defer { git_buf_dispose(&buffer) }
        let code = git_remote_default_branch(&buffer, remote)
        if code == GIT_ENOTFOUND.rawValue { return nil }
        guard code >= 0, let text = buffer.ptr else { throw GitFault(code, "find the default branch of \(source)") }
        return (try? RefName(String(cString: text)))?.branch
    }

    func download(_ want: Want) throws -> Bool {
        guard !isDetached else { return false }
        let specs: [String]
        switch want {
        // The destination is never written: refs are set by the mirror itself, once it has looked at what came.
        case .ref(let ref): specs = ["+\(ref.text):refs/slipway/coming"]
        case .commit(let id): specs = ["+\(id):refs/slipway/coming"]
        case .allRefs: specs = ["+refs/heads/*:refs/slipway/coming/heads/*", "+refs/tags/*:refs/slipway/coming/tags/*"]
        }
        var options = git_fetch_options()
        git_fetch_options_init(&options, UInt32(GIT_FETCH_OPTIONS_VERSION))
        options.callbacks = talk.callbacks
        options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE
        options.update_fetchhead = 0
        options.proxy_opts.type = GIT_PROXY_AUTO
        options.follow_redirects = GIT_REMOTE_REDIRECT_NONE
        do {
            try talk.explaining("fetch from \(source)") {
                specs.withGitStrings { git_remote_download(remote, $0, &options) }
            }
        } catch let fault as GitFault where fault.area == GIT_ERROR_INVALID {
            guard case .commit = want else { throw fault }
            return false
        } catch CheckoutError.unreachable(_, let why) {
            // A host that promised commits by name may still hold this one back, or not have it.
            if case .commit = want, talk.call.end == nil, why.contains("not our ref") || why.contains("upload-pack") {
                return false
            }
            throw CheckoutError.unreachable(source, why)
        }
        return true
    }
}

extension [String] {
    /// Lends the strings to C for the time of a call.
    func withGitStrings<Result>(_ body: (UnsafePointer<git_strarray>) -> Result) -> Result {
        var copies = map { strdup($0) }
        defer { copies.forEach { free($0) } }
        return copies.withUnsafeMutableBufferPointer { buffer in
            var strings = git_strarray(strings: buffer.baseAddress, count: buffer.count)
            return withUnsafePointer(to: &strings) { body($0) }
        }
    }
}
