import Model
import Testing

@testable import Engine

@Suite struct DockerfileNeedsTests {
    private typealias Case = DockerfileCase

    private static let digest = "sha256:" + String(repeating: "0a", count: 32)
    private static let architecture = Engines.architecture

    static let images: [DockerfileCase] = [
        // As written, each once.
        Case("FROM alpine", images: ["alpine:latest"]),
        Case("from alpine:3.20", images: ["docker.io/library/alpine:3.20"]),
        Case("FROM alpine\nFROM alpine:latest", images: ["alpine:latest"]),
        Case("FROM acme/base:1 AS build\nRUN make", images: ["acme/base:1"]),
        Case("FROM localhost:5000/base", images: ["localhost:5000/base:latest"]),
        Case("FROM r.example.com/a/b:1@\(digest)", images: ["r.example.com/a/b:1@\(digest)"]),
        Case("FROM alpine@\(digest)", images: ["alpine@\(digest)"]),
        Case("\n\n# a comment\n   FROM\talpine:1   as   one\t\n", images: ["alpine:1"]),
        Case("\u{FEFF}FROM alpine:1", images: ["alpine:1"]),
        Case("FROM alpine:1\r\nCOPY a \\\r\n b /x/\r\n", images: ["alpine:1"]),
        Case("FROM scratch\nCOPY a /a"),
        // Lines are joined as they stand, comments and empty lines between them are left out.
        Case("FR\\\nOM al\\\npine:1", images: ["alpine:1"]),
        Case("FROM \\\n# not this\n\n  alpine:1 \\  \n AS x", images: ["alpine:1"]),
        Case("# escape=`\nFROM a:1\nRUN x `\nFROM b\nCOPY c:\\ d", images: ["a:1"]),
        Case("FROM a:1\nRUN x \\\n  # indented\n  y", images: ["a:1"]),
        Case("# FROM a\nFROM b:1\nRUN echo \\\nFROM c", images: ["b:1"]),
        // Former stages are no images.
        Case("FROM a:1 AS base\nFROM base\nFROM b:1", images: ["a:1", "b:1"]),
        Case("FROM a:1 AS Base\nFROM BASE", on: [.buildKit, .classic], images: ["a:1"]),
        Case("FROM golang AS golang\nFROM golang", images: ["golang:latest"]),
        Case("FROM a:1 AS x\nFROM scratch AS y\nFROM x", images: ["a:1"]),
        // COPY --from= and mounts.
        Case("FROM a:1 AS x\nFROM b:1\nCOPY --from=x /a /b", images: ["a:1", "b:1"]),
        Case("FROM a:1\nFROM b:1\nCOPY --chown=1:1 --from=0 /a /b", images: ["a:1", "b:1"]),
        Case("FROM a:1\nCOPY --from=nginx:1 /a /b", images: ["a:1", "nginx:1"]),
        Case("FROM a:1\nCOPY --from=r.example.com/b@\(digest) a b", images: ["a:1", "r.example.com/b@\(digest)"]),
        Case("FROM a:1\nCOPY --from=a:1 /x /y", images: ["a:1"]),
        Case("FROM a:1\nRUN --mount=type=bind,from=b:2,target=/b ls", images: ["a:1", "b:2"]),
        Case("FROM a:1 AS x\nFROM b:1\nRUN --mount=from=x,target=/b ls", images: ["a:1", "b:1"]),
        Case("FROM a:1\nRUN --mount=type=cache,target=/c --network=none ls", images: ["a:1"]),
        Case("FROM a:1\nRUN --mount=TYPE=cache,FROM=b:1,target=/c ls", images: ["a:1", "b:1"]),
        Case("FROM a:1\nRUN curl https://example.com --from=x", images: ["a:1"]),
        // The image that reads the Dockerfile, where a builder asks one.
        Case(
            "# syntax=docker/dockerfile:1\nFROM a:1", on: [.buildKit],
            images: ["docker.io/docker/dockerfile:1", "a:1"]),
        Case(
            "#  Syntax = docker/dockerfile\n# escape=\\\nFROM a:1", on: [.buildKit],
            images: ["docker/dockerfile:latest", "a:1"]),
        Case("# syntax=acme/other:1\nFROM a:1", on: [.classic, .buildah, .podman], images: ["a:1"]),
        Case("# A licence\n# syntax=acme/other:1\nFROM a:1", images: ["a:1"]),
        // Instructions of this Dockerfile's ONBUILD don't run now.
        Case("FROM a:1\nONBUILD COPY --from=b:1 /a /b\nONBUILD ADD https://example.com/a /a", images: ["a:1"]),
        // Files, whatever they are called.
        Case("FROM a:1\nADD a.tar.gz ./$B src/$C /d/", images: ["a:1"]),
        Case("FROM a:1\nADD [\"a b\", \"/c\"]\nCOPY $X /https://", images: ["a:1"]),
        Case("FROM a:1\nADD --checksum=\(digest) https://example.com/a /a", images: ["a:1"]),
        Case("FROM a:1\nADD a@b /c\nADD x /http://y", images: ["a:1"]),
        Case("FROM a:1\nHEALTHCHECK --interval=5s CMD x\nSHELL [\"/bin/sh\"]\nSTOPSIGNAL 9", images: ["a:1"]),
        Case("FROM a:1\nCMD cat <<EOF\nFROM b:1", images: ["a:1", "b:1"]),
    ]

