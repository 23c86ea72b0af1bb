import Foundation
import Model

/// `git daemon` on loopback or a host: everything under its root, to everybody.
package final class GitDaemon: Sendable {
    package static var isPossible: Bool { Command.path(of: "/usr/lib/git-core/git-daemon") != nil }

    package let port: UInt16
    private let address: String
    private let daemon: Daemon
    private let scratch: TemporaryDirectory

    private init(port: UInt16, address: String, daemon: Daemon, scratch: TemporaryDirectory) {
        self.port = port
        self.address = address
        self.daemon = daemon
        self.scratch = scratch
    }

    /// - Parameters:
    ///   - root: the directory that addresses begin in.
    ///   - port: where it listened before, to be found there again; nil picks a free one.
    package static func start(root: String, port: UInt16? = nil, on host: NetworkHost? = nil) async throws -> GitDaemon
    {
        let (port, scratch) = (try port ?? FreePort.pick(), try TemporaryDirectory())
        let address = host?.address ?? "127.0.0.1"
        let words =
            (host?.launcher ?? []) + [
                "/usr/lib/git-core/git-daemon", "--listen=\(address)", "--port=\(port)", "--base-path=\(root)",
                "--export-all", "--reuseaddr", "--verbose", root,
            ]
        let daemon = try Daemon(
            words[0], Array(words.dropFirst()), environment: GitServer.environment, log: scratch["log"])
        try await daemon.waitUntil { daemon.log.contains("Ready to rumble") }
        return GitDaemon(port: port, address: address, daemon: daemon, scratch: scratch)
    }

    package func url(for name: String) -> String { "git://\(address):\(port)/\(name)" }

    package func stop() { daemon.stop() }
}

/// `git http-backend` behind nginx and fcgiwrap, with a user and a password, on a loopback port.
package final class GitOverHTTP: Sendable {
    package static var isPossible: Bool {
        ["nginx", "fcgiwrap", "/usr/lib/git-core/git-http-backend", "openssl"].allSatisfy {
            Command.path(of: $0) != nil
        }
    }

    package let port: UInt16
    package let username = "ci"
    package let password = "pass word/ä"
    private let scheme: String
    private let daemons: [Daemon]
    private let scratch: TemporaryDirectory

    private init(port: UInt16, scheme: String, daemons: [Daemon], scratch: TemporaryDirectory) {
        self.port = port
        self.scheme = scheme
        self.daemons = daemons
        self.scratch = scratch
    }

    /// - Parameters:
    ///   - root: the directory that addresses begin in.
    ///   - tls: with a certificate that nobody has signed.
    package static func start(root: String, tls: Bool = false) async throws -> GitOverHTTP {
        let (port, scratch) = (try FreePort.pick(), try TemporaryDirectory())
        let password = "pass word/ä"
        let hash = try await Command.run("openssl", ["passwd", "-apr1", "-stdin"], input: Data((password + "\n").utf8))
        try scratch.write("ci:\(hash)\n", to: "htpasswd")
        if tls {
            try await Command.run(
                "openssl",
                [
                    "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", scratch["key.pem"], "-out",
                    scratch["cert.pem"], "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
                    "subjectAltName=IP:127.0.0.1",
                ])
        }
        try scratch.write(configuration(root, port, tls, scratch.path), to: "nginx.conf")
        let socket = scratch["fcgi.sock"]
        let wrapper = try Daemon(
            "fcgiwrap", ["-c", "1", "-s", "unix:\(socket)"], environment: GitServer.environment,
            log: scratch["fcgiwrap.log"])
        try await wrapper.waitUntil { FileManager.default.fileExists(atPath: socket) }
        let server = try Daemon(
            "nginx", ["-p", scratch.path, "-e", scratch["error.log"], "-c", scratch["nginx.conf"]],
            log: scratch["nginx.log"])
        try await server.waitUntilReady(port: port)
        return GitOverHTTP(port: port, scheme: tls ? "https" : "http", daemons: [server, wrapper], scratch: scratch)
    }

    package func url(for name: String) -> String { "\(scheme)://127.0.0.1:\(port)/\(name)" }

    package var credentials: GitCredentials { .login(Login(username: username, password: Secret(password))) }

    package func stop() { daemons.forEach { $0.stop() } }

    private static func configuration(_ root: String, _ port: UInt16, _ tls: Bool, _ scratch: String) -> String {
        """
        daemon off;
        worker_processes 1;
        \(getuid() == 0 ? "user root;" : "")
        pid \(scratch)/nginx.pid;
        events { worker_connections 64; }
        http {
          access_log off;
          client_body_temp_path \(scratch)/body; proxy_temp_path \(scratch)/proxy; fastcgi_temp_path \(scratch)/fastcgi;
          uwsgi_temp_path \(scratch)/uwsgi; scgi_temp_path \(scratch)/scgi;
          server {
            listen 127.0.0.1:\(port)\(tls ? " ssl" : "");
            \(tls ? "ssl_certificate \(scratch)/cert.pem; ssl_certificate_key \(scratch)/key.pem;" : "")
            auth_basic "git"; auth_basic_user_file \(scratch)/htpasswd;
            client_max_body_size 0;
            location /moved/ { return 301 http://localhost:\(port)/; }
            location / {
              fastcgi_param SCRIPT_FILENAME /usr/lib/git-core/git-http-backend;
              fastcgi_param GIT_PROJECT_ROOT "\(root)";
              fastcgi_param GIT_HTTP_EXPORT_ALL "1";
              fastcgi_param PATH_INFO $uri;
              fastcgi_param QUERY_STRING $query_string;
              fastcgi_param REQUEST_METHOD $request_method;
              fastcgi_param CONTENT_TYPE $content_type;
              fastcgi_param CONTENT_LENGTH $content_length;
              fastcgi_param REMOTE_USER $remote_user;
              fastcgi_param REMOTE_ADDR $remote_addr;
              fastcgi_param HTTP_CONTENT_ENCODING $http_content_encoding;
              fastcgi_pass unix:\(scratch)/fcgi.sock;
            }
          }
        }
        """
    }
}

