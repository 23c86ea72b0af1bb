#!/usr/bin/env bash
# Slipway from a Git push to an image in a registry, on this machine, to the end: installs what is missing, builds the
# service, starts it beside a registry on free loopback ports, pushes to a repository with the shipped hook, and stops
# all that it started.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=deploy/machine.sh
. deploy/machine.sh

usage="usage: deploy/demo.sh [--engine docker|buildah|podman] [--binary PATH] [--keep]
  --engine  builds with this one; otherwise with what the machine has, and buildah is installed where there is none
  --binary  runs this slipway and builds none
  --keep    leaves the service, the registry and the repositories there, and tells where"
engine='' binary='' keep=''
while [ $# -gt 0 ]; do
    case $1 in
    --engine | --binary) [ $# -ge 2 ] || die "$1 needs a value"$'\n'"$usage" ;;&
    --engine) engine=$2 && shift ;;
    --binary) binary=$(realpath "$2") && shift ;;
    --keep) keep=yes ;;
    -h | --help) printf '%s\n' "$usage" && exit 0 ;;
    *) die "unknown word $1"$'\n'"$usage" ;;
    esac
    shift
done

work='' registry_pid='' slipway_pid='' image=''

# fail SENTENCE: says what went wrong, with the end of what the service and the registry said.
fail() {
    local log
    for log in slipway registry; do
        if [ -s "$work/$log.log" ]; then
            printf '\n--- the last lines of %s ---\n' "$log" >&2
            tail -n 20 "$work/$log.log" >&2
        fi
    done
    die "$@"
}

# until_true SECONDS COMMAND…: whether COMMAND succeeds within that time.
until_true() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.1
    done
}

gone() { ! kill -0 "$1" 2>/dev/null; }

# stop PID: asks it to end, and makes it end after 20 seconds.
stop() {
    [ -n "$1" ] || return 0
    if kill "$1" 2>/dev/null && ! until_true 20 gone "$1"; then
        echo "process $1 did not end within 20 s of SIGTERM: killed" >&2
        kill -KILL "$1" 2>/dev/null || :
    fi
}

clean_up() {
    local ended=$?
    trap '' INT TERM
    stop "$slipway_pid"
    # The engine's own copies; where it has none or holds on to them, that harms nobody.
    case ${image:+$engine} in
    docker | podman) "$engine" image ls -q "$image" | sort -u | xargs -r "$engine" image rm -f ;;
    buildah) buildah images -q --filter "reference=$image" | sort -u | xargs -r buildah rmi -f ;;
    esac >/dev/null 2>&1 || :
    stop "$registry_pid"
    if [ -n "$work" ]; then rm -rf "$work"; fi
    exit "$ended"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

get() { curl -q -fsS --noproxy '*' --max-time "$1" "$2"; }

# value KEY: the string or number of that name, which the JSON on stdin holds once.
value() { sed -n "s/.*\"$1\" *: *\"\{0,1\}\([^\",}]*\).*/\1/p" | head -n 1; }

# ---- the engine, the packages, the service ----

answers() {
    case $1 in
    # A daemon on another machine couldn't reach the registry here.
    docker) case ${DOCKER_HOST:-unix:} in unix:*) docker version --format '{{.Server.Version}}' >/dev/null 2>&1 ;; *) false ;; esac ;;
    *) command -v "$1" >/dev/null ;;
    esac
}

need_swift
packages=(git curl openssl docker-registry busybox-static)
[ -n "$binary" ] ||
    packages+=("${libraries[@]}")
case $engine in
'')
    for engine in docker buildah podman none; do
        if answers "$engine"; then break; fi
    done
    if [ "$engine" = none ]; then engine=buildah packages+=(buildah crun); fi
    ;;
docker) answers docker || die "no Docker daemon on this machine answers: start it, or take --engine buildah" ;;
buildah | podman) answers "$engine" || packages+=("$engine" crun) ;;
*) die "there is no engine $engine"$'\n'"$usage" ;;
esac
need_packages "${packages[@]}"

