#!/usr/bin/env bash
# What Slipway costs, as one table: installs the packages that are missing, builds the service for release, and measures
# memory, start-up, intake under load, the time from a webhook to building, and, in turns with a plain script on the same
# engine, whole builds, a monorepo, a large repository and a hundred builds at once; and on PostgreSQL many worker
# processes, claims out of a long queue, and intake.
# Arguments: see Tests/Benchmarks/Options.swift, or --help.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=deploy/machine.sh
. deploy/machine.sh

need_swift
docker=()
command -v dockerd >/dev/null || docker=(docker.io)
need_packages git openssl "${libraries[@]}" \
    libpq-dev postgresql \
    ${docker[@]+"${docker[@]}"} iptables buildah crun docker-registry busybox-static apache2-utils \
    libxml2-dev gcc wrk webhook

# As README.md installs it: with Swift's own libraries within, less of them is in memory.
build=(swift build -c release --static-swift-stdlib)
"${build[@]}" --product slipway >&2
"${build[@]}" --product Benchmarks >&2
exec "$("${build[@]}" --show-bin-path)/Benchmarks" "$@"