/// `sshd` on a loopback port, with host keys of its own, for the user who runs the test.
package final class GitOverSSH: Sendable {
    package static var isPossible: Bool { ["sshd", "ssh-keygen"].allSatisfy { Command.path(of: $0) != nil } }

    package let port: UInt16
    /// The private key that may log in.
    package let privateKey: String
    /// `ssh-ed25519 AAAA…` of the host.
    package let hostKey: String
    private let root: String
    private let daemon: Daemon
    private let scratch: TemporaryDirectory

    private init(
        port: UInt16, privateKey: String, hostKey: String, root: String, daemon: Daemon, scratch: TemporaryDirectory
    ) {
        self.port = port
        self.privateKey = privateKey
        self.hostKey = hostKey
        self.root = root
        self.daemon = daemon
        self.scratch = scratch
    }

    /// - Parameters:
    ///   - root: the directory that addresses begin in.
    ///   - passphrase: of the key that may log in.
    package static func start(root: String, keyType: String = "ed25519", passphrase: String = "") async throws
        -> GitOverSSH
    {
        let (port, scratch) = (try FreePort.pick(), try TemporaryDirectory())
        try await Command.run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", scratch["host"]])
        try await Command.run("ssh-keygen", ["-q", "-t", keyType, "-N", passphrase, "-f", scratch["user"]])
        // sshd separates privileges into this directory, which only its own service makes.
        if getuid() == 0 {
            try FileManager.default.createDirectory(atPath: "/run/sshd", withIntermediateDirectories: true)
        }
        try scratch.write(
            """
            ListenAddress 127.0.0.1:\(port)
            HostKey \(scratch["host"])
            AuthorizedKeysFile \(scratch["user"]).pub
            StrictModes no
            UsePAM no
            PermitRootLogin yes
            PasswordAuthentication no
            KbdInteractiveAuthentication no
            PidFile none
            """, to: "sshd_config")
        guard let program = Command.path(of: "sshd") else { throw CocoaError(.fileNoSuchFile) }
        let daemon = try Daemon(program, ["-D", "-e", "-f", scratch["sshd_config"]], log: scratch["log"])
        try await daemon.waitUntilReady(port: port)
        let public_ = try String(contentsOfFile: scratch["host.pub"], encoding: .utf8).split(separator: " ")
        return GitOverSSH(
            port: port, privateKey: try String(contentsOfFile: scratch["user"], encoding: .utf8),
            hostKey: public_.prefix(2).joined(separator: " "), root: root, daemon: daemon, scratch: scratch)
    }

    package func url(for name: String) -> String { "ssh://\(NSUserName())@127.0.0.1:\(port)\(root)/\(name)" }

    package var knownHosts: String { "[127.0.0.1]:\(port) \(hostKey)\n" }

    package func credentials(passphrase: String? = nil) -> GitCredentials {
        .ssh(
            GitCredentials.SSHKey(
                privateKey: Secret(privateKey), passphrase: passphrase.map { Secret($0) }, knownHosts: knownHosts))
    }

    package var log: String { daemon.log }

    package func stop() { daemon.stop() }
}

enum GitServer {
    /// No gitconfig of the machine, and repositories may belong to anybody.
    static let environment = [
        "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*",
    ]
}
