# shellcheck shell=bash
# For demo.sh and test.sh: what the machine must have, and how it gets it.

# What a build needs of the system beside a Swift toolchain.
# shellcheck disable=SC2034
libraries=(
    pkg-config libgit2-dev libsqlite3-dev libpq-dev libmicrohttpd-dev libssl-dev libcurl4-openssl-dev libyaml-dev
)

heading() {
    if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then printf '\n\033[1m%s\033[0m\n' "$*"; else printf '\n%s\n' "$*"; fi
}

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# need_packages PACKAGE…: installs the Debian packages that are missing; asks nobody and nothing where none is.
need_packages() {
    local package missing=() root=()
    command -v dpkg-query >/dev/null ||
        die "this machine has no Debian packages: install the like of $* and run the commands of ${0##*/} by hand"
    for package in "$@"; do
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || die "packages are missing: as root, run: apt-get install ${missing[*]}"
        root=(sudo)
    fi
    heading "Installing ${missing[*]}"
    (
        policy=/usr/sbin/policy-rc.d
        if [ ! -e "$policy" ]; then
            # Servers among them are for tests that start their own: while this runs, no package starts its own.
            echo "(their servers are not started now; a machine with systemd starts them at its next boot unless disabled)"
            trap '"${root[@]}" rm -f "$policy"' EXIT
            printf '#!/bin/sh\nexit 101\n' | "${root[@]}" tee "$policy" >/dev/null
            "${root[@]}" chmod 755 "$policy"
        fi
        # Where only a third party's source does not answer, the installation can still do.
        "${root[@]}" apt-get update -qq || echo "apt-get update failed: going on with the lists that are there"
        # Never at the cost of what is there, such as another Docker's packages.
        "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-remove "${missing[@]}"
    ) || die "apt-get could not install ${missing[*]}: see above"
}

# need_swift: a toolchain of 6.1 or newer.
need_swift() {
    local version
    command -v swift >/dev/null ||
        die "swift is not in PATH: install Swift 6.1 or newer from https://www.swift.org/install/linux/"
    version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9][0-9.]*\).*/\1/p' | head -n 1)
    [ "$(printf '%s\n' 6.1 "${version:-0}" | sort -V | head -n 1)" = 6.1 ] ||
        die "$(command -v swift) is Swift ${version:-of an unknown version}, and 6.1 or newer is needed:" \
            "https://www.swift.org/install/linux/"
}