    @Test(arguments: images) func names(_ row: DockerfileCase) throws { try row.check() }

    /// What the machine's files say of names without a registry.
    static let shortNames: [DockerfileCase] = {
        let aliases = "[aliases]\n  # one\n\"fedora\" = \"r.example.com/f\"\n'a/b'='q.example.com/a/b' # two\nc = \"\""
        let hub = "unqualified-search-registries = [\"docker.io\"]\n"
        let other = "unqualified-search-registries = [\"quay.io\", 'docker.io']\n"
        return [
            Case(
                "FROM fedora:40 AS x\nFROM a/b\nFROM x\nFROM d", configuration: [aliases, hub],
                images: ["r.example.com/f:40", "q.example.com/a/b:latest", "d:latest"]),
            Case("FROM docker.io/library/fedora:40", configuration: [other + aliases], images: ["fedora:40"]),
            Case("FROM localhost/fedora:40", configuration: [other], images: ["localhost/fedora:40"]),
            Case("FROM a:1", configuration: [other], doubt: "which registry"),
            Case("FROM fedora:40", configuration: [other, aliases], images: ["r.example.com/f:40"]),
            Case("FROM a:1", configuration: [other, hub], images: ["a:1"]),
            Case(
                "FROM a:1", configuration: [aliases, "[aliases]\na = 'x.example.com/y'"], images: ["x.example.com/y:1"]),
            Case("FROM c:1", configuration: [aliases], doubt: "\"c:1\" names no image"),
        ]
    }()

    @Test(arguments: shortNames) func followsAliases(_ row: DockerfileCase) throws { try row.check() }