if [ -z "$binary" ]; then
    heading "Building Slipway (the first time takes minutes)"
    swift build --product slipway
    binary=$(swift build --show-bin-path)/slipway
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/slipway-demo.XXXXXX")
heading "Starting a registry and Slipway with $engine"
mkdir "$work/registry" "$work/data"
touch "$work/registry.log" "$work/address"
cat >"$work/registry.yml" <<END
version: 0.1
log: {level: info}
storage: {filesystem: {rootdirectory: "$work/registry"}}
http: {addr: "127.0.0.1:0"}
END
docker-registry serve "$work/registry.yml" >"$work/registry.log" 2>&1 &
registry_pid=$!
registry_address() {
    registry=$(sed -n 's/.*listening on \(127\.0\.0\.1:[0-9]*\).*/\1/p' "$work/registry.log" | head -n 1)
    [ -n "$registry" ] || gone "$registry_pid"
}
until_true 20 registry_address || :
[ -n "$registry" ] || fail "the registry did not start within 20 s"
echo "registry   http://$registry"
image=$registry/demo/shop

(umask 077 && openssl rand -hex 20 >"$work/secret")
cat >"$work/slipway.yaml" <<END
listen: 127.0.0.1:0
data: "$work/data"
engine: $engine
registries:
  "$registry": {insecure: true}
repositories:
  demo/shop:
    source: "$work/shop.git"
    image: "$image"
    webhook_secret: {file: "$work/secret"}
    rules:
      - branch: main
        tags: [latest]
END

# Without the user's own settings, which might sign commits or name branches otherwise.
git_here() { env GIT_CONFIG_GLOBAL=/dev/null git -c user.name=Demo -c user.email=demo@example.com "$@"; }
git_here init -q --bare -b main "$work/shop.git"

"$binary" serve --config "$work/slipway.yaml" >"$work/address" 2>"$work/slipway.log" &
slipway_pid=$!
slipway_ready() {
    SLIPWAY_URL=$(sed -n '/^http:\/\//{p;q;}' "$work/address")
    if [ -n "$SLIPWAY_URL" ] && get 5 "$SLIPWAY_URL/readyz" >/dev/null 2>&1; then return; fi
    gone "$slipway_pid"
}
until_true 60 slipway_ready || fail "slipway serve was not ready within 60 s"
if gone "$slipway_pid"; then
    slipway_pid=''
    fail "slipway serve ended at once"
fi
export SLIPWAY_URL
echo "slipway    $SLIPWAY_URL"

# ---- a repository with the shipped hook, and a push ----

cp hooks/post-receive "$work/shop.git/hooks/post-receive"
chmod 755 "$work/shop.git/hooks/post-receive"
git_here -C "$work/shop.git" config slipway.url "$SLIPWAY_URL"
git_here -C "$work/shop.git" config slipway.repository demo/shop
git_here -C "$work/shop.git" config slipway.secretFile "$work/secret"
git_here clone -q "$work/shop.git" "$work/shop" 2>/dev/null
tree=$work/shop
git_here -C "$tree" symbolic-ref HEAD refs/heads/main
mkdir "$tree/www"
cp "$(command -v busybox)" "$tree/busybox"
echo '<h1>Pushed, built, there.</h1>' >"$tree/www/index.html"
cat >"$tree/Dockerfile" <<'END'
FROM scratch
COPY busybox /bin/busybox
COPY www /www
CMD ["/bin/busybox", "httpd", "-f", "-p", "8000", "-h", "/www"]
END

# push MESSAGE: commits all and pushes; the hook's line in the push's output tells the number in $build.
push() {
    git_here -C "$tree" add -A
    git_here -C "$tree" commit -q -m "$1"
    echo "\$ git push origin main"
    git_here -C "$tree" push origin main 2>&1 | tee "$work/push" || fail "git push failed: see above"
    build=$(sed -n 's/.*slipway: main -> build \([0-9][0-9]*\) .*/\1/p' "$work/push" | head -n 1)
    [ -n "$build" ] || fail "the hook of the pushed repository did not tell of a build"
}

