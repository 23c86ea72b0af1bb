#!/usr/bin/env bash
# Pushes to a real service while everything around it fails, and checks that nothing was lost and no tag went back:
# installs the packages that are missing, builds for release, and runs. What is bad is named with its seed and its
# evidence, and the folder of the run is kept. Run as root, the disk of the service is filled too.
# Arguments: --seed S, --minutes M or --pushes N --kills K, --engine standin|buildah|docker, --no-poll; or --loss; or
# --hosts for many machines, which takes root.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=deploy/machine.sh
. deploy/machine.sh

need_swift
need_packages git openssl "${libraries[@]}" \
    docker-registry apache2-utils sqlite3 faketime
case "$*" in
*buildah*) need_packages buildah crun ;;
*docker*) command -v dockerd >/dev/null || need_packages docker.io iptables ;;
esac
case "$*" in
*hosts*) need_packages iproute2 postgresql curl ;;
esac

build=(swift build -c release)
"${build[@]}" --product slipway >&2
"${build[@]}" --product Faults >&2
exec "$("${build[@]}" --show-bin-path)/Faults" "$@"
