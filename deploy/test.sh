#!/usr/bin/env bash
# Every check and every test, as continuous integration runs them: installs the packages that are missing, then format,
# shell scripts, a build without warnings, and the tests. Arguments go to swift test: deploy/test.sh --filter Queue
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=deploy/machine.sh
. deploy/machine.sh

need_swift
docker=()
command -v dockerd >/dev/null || docker=(docker.io)
need_packages git curl openssl shellcheck "${libraries[@]}" \
    ${docker[@]+"${docker[@]}"} iptables buildah crun uidmap docker-registry busybox-static nginx-light fcgiwrap \
    openssh-server apache2-utils sqlite3 faketime postgresql pgbouncer iproute2

heading "Format"
swift format lint --strict --recursive Package.swift Sources Tests

heading "Shell scripts"
scripts=(hooks/* deploy/*.sh Tests/Benchmarks/run.sh Tests/Fuzz/run.sh Tests/Faults/run.sh .ci/run)
for script in "${scripts[@]}"; do
    case $(head -n 1 "$script") in
    *bash) bash -n "$script" ;;
    *) sh -n "$script" ;;
    esac
done
shellcheck --severity=warning --external-sources "${scripts[@]}"
common() { sed -n '/^# ---- the same text/,/^# ---- end of the same text/p' "$1"; }
for pair in "hooks/post-receive hooks/post-commit" "deploy/slipway.service deploy/slipway-worker.service"; do
    read -r one other <<<"$pair"
    [ -n "$(common "$one")" ] && [ "$(common "$one")" = "$(common "$other")" ] ||
        die "$one and $other differ in the part that is to be the same"
done

if command -v systemd-analyze >/dev/null; then
    heading "Units"
    units=$(mktemp -d)
    trap 'rm -r "$units"' EXIT
    # Slipway need not be installed for it.
    for unit in slipway slipway-worker; do
        sed 's,/usr/local/bin/slipway,/bin/true,' "deploy/$unit.service" >"$units/$unit.service"
        said=$(systemd-analyze verify "$units/$unit.service" 2>&1) || die "$unit.service: $said"
        install -D -m 644 deploy/slipway-buildah.conf "$units/$unit.service.d/buildah.conf"
        said+=$(systemd-analyze verify "$units/$unit.service" 2>&1) || die "$unit.service, buildah.conf: $said"
        [ -z "$said" ] || die "systemd-analyze verify says: $said"
    done
fi

heading "Build"
swift build --build-tests -Xswiftc -warnings-as-errors

# A thousand tests that begin at once keep each other waiting past their deadlines; Swift before 6.3 does not know it.
export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=12
said=$(mktemp)
trap 'rm -rf "${units:-}" "$said"' EXIT
run_tests() {
    swift test --skip-build -Xswiftc -warnings-as-errors "$@" 2>&1 | tee "$said" && return
    # Once more at the end, where a log of thousands of lines is read first.
    heading "What failed"
    awk '/^(◇|✔|✘)/ { issue = / recorded an issue / } issue' "$said"
    grep "Test run with" "$said" || die "the tests ended without their closing line"
    exit 1
}

heading "Tests"
run_tests "$@"
[ $# -eq 0 ] || exit 0

heading "End-to-end tests of the service, with its queue on PostgreSQL"
suites="Attempts|BadInput|BaseWatch|Build|CommandLine|Crash|Deliveries|DockerHubJourney|DockerHubTrigger|GitHosts|Hooks"
suites+="|Limits|ManyPushes|Operation|Paths|Poll|Proxy|Reload|Reuse|Rules|Sources|TagOrder|ToldTwice|WebhookSecret|WholeHost"
SLIPWAY_TEST_DATABASE=postgresql run_tests --filter "EndToEndTests.EndToEnd/($suites)Tests"