# follow: shows each state of $build with its time, as it comes; sets $state to the one it ended in.
follow() {
    local deadline=$((SECONDS + 300)) shown=' ' json step name at
    state=
    while :; do
        # Not an answer but a timeout, or a service that ended: the deadline decides.
        json=$(get 40 "$SLIPWAY_URL/api/v1/builds/$build?wait=30s") || json=
        if gone "$slipway_pid"; then fail "slipway serve ended while build $build ran"; fi
        state=$(value state <<<"$json")
        for step in pending:created_at building:started_at pushing:pushing_at "$state:finished_at"; do
            name=${step%:*}
            at=$(value "${step#*:}" <<<"$json")
            case $at:$shown in
            null:* | :* | *" $name "*) ;;
            *)
                at=${at#*T}
                printf '  %-13s build %s %s\n' "${at%Z}" "$build" "$name"
                shown+="$name "
                ;;
            esac
        done
        case $state in finished | failed | cancelled | superseded) return ;; esac
        [ "$SECONDS" -lt "$deadline" ] || fail "build $build has not ended after 300 s: it is still ${state:-unknown}"
    done
}

heading "A push becomes an image"
push "The first page"
follow
echo
echo "\$ slipway logs $build"
"$binary" logs "$build" || [ "$state" != finished ] || fail "slipway logs $build failed"
[ "$state" = finished ] || fail "build $build is $state, not finished"
echo
echo "\$ slipway status"
"$binary" status || fail "slipway status failed"

# manifest NAME: the digest that the registry has under it, as it says and as its bytes say.
manifest() {
    local type=application/vnd says
    curl -q -fsS --noproxy '*' --max-time 20 -D "$work/headers" -o "$work/manifest" \
        -H "Accept: $type.oci.image.manifest.v1+json, $type.oci.image.index.v1+json" \
        -H "Accept: $type.docker.distribution.manifest.v2+json, $type.docker.distribution.manifest.list.v2+json" \
        "http://$registry/v2/demo/shop/manifests/$1" || return 1
    says=$(tr -d '\r' <"$work/headers" | sed -n 's/^[Dd]ocker-[Cc]ontent-[Dd]igest: *//p')
    [ "$says" = "sha256:$(sha256sum <"$work/manifest" | cut -d ' ' -f 1)" ] && printf '%s\n' "$says"
}
heading "Read back from the registry"
json=$(get 20 "$SLIPWAY_URL/api/v1/builds/$build") || fail "the service does not tell of build $build any more"
digest=$(value digest <<<"$json")
commit_tag=$(value commit_tag <<<"$json")
case $digest in sha256:*) ;; *) fail "build $build is finished without a digest" ;; esac
for name in latest "$commit_tag"; do
    found=$(manifest "$name") || fail "the registry does not give $image:$name"
    echo "$image:$name  $found"
    [ "$found" = "$digest" ] || fail "build $build made $digest, but $image:$name is $found"
done

heading "A push that can't be built says why"
sed 's,^COPY www /www$,COPY pages /www,' "$tree/Dockerfile" >"$work/Dockerfile"
cp "$work/Dockerfile" "$tree/Dockerfile"
broken_line=$(grep -n 'COPY pages' "$tree/Dockerfile")
push "Take the pages from a folder that isn't there"
follow
[ "$state" = failed ] || fail "build $build copies a folder that isn't there, but is $state, not failed"
echo
echo "\$ slipway status $build        # Dockerfile:$broken_line"
ended=0
"$binary" status "$build" || ended=$?
[ "$ended" -eq 3 ] || fail "slipway status $build ended with $ended, and a failed build is 3"
found=$(manifest latest) || fail "the registry does not give $image:latest any more"
[ "$found" = "$digest" ] || fail "the failed build moved $image:latest to $found"
echo
echo "$image:latest is still the image of the last good push."

if [ -n "$keep" ]; then
    heading "Kept"
    printf '%s\n' "slipway     $SLIPWAY_URL   process $slipway_pid, settings $work/slipway.yaml" \
        "registry    http://$registry   process $registry_pid" \
        "work tree   $tree   (commit there and git push origin main)" \
        "ask it      export SLIPWAY_URL=$SLIPWAY_URL; $binary status --watch" \
        "stop it     kill $slipway_pid $registry_pid; rm -rf $work"
    trap - EXIT INT TERM
    exit 0
fi
heading "Done: stopping and removing all of it"
