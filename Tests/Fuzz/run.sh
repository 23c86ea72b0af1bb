#!/usr/bin/env bash
# Mutates webhooks and triggers through the service's whole intake for as long as you like: installs the packages that
# are missing, builds for release, and runs. What must not be is written to a file here, which --replay sends again.
# Arguments: --variants N, --seed S, --payloads DIR (a folder of real payloads for each Git host), --replay FILE.
set -euo pipefail
project=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=deploy/machine.sh
. "$project/deploy/machine.sh"

need_swift
need_packages git openssl "${libraries[@]}"

build=(swift build --package-path "$project" -c release --product Fuzz)
"${build[@]}" >&2
exec "$("${build[@]}" --show-bin-path)/Fuzz" "$@"
