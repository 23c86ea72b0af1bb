import Foundation
import TestSupport

/// A Git repository whose commits become images.
struct Project: Sendable {
    /// As in the settings: `bench/app`.
    let name: String
    let git: GitProject

    /// An image of one small file, whose build is nearly nothing.
    static func trivial(_ name: String, in folder: String) throws -> Project {
        let project = Project(name: name, git: try GitProject(in: folder, name: "trivial"))
        try project.git.write("Dockerfile", "FROM scratch\nCOPY hello /hello\n")
        return project
    }

    /// A small application: tools, dependencies, 20 sources of 400 lines, a build step each.
    ///
    /// - Parameter mark: makes its files unlike those of another, for no cache to take the one for the other.
    static func application(_ name: String, mark: String, base: String, in folder: String) throws -> Project {
        let project = Project(name: name, git: try GitProject(in: folder, name: "app-\(mark)"))
        try project.writeApplication(mark: mark, base: base)
        return project
    }

    /// - Parameter folder: empty, or with a slash at its end.
    func writeApplication(mark: String, base: String, in folder: String = "") throws {
        try git.write(
            folder + "Dockerfile",
            """
            FROM \(base)
            RUN mkdir -p /app && echo tools > /app/tools
            COPY deps.txt /app/deps.txt
            RUN sha256sum /app/deps.txt > /app/lock && sleep 0
            COPY src /app/src
            RUN cat /app/src/* | sha256sum > /app/built
            CMD ["/bin/sh"]

            """)
        try git.write(folder + "deps.txt", String(repeating: "\(mark) deps\n", count: 200))
        for i in 0..<20 { try git.write("\(folder)src/f\(i).c", source(i, mark)) }
    }

    private func source(_ i: Int, _ mark: String) -> String {
        String(repeating: "// . \(i) \(mark)\n", count: 400)
    }

    /// Changes one file, commits and pushes.
    ///
    /// - Returns: the commit's id.
    func change(_ file: String) throws -> String {
        try edit(file)
        return try commit()
    }

    /// Changes one file for each branch, each commit on the one before, and pushes them all.
    ///
    /// - Returns: the commits' ids, in the branches' order.
    func change(_ file: String, on branches: [String]) throws -> [String] {
        let commits = try branches.map { branch in
            try edit(file)
            return try git.commit(branch)
        }
        let refs = zip(commits, branches).map { "\($0):refs/heads/\($1)" }
        try GitProject.git(["push", "-q", "origin"] + refs, in: git.tree)
        return commits
    }

    private func edit(_ file: String) throws {
        let path = git.tree + "/" + file
        let old = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        try git.write(file, old + "// edit \(UUID())\n")
    }

    /// Commits whatever there is, and pushes.
    func commit() throws -> String {
        let commit = try git.commit("c \(UUID())")
        try git.push()
        return commit
    }
}