    static let variables: [DockerfileCase] = [
        Case("ARG V=1\nFROM a:$V", images: ["a:1"]),
        Case("ARG V=1\nFROM a:$V", args: ["V": "2", "W": "3"], images: ["a:2"], arguments: ["V": "2"]),
        Case("ARG V\nFROM a:${V}", args: ["V": "2"], images: ["a:2"], arguments: ["V": "2"]),
        Case("ARG V=\"1\"\nARG W='2'\nFROM \"a:$V\"\nFROM b:$W", images: ["a:1", "b:2"]),
        Case("ARG A=x\nARG B=${A}-y\nFROM i:$B", images: ["i:x-y"]),
        Case("ARG A=x\nARG B=$A-y\nFROM i:$B", args: ["A": "z"], images: ["i:z-y"], arguments: ["A": "z"]),
        Case("ARG A=1\nARG A=2\nFROM i:$A", images: ["i:2"]),
        Case("ARG A=1 B=2\nFROM i:$A$B", images: ["i:12"]),
        Case("ARG A\nFROM i:${A:-3}", images: ["i:3"]),
        Case("ARG A=\nFROM i:${A:-3}", images: ["i:3"]),
        Case("ARG A=1\nFROM i:${A:-3}", images: ["i:1"]),
        Case("ARG A=1\nFROM i:1${A:+-slim}", images: ["i:1-slim"]),
        Case("ARG A\nFROM i:1${A:+-slim}", images: ["i:1"]),
        Case("ARG A\nARG B=2\nFROM i:${A:-${B}-x}", images: ["i:2-x"]),
        Case("ARG I=r.example.com/a\nFROM $I/b:1 AS x", images: ["r.example.com/a/b:1"]),
        Case("ARG I=scratch\nFROM $I"),
        Case("ARG S=x\nFROM a:1 AS x\nFROM $S", on: [.buildKit, .classic], images: ["a:1"]),
        Case("ARG S=x\nFROM a:1 AS x\nFROM $S", on: [.buildah, .podman], doubt: "finds no stage by a variable"),
        // An ARG within a stage says nothing to FROM, and what it declares is told to the builder in any stage.
        Case("ARG V=1\nFROM a:$V\nARG V=2\nFROM b:$V", images: ["a:1", "b:1"]),
        Case(
            "FROM a:1\nONBUILD ARG B\nFROM b:1\nARG A", args: ["A": "1", "B": "2", "C": "3"], target: "0",
            images: ["a:1"], arguments: ["A": "1", "B": "2"]),
        Case("FROM a:1\nARG A=\"x y\" B='$Q'", args: ["B": "b", "y": "c"], images: ["a:1"], arguments: ["B": "b"]),
        // Told to the builder without an ARG.
        Case(
            "FROM a:1", args: ["HTTP_PROXY": "p", "no_proxy": "q", "BUILDKIT_INLINE_CACHE": "1", "X": "1"],
            images: ["a:1"], arguments: ["HTTP_PROXY": "p", "no_proxy": "q", "BUILDKIT_INLINE_CACHE": "1"]),
        // The platform's.
        Case("FROM --platform=linux/\(architecture) a:1", images: ["a:1"]),
        Case("FROM --platform=$BUILDPLATFORM a:1", on: [.buildKit, .buildah, .podman], images: ["a:1"]),
        Case("FROM a:$TARGETOS-${TARGETARCH}", on: [.buildKit], images: ["a:linux-\(architecture)"]),
        Case("FROM a:$TARGETOS", on: [.buildah, .podman], doubt: "may not know $TARGETOS there"),
        Case("FROM a:$TARGETARCH", on: [.classic], doubt: "Dockerfile line 1 (FROM): what $TARGETARCH is"),
        Case("FROM a:1$TARGETVARIANT", doubt: "what $TARGETVARIANT is"),
        Case("ARG TARGETARCH\nFROM a:$TARGETARCH", doubt: "after ARG TARGETARCH"),
        Case(
            "FROM a:$TARGETARCH", args: ["TARGETARCH": "x"], arguments: ["TARGETARCH": "x"],
            doubt: "what $TARGETARCH is"),
        Case("FROM --platform=linux/s390x a:1", doubt: "another platform"),
        Case("ARG P=linux/s390x\nFROM --platform=$P a:1", doubt: "another platform"),
    ]

    @Test(arguments: variables) func resolves(_ row: DockerfileCase) throws { try row.check() }

    static let targets: [DockerfileCase] = [
        Case("FROM a:1 AS x\nFROM b:1 AS y\nADD https://example.com/a /", target: "x", images: ["a:1"]),
        Case("FROM a:1 AS x\nFROM b:1 AS y\nFROM c:1", target: "y", images: ["a:1", "b:1"]),
        Case("FROM a:1\nFROM b:1\nFROM c:1", target: "1", images: ["a:1", "b:1"]),
        Case("FROM a:1 AS One\nFROM b:1", target: "oNE", on: [.buildKit, .classic], images: ["a:1"]),
        Case("FROM a:1 AS One\nFROM b:1", target: "one", on: [.buildah, .podman], doubt: "tells apart"),
        Case("FROM a:1 AS x", target: "z", doubt: "no stage of the Dockerfile has the target's name"),
        Case("FROM a:1 AS x", target: "1", doubt: "no stage of the Dockerfile has the target's name"),
    ]

    @Test(arguments: targets) func leavesOutLaterStages(_ row: DockerfileCase) throws { try row.check() }

    static let doubts: [DockerfileCase] = [
        // No image's name.
        Case("FROM a:1\nFROM", doubt: "neither an image nor"),
        Case("", doubt: "no FROM"),
        Case("# only", doubt: "no FROM"),
        Case("FROM Upper/Case", doubt: "Dockerfile line 1 (FROM): \"Upper/Case\" names no image"),
        Case("FROM SCRATCH", doubt: "names no image"),
        Case("FROM a:b:c", doubt: "names no image"),
        Case("FROM a:1\nFROM 0", doubt: "Dockerfile line 2 (FROM): \"0\" names no image"),
        Case("FROM a b", doubt: "neither an image nor"),
        Case("FROM a AS", doubt: "neither an image nor"),
        Case("FROM a:1 AS 1", doubt: "can't be a stage's name"),
        Case("FROM a:1 AS $X", doubt: "can't be a stage's name"),
        Case("FROM a:1 AS scratch", doubt: "can't be a stage's name"),
        Case("FROM a:1 AS x\nFROM b:1 AS X", doubt: "two stages of the Dockerfile have one name"),
        Case("FROM x\nFROM a:1 AS x", doubt: "is a later stage"),
        Case("FROM a:1 AS X\nFROM x", on: [.buildah, .podman], doubt: "tells apart"),
        // Variables that can't be known for certain.
        Case("FROM a:$V", doubt: "no ARG before the first FROM declares $V"),
        Case("FROM a:1\nARG V=1\nFROM b:$V", doubt: "Dockerfile line 3 (FROM): no ARG before"),
        Case("ARG V\nFROM a:$V", doubt: "\"a:$V\" names no image"),
        Case("ARG V=1.2.3\nFROM a:${V%.*}", doubt: "${V…} has a form"),
        Case("ARG V=1.2.3\nFROM a:${V#*.}", doubt: "has a form"),
        Case("ARG V=1.2.3\nFROM a:${V//./-}", doubt: "has a form"),
        Case("ARG V=1\nFROM a:${V:?no}", doubt: "has a form"),
        Case("ARG V=1\nFROM a:${V-2}", doubt: "has a form"),
        Case("ARG V=1\nFROM a:${V", doubt: "has a form"),
        Case("ARG V=1\nFROM a:${V:-x", doubt: "has no end"),
        Case("FROM a:$1", doubt: "no variable's name"),
        Case("FROM a:\\$V", doubt: "escaped"),
        Case("FROM \"a:1", doubt: "a quote has no end"),
        Case("ARG V=1\nARG V\nFROM a:$V", doubt: "a second ARG V"),
        Case("ARG V=${X}\nFROM a:$V", doubt: "declares $X"),
        Case("ARG $V=1\nFROM a:1", doubt: "Dockerfile line 1 (ARG): \"$V\" is not a variable's name"),
        Case("ARG V=\"1\nFROM a:1", doubt: "a quote has no end"),
        // From elsewhere, and another each time.
        Case("FROM a:1\nADD https://example.com/a /a", doubt: "Dockerfile line 2 (ADD): it takes an address without"),
        Case("FROM a:1\nADD x \"http://example.com/a\" /a", doubt: "it takes an address without"),
        Case("FROM a:1\nADD [\"https://example.com/a\", \"/a\"]", doubt: "it takes an address without"),
        Case("FROM a:1\nADD --checksum=$SUM https://example.com/a /a", doubt: "it takes an address without"),
        Case("FROM a:1\nADD git@example.com:a/b.git /a", doubt: "it takes an address without"),
        Case("FROM a:1\nADD ssh://git@example.com/a/b.git#v1 /a", doubt: "it takes an address without"),
        Case("FROM a:1\nARG U\nADD $U /a", doubt: "\"$U\" may be an address"),
        Case("FROM a:1\nARG U\nADD http:/${U} a/$U /a", doubt: "\"http:/${U}\" may be an address"),
        Case("FROM a:1\nARG U\nADD [\"app-$U\", \"/a\"]", doubt: "\"app-$U\" may be an address"),
        Case("FROM a:1\nCOPY https://example.com/a /a", doubt: "COPY takes no address"),
        Case("FROM a:1\nRUN --mount=type=secret,id=x cat /x", doubt: "Dockerfile line 2 (RUN): it takes a secret"),
        Case("FROM a:1\nRUN --network=none --mount=target=/x,type=SSH ls", doubt: "another each time"),
        Case("FROM a:1\nRUN --mount=type=$T ls", doubt: "the type of its mount"),
        // from= that is neither a former stage nor an image.
        Case("ARG V=1\nFROM a:1\nCOPY --from=b:$V a b", doubt: "(COPY): not all builders put a variable's value"),
        Case("FROM a:1\nRUN --mount=from=$V,target=/b ls", doubt: "(RUN): not all builders put a variable's value"),
        Case("FROM a:1\nCOPY --from=0 a b", doubt: "\"0\" is not a former stage"),
        Case("FROM a:1\nCOPY --from=7 a b", doubt: "\"7\" is not a former stage"),
        Case("FROM a:1\nCOPY --from=x a b\nFROM b:1 AS x", doubt: "\"x\" is not a former stage"),
        Case("FROM a:1 AS x\nCOPY --from=x a b", doubt: "\"x\" is not a former stage"),
        Case("FROM a:1\nFROM b:1\nRUN --mount=from=0,target=/b ls", doubt: "\"0\" names no image"),
        Case("FROM a:1\nCOPY --from=scratch a b", doubt: "builders differ"),
        Case("FROM a:1\nCOPY --from= a b", doubt: "\"\" names no image"),
        // What is not understood.
        Case("FROM a:1\nRUNN x", doubt: "Dockerfile line 2: it begins no instruction"),
        Case("RUN x\nFROM a:1", doubt: "before the first FROM"),
        Case("FROM a:1\nCOPY <<EOF /x\nhello\nEOF", doubt: "here-documents"),
        Case("FROM a:1\nRUN cat <<-'END'\n\thello\n\tEND\nUSER x", doubt: "here-documents"),
        Case("FROM a:1\nRUN echo $((1<<3))", doubt: "here-documents"),
        Case("FROM a:1\nCOPY --form=x a b", doubt: "--form is not known"),
        Case("FROM a:1\nADD --from=x a b", doubt: "--from is not known"),
        Case("FROM a:1\nRUN --mount=\"type=bind\" x", doubt: "--mount is quoted"),
        Case("FROM a:1 AS x\nONBUILD RUN y\nFROM x", doubt: "a stage with ONBUILD"),
        // What builders split differently.
        Case("FROM a:1\nRUN x \\\\\nFROM b:1", doubt: "Dockerfile line 2: not all builders continue it"),
        Case("FROM a:1\nRUN x \\\n  # indented\n  COPY --from=b a b", doubt: "Dockerfile line 4: after an indented"),
        Case("FROM a:1\nRUN x\rFROM b:1", doubt: "Dockerfile line 2: a character"),
        Case("FROM a:1\u{A0}AS x", doubt: "neither visible nor a plain space"),
        Case("FROM a:1\nRUN x\u{0B}y", doubt: "Dockerfile line 2"),
        // Directives.
        Case("#syntax=acme/other:1\nFROM a:1", on: [.buildKit], doubt: "what docker.io/acme/other:1 makes"),
        Case("# foo=1\n# syntax=docker/dockerfile:1\nFROM a:1", on: [.buildKit], doubt: "Dockerfile line 2: not all"),
        Case(" # syntax=docker/dockerfile:1\nFROM a:1", on: [.buildKit], doubt: "Dockerfile line 1: not all"),
        Case("#!/bin/x\n# syntax=docker/dockerfile:1\nFROM a:1", on: [.buildKit], doubt: "Dockerfile line 2: not all"),
        Case("# syntax=docker/dockerfile:1\n# escape=`\nFROM a:1", doubt: "Dockerfile line 2: not all"),
        Case(
            "FROM a:1", args: ["BUILDKIT_SYNTAX": "x"], on: [.buildKit], arguments: ["BUILDKIT_SYNTAX": "x"],
            doubt: "BUILDKIT_SYNTAX"),
    ]

    @Test(arguments: doubts) func saysWhatCannotBeKnown(_ row: DockerfileCase) throws { try row.check() }

    @Test func tellsNoSecret() {
        let needs = DockerfileNeeds(
            "ARG V\nFROM a:$V\nADD https://me:hidden@example.com/a /a\nCOPY --from=b:$V a b",
            buildArgs: ["V": "hid den"], target: nil, engine: .buildKit)
        #expect(needs.doubts.count == 3)
        #expect(!needs.doubts.contains { $0.contains("hid") }, "\(needs.doubts)")
    }
}
