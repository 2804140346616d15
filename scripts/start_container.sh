#!/bin/sh
# Start live-vlm-webui in a container: detect the platform, the version to run and the GPU flags.
# Needs a POSIX shell, docker, and curl, GNU wget or python3. `start_container.sh --help` lists the options.
#
# Environment, for tests and mirrors:
#   LIVE_VLM_SYSROOT        prefix of the system files that identify the platform (/etc, /proc, /dev); empty: this machine
#   LIVE_VLM_RELEASES_URL   the release list, in GitHub's format, used if the registry does not respond
set -eu
LC_ALL=C
export LC_ALL

PROGRAM=start_container.sh
SYSROOT=${LIVE_VLM_SYSROOT-}
RELEASES_URL=${LIVE_VLM_RELEASES_URL:-https://api.github.com/repos/NVIDIA-AI-IOT/live-vlm-webui/releases?per_page=100}
PLATFORMS='multiarch jetson-orin jetson-thor mac'
MAX_PAGES=30
MAX_SHOWN=15
SHOWN_LOG_LINES=20

registry=ghcr.io/nvidia-ai-iot/live-vlm-webui
name=live-vlm-webui
wanted='' platform='' network='' timeout=90
list_only='' skip_pick='' dry_run='' replace='' no_gpu=''

usage() {
    cat <<USAGE
Usage: $PROGRAM [OPTIONS] [-- ARGUMENTS FOR live-vlm-webui]

Start live-vlm-webui in a container, wait until it is healthy and print its address.
On a terminal, ask for the version; otherwise start the latest final version.

  --version X            start version X (0.2.0, 0.3.0-rc.1), or latest, the highest final version
  --skip-version-pick    start the latest final version without asking
  --list-versions        print the versions for this platform, newest first, and exit
  --dry-run              print the commands without running them; contacts the registry, but not docker
  --replace              stop and replace a running container without asking
  --no-gpu               start without the GPU
  --network NAME         host for this machine's own network (default, except on a Mac), or a docker network such as
                         bridge, which publishes the port on this machine's loopback interface and requires signing in
  --platform P           multiarch, jetson-orin, jetson-thor or mac (default: detected)
  --registry HOST[:PORT]/NAME
                         location of the images (default: $registry)
  --name NAME            name of the container; its volume is NAME-data (default: $name)
  --timeout SECONDS      time limit for becoming healthy (default: $timeout)
  -h, --help             print this help and exit

Examples:
  $PROGRAM --version latest
  $PROGRAM --version 0.2.0 -- --port 8091
USAGE
}

note() { printf '%s\n' "$*" >&2; }

die() {
    printf '%s: %s\n' "$PROGRAM" "$*" >&2
    exit 1
}

misused() {
    printf '%s: %s\nUsage: %s [OPTIONS] [-- ARGUMENTS FOR live-vlm-webui]; --help lists the options.\n' \
        "$PROGRAM" "$*" "$PROGRAM" >&2
    exit 2
}

on_terminal() { [ -t 0 ] && [ -t 2 ]; }

# --- This machine ---------------------------------------------------------------------------------------------------

find_platform() {
    system=$(uname -s)
    machine=$(uname -m)
    if [ -z "$platform" ]; then
        platform=$(name_platform)
    fi
    suffix=''
    if [ "$platform" != multiarch ]; then
        suffix=-$platform
    fi
}

name_platform() {
    case $system/$machine in
        Darwin/arm64) echo mac ;;
        Darwin/x86_64) echo multiarch ;;
        Linux/x86_64 | Linux/amd64) echo multiarch ;;
        Linux/aarch64 | Linux/arm64) name_arm64_platform ;;
        Linux/*) die "There is no image for $machine processors -> Use an x86_64 or arm64 machine." ;;
        *) die "There is no image for $system -> On Windows, run this inside WSL 2." ;;
    esac
}

# A Jetson is identified by its device tree or, if hidden, by its Jetson Linux release (R34 to R36: Orin, R38: Thor).
# Other arm64 machines (DGX Spark, servers) have neither.
name_arm64_platform() {
    tree=''
    for file in model compatible; do
        if [ -r "$SYSROOT/proc/device-tree/$file" ]; then
            tree="$tree $(tr '\0' ' ' <"$SYSROOT/proc/device-tree/$file")"
        fi
    done
    release=''
    if [ -r "$SYSROOT/etc/nv_tegra_release" ]; then
        release=$(sed -n 's/^# *R\([0-9][0-9]*\).*/\1/p' "$SYSROOT/etc/nv_tegra_release")
    fi
    case $tree in
        *tegra234* | *Orin*) echo jetson-orin ;;
        *tegra264* | *Thor*) echo jetson-thor ;;
        *nvidia,tegra* | *Jetson*) die "There is no image for this Jetson ($tree ), only for Jetson Orin and Thor" ;;
        *)
            case $release in
                '') echo multiarch ;;
                34 | 35 | 36) echo jetson-orin ;;
                38 | 39) echo jetson-thor ;;
                *) die "There is no image for Jetson Linux R$release, only for Jetson Orin and Thor ->" \
                    "Set --platform if this is one of them." ;;
            esac
            ;;
    esac
}

has_nvidia_gpu() {
    [ "$system" = Linux ] || return 1
    [ -e "$SYSROOT/proc/driver/nvidia/version" ] || [ -e "$SYSROOT/dev/nvidiactl" ] ||
        { [ -e "$SYSROOT/dev/dxg" ] && [ -e "$SYSROOT/usr/lib/wsl/lib/nvidia-smi" ]; }
}

find_network() {
    if [ -z "$network" ]; then
        network=host
        # On a Mac the engine is in a virtual machine with its own network.
        if [ "$system" = Darwin ]; then network=bridge; fi
    fi
}

# find_port ARGUMENT...: the port on which live-vlm-webui will listen with these arguments
find_port() {
    port=8090
    while [ $# -gt 0 ]; do
        case $1 in
            --port) port=${2-} ;;
            --port=*) port=${1#*=} ;;
        esac
        shift
    done
    case $port in
        '' | 0* | *[!0-9]*) misused "With --network $network the port must be known -> Set --port to 1 to 65535." ;;
    esac
}

find_gpu() {
    gpu=none
    if [ -n "$no_gpu" ]; then
        return
    fi
    case $platform in
        jetson-*) gpu=runtime ;;
        *) if has_nvidia_gpu; then gpu=all; fi ;;
    esac
}

# --- The container engine -------------------------------------------------------------------------------------------

require_docker() {
    if ! command -v docker >/dev/null 2>&1; then
        case $system in
            Darwin) die "docker is not installed -> Install and open Docker Desktop, then rerun this script." ;;
            *) die "docker is not installed -> Install Docker Engine (https://docs.docker.com/engine/install/)," \
                "then rerun this script." ;;
        esac
    fi
    answer=$(docker version --format '{{.Server.Version}}' 2>&1) && return
    case $answer in
        *'permission denied'*)
            die "Permission denied on docker's socket -> Run \`sudo usermod -aG docker \$USER\`, log out and in again," \
                "then rerun this script."
            ;;
        *'annot connect to the Docker daemon'* | *'failed to connect to the docker API'* | *'daemon running'*)
            case $system in
                Darwin) repair='Open Docker Desktop' ;;
                *) repair="Run \`sudo systemctl start docker\`" ;;
            esac
            die "The Docker daemon does not respond${DOCKER_HOST:+ at $DOCKER_HOST} -> $repair if it is stopped, then rerun this" \
                "script."
            ;;
        *) die "docker failed: $answer" ;;
    esac
}

require_gpu_support() {
    [ "$gpu" != none ] || return 0
    case " $(docker info --format '{{range $name, $_ := .Runtimes}}{{$name}} {{end}}') " in
        *' nvidia '*) return ;;
    esac
    # `--gpus` also works with only the hook, which `docker info` does not show.
    if [ "$gpu" = all ] && command -v nvidia-container-runtime-hook >/dev/null 2>&1; then
        return
    fi
    die_without_runtime
}

die_without_runtime() {
    note "$PROGRAM: Docker has no nvidia runtime, which containers need for the GPU -> Install it:"
    note "  sudo apt-get install -y nvidia-container-toolkit"
    note "  sudo nvidia-ctk runtime configure --runtime=docker"
    note "  sudo systemctl restart docker"
    note "(see https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/ if there is no such package)"
    note "Then rerun this script, or start without the GPU: --no-gpu"
    exit 1
}

# Print running, exited, ...; nothing if there is no such container.
state_of() { docker container inspect --format '{{.State.Status}}' "$1" 2>/dev/null || :; }

is_up() {
    case $1 in
        running | restarting | paused) return 0 ;;
        *) return 1 ;;
    esac
}

# --- HTTP -----------------------------------------------------------------------------------------------------------

# is_loopback HOST[:PORT]
is_loopback() {
    case $1 in
        '[::1]' | '[::1]:'*) return 0 ;;
    esac
    case ${1%%:*} in
        localhost) return 0 ;;
        127.*[!0-9.]*) return 1 ;;
        127.*) return 0 ;;
        *) return 1 ;;
    esac
}

# host_of URL: HOST[:PORT]
host_of() {
    rest=${1#*://}
    printf '%s\n' "${rest%%[/?#]*}"
}

# http_get URL [TOKEN]: set http_status, empty without a response (http_trouble then has the reason); write the response to
# $work/body and $work/head. Do not follow redirects. Use plain HTTP only on loopback, and there without a proxy. With
# `unproven` set, which is for loopback, accept any certificate.
http_get() {
    http_status='' http_trouble=''
    loopback=''
    if is_loopback "$(host_of "$1")"; then loopback=yes; fi
    case $1 in
        *@*) http_trouble="$1 contains a user name" && return ;;
        https://*) ;;
        http://*)
            if [ -z "$loopback" ]; then
                http_trouble="$1 is not encrypted" && return
            fi
            ;;
        *) http_trouble="$1 is not a URL" && return ;;
    esac
    : >"$work/head"
    : >"$work/body"
    if command -v curl >/dev/null 2>&1; then
        get_with_curl "$@"
    elif wget --version 2>/dev/null | grep -q '^GNU Wget'; then
        get_with_wget "$@"
    elif command -v python3 >/dev/null 2>&1; then
        get_with_python "$@"
    else
        die "curl, GNU wget or python3 is required to list versions -> Install one of them."
    fi
    if [ -z "$http_status" ]; then
        http_trouble=$(sed -n '$p' "$work/http.err")
        http_trouble="$(host_of "$1") does not respond (${http_trouble:-no reason given})"
    fi
}

get_with_curl() {
    target=$1
    set -- ${2:+--header "Authorization: Bearer $2"} ${loopback:+--noproxy '*'} ${unproven:+--insecure}
    http_status=$(curl --silent --show-error --globoff --connect-timeout 10 --max-time 30 --dump-header "$work/head" \
        --output "$work/body" --write-out '%{http_code}' "$@" -- "$target" 2>"$work/http.err") || http_status=''
}

get_with_wget() {
    target=$1
    set -- ${2:+--header="Authorization: Bearer $2"} ${loopback:+--no-proxy} ${unproven:+--no-check-certificate}
    wget --no-verbose --server-response --content-on-error --max-redirect=0 --tries=1 --timeout=10 \
        --output-document="$work/body" "$@" -- "$target" 2>"$work/http.err" || :
    sed -n 's/^  \([A-Za-z].*\)/\1/p' "$work/http.err" >"$work/head"
    http_status=$(sed -n 's|^HTTP/[0-9.]* \([0-9][0-9]*\).*|\1|p' "$work/head")
}

get_with_python() {
    http_status=$(python3 -c '
import ssl, sys, urllib.error, urllib.request
url, token, loopback, unproven, head, body = sys.argv[1:]
class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None
handlers = [NoRedirect()] + ([urllib.request.ProxyHandler({})] if loopback else [])
if unproven:
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    handlers.append(urllib.request.HTTPSHandler(context=trusting))
request = urllib.request.Request(url, headers={"Authorization": "Bearer " + token} if token else {})
try:
    answer = urllib.request.build_opener(*handlers).open(request, timeout=10)
except urllib.error.HTTPError as error:
    answer = error
except OSError as error:
    sys.exit(str(getattr(error, "reason", error)))
with answer, open(head, "w") as heads, open(body, "wb") as bodies:
    heads.write(str(answer.headers))
    bodies.write(answer.read())
print(answer.status)
' "$1" "${2-}" "$loopback" "$unproven" "$work/head" "$work/body" 2>"$work/http.err") || http_status=''
}

# header NAME: the header's value in the last response
header() {
    tr -d '\r' <"$work/head" | awk -v name="$1:" 'tolower(substr($0, 1, length(name))) == tolower(name) {
        value = substr($0, length(name) + 1); sub(/^[ \t]+/, "", value); print value; exit }'
}

# json_strings KEY: each string with that key in the last response's JSON. Sufficient for the responses read here: the
# values are tags, tokens and names; an escaped quote in other text is preceded by a backslash and does not match.
json_strings() {
    tr '\n' ' ' <"$work/body" | awk -v key="\"$1\"" '{
        text = $0
        while (match(text, key "[ \t]*:[ \t]*\"[^\"\\\\]*\"")) {
            value = substr(text, RSTART, RLENGTH)
            text = substr(text, RSTART + RLENGTH)
            sub(/"$/, "", value); sub(/^.*"/, "", value); print value
        } }'
}

# json_list KEY: each string of the list with that key in the last response's JSON
json_list() {
    { tr '\n' ' ' <"$work/body" && echo; } | sed -n "s/.*\"$1\"[^[]*\[\([^]]*\)\].*/\1/p" | tr ',' '\n' | tr -d '" '
}

# next_page: the URL in the last response's `Link: <...>; rel="next"`
next_page() {
    header Link | tr ',' '\n' | sed -n 's/.*<\([^>]*\)>;.*rel="\{0,1\}next.*/\1/p' | sed -n '1p'
}

# --- Versions -------------------------------------------------------------------------------------------------------

# Read the repository's tags from the registry into $work/tags. On failure, set trouble.
read_registry() {
    host=${registry%%/*}
    repository=${registry#*/}
    scheme=https
    if is_loopback "$host"; then scheme=http; fi
    base=$scheme://$host
    url="$base/v2/$repository/tags/list?n=1000"
    token='' trouble=''
    : >"$work/tags"
    pages=0
    while [ -n "$url" ]; do
        pages=$((pages + 1))
        http_get "$url" "$token"
        if [ "$http_status" = 401 ] && [ -z "$token" ]; then
            read_token
            [ -z "$trouble" ] || return 0
            http_get "$url" "$token"
        fi
        case $http_status in
            200) ;;
            '') trouble=$http_trouble ;;
            404) die "The registry $host has no images named $repository -> Check the spelling of --registry." ;;
            401 | 403) trouble="$host requires a login for $repository" ;;
            *) trouble="$host responded with HTTP $http_status" ;;
        esac
        [ -z "$trouble" ] || return 0
        json_list tags >>"$work/tags"
        url=$(next_page)
        case $url in
            /*) url=$base$url ;;
            '' | "$base"/*) ;;
            *) trouble="$host refers to another host for its list of tags: $url" && return ;;
        esac
        if [ $pages -ge $MAX_PAGES ] && [ -n "$url" ]; then
            trouble="the list of tags of $host does not end" && return
        fi
    done
}

# Get an anonymous token for reading from the URL in the registry's 401 response. Set token, or trouble.
read_token() {
    challenge=$(header WWW-Authenticate)
    realm=$(printf '%s\n' "$challenge" | sed -n 's/^[Bb]earer .*realm="\([^"]*\)".*/\1/p')
    service=$(printf '%s\n' "$challenge" | sed -n 's/.*service="\([^"]*\)".*/\1/p' | sed 's/%/%25/g; s/ /%20/g; s/[&]/%26/g; s/#/%23/g; s/+/%2B/g')
    if [ -z "$realm" ]; then
        trouble="$host requires a login for $repository" && return
    fi
    http_get "$realm?service=$service&scope=repository:$repository:pull"
    if [ "$http_status" = 200 ]; then
        token=$({ json_strings token && json_strings access_token; } | sed -n '1p')
    fi
    case $token in
        '') trouble="$host issued no token for reading $repository (${http_trouble:-$(host_of "$realm") responded with HTTP $http_status})" ;;
        *[!A-Za-z0-9._~+/=-]*) trouble="$host issued an invalid token" ;;
    esac
}

# Read the releases' tags (v0.2.0) from the forge into $work/tags, without the v. On failure, set trouble.
read_releases() {
    url=$RELEASES_URL
    trouble=''
    : >"$work/tags"
    pages=0
    while [ -n "$url" ] && [ $pages -lt $MAX_PAGES ]; do
        pages=$((pages + 1))
        http_get "$url"
        case $http_status in
            200) json_strings tag_name | sed 's/^v//' >>"$work/tags" ;;
            '') trouble=$http_trouble && return ;;
            *) trouble="$(host_of "$url") responded with HTTP $http_status" && return ;;
        esac
        url=$(next_page)
    done
}

# sort_versions SUFFIX: the versions among the tags on stdin that end in SUFFIX, without it, newest first, by SemVer: alpha,
# beta, rc, final. Releases have no other pre-releases; anything else after a dash is another platform's suffix.
sort_versions() {
    awk -v suffix="$1" '{
        end = length($0) - length(suffix)
        if (end < 1 || substr($0, end + 1) != suffix) next
        version = substr($0, 1, end)
        if (version !~ /^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-(alpha|beta|rc)(\.(0|[1-9][0-9]*))?)?$/) next
        parts = split(version, part, /[.-]/)
        rank = 3
        if (parts > 3) rank = (part[4] == "alpha") ? 0 : (part[4] == "beta") ? 1 : 2
        print part[1], part[2], part[3], rank, (parts > 4 ? part[5] : -1), version
    }' | sort -u | sort -k 1,1nr -k 2,2nr -k 3,3nr -k 4,4nr -k 5,5nr | awk '{ print $6 }'
}

# Write this platform's versions to $work/versions, newest first.
read_versions() {
    read_registry
    if [ -z "$trouble" ]; then
        sort_versions "$suffix" <"$work/tags" >"$work/versions"
        [ ! -s "$work/versions" ] || return 0
        others=''
        for other in $PLATFORMS; do
            other_suffix=-$other
            if [ "$other" = multiarch ]; then other_suffix=''; fi
            if [ -n "$(sort_versions "$other_suffix" <"$work/tags")" ]; then others="$others $other"; fi
        done
        die "$registry has no version for $platform -> Choose another --platform; it has versions for:${others:- no platform}."
    fi
    registry_trouble=$trouble
    read_releases
    if [ -z "$trouble" ]; then
        note "The registry's list of versions cannot be read: $registry_trouble. Using the list of releases."
        sort_versions '' <"$work/tags" >"$work/versions"
        [ ! -s "$work/versions" ] || return 0
        trouble='the list of releases is empty'
    fi
    : >"$work/versions"
    trouble="Versions cannot be listed: $registry_trouble; the list of releases cannot be read either: $trouble"
}

latest_final() { grep -v -e - "$work/versions" | sed -n '1p'; }

# Print the versions around the one that does not exist, or the newest if it is not a version.
nearest_versions() {
    { cat "$work/versions" && printf '%s\n' "$1"; } | sort_versions '' | awk -v wanted="$1" '
        { version[NR] = $0; if ($0 == wanted) at = NR }
        END {
            first = at ? at - 2 : 1; last = at ? at + 2 : 5
            for (i = first; i <= last; i++) if (i in version && i != at) printf " %s", version[i]
        }'
}

# Set version from --version, from the user's choice on the terminal, or to the latest final one.
choose_version() {
    trouble=''
    read_versions
    if [ -n "$trouble" ]; then
        # Without a list, a given version whose image is on this machine can still be started.
        if [ -n "$wanted" ] && [ "$wanted" != latest ] && [ -z "$dry_run" ] && has_image "$wanted"; then
            note "$trouble. Starting the image that is already on this machine."
            version=$wanted
            return
        fi
        die "$trouble -> Check the network connection and rerun this script."
    fi
    latest=$(latest_final)
    if [ -z "$wanted" ] && [ -z "$skip_pick" ] && on_terminal; then
        pick_version
        return
    fi
    case $wanted in
        '' | latest)
            version=$latest
            [ -n "$version" ] || die "There is no final version for $platform yet -> Choose a pre-release with --version:$(
                sed 's/^/ /' "$work/versions" | tr -d '\n')."
            ;;
        *)
            version=$wanted
            grep -Fqx -e "$version" "$work/versions" || die "There is no version $version for $platform; the nearest are:$(
                nearest_versions "$version") -> List all versions: $PROGRAM --list-versions"
            ;;
    esac
}

has_image() { docker image inspect "$registry:$1$suffix" >/dev/null 2>&1; }

pick_version() {
    count=$(awk 'END { print NR }' "$work/versions")
    note "Versions for $platform:"
    awk -v latest="$latest" -v most=$MAX_SHOWN 'NR <= most {
        printf "%4d) %s%s\n", NR, $0, ($0 == latest) ? "  (latest)" : "" }' "$work/versions" >&2
    if [ "$count" -gt $MAX_SHOWN ]; then note "      and $((count - MAX_SHOWN)) older versions"; fi
    while :; do
        printf 'Number or version%s, q to quit: ' "${latest:+, Enter for $latest}" >&2
        read -r answer || { note '' && exit 1; }
        case $answer in
            q | Q | quit) note 'Nothing was started.' && exit 1 ;;
            '') version=$latest ;;
            *[!0-9]*) version=$(grep -Fx -e "${answer#v}" "$work/versions" || :) ;;
            *) version=$(awk -v number="$answer" 'NR == number' "$work/versions") ;;
        esac
        [ -z "$version" ] || return 0
        note "\"$answer\" is not in the list."
    done
}

# --- Starting -------------------------------------------------------------------------------------------------------

# Replacing renames the old container and removes it only when the new one is healthy.
refuse_to_replace_unasked() {
    old_state=$(state_of "$name")
    if [ -z "$old_state" ] && [ -n "$(state_of "$name-replaced")" ]; then
        docker rename "$name-replaced" "$name" # left behind by a killed run
        old_state=$(state_of "$name")
    fi
    if is_up "$old_state" && [ -z "$replace" ] && ! on_terminal; then
        die "A container named $name is already running -> Replace it with --replace, or stop it with stop_container.sh."
    fi
}

ask_to_replace() {
    is_up "$old_state" && [ -z "$replace" ] || return 0
    note "A container named $name is running: $(docker container inspect --format '{{.Config.Image}}' "$name")"
    printf 'Replace it with %s? [y/N] ' "$image" >&2
    read -r answer || answer=''
    case $answer in
        y | Y | yes | Yes | YES) ;;
        *) note 'Nothing was changed.' && exit 1 ;;
    esac
}

pull_image() {
    if docker pull "$image" >&2; then
        return
    fi
    has_image "$version" || die "The image $image cannot be pulled -> See docker's message above."
    note "The image cannot be pulled. Starting the copy that is already on this machine."
}

move_old_aside() {
    [ -n "$old_state" ] || return 0
    replacing=yes
    docker container rm --force "$name-replaced" >/dev/null 2>&1 || :
    docker stop "$name" >/dev/null
    docker rename "$name" "$name-replaced"
}

start_new() {
    creating=asked
    if "$@" >/dev/null 2>"$work/run.err"; then
        creating=answered
        return
    fi
    creating=answered
    if grep -q -e 'could not select device driver' -e 'unknown or invalid runtime name' "$work/run.err"; then
        die_without_runtime
    fi
    die "The container cannot be started: $(cat "$work/run.err")"
}

# Wait until the image's health check passes or, without one, until the address responds.
wait_until_healthy() {
    note "Waiting up to $timeout s for it to become healthy."
    deadline=$(($(date +%s) + timeout))
    while :; do
        # Docker's warnings on stderr are not part of the state.
        state=$(docker container inspect "$name" 2>/dev/null \
            --format '{{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}') || :
        address=$(docker logs "$name" 2>&1 | sed -n 's/.* is ready: \(http[^ ]*\).*/\1/p' | sed -n '$p')
        address=${address:-https://127.0.0.1:8090/}
        case $state in
            'running healthy') return ;;
            'running none') if answers "$address"; then return; fi ;;
            'running unhealthy') show_failure 'it is unhealthy' ;;
            running*) ;;
            *)
                state=${state% *}
                show_failure "it stopped (${state:-gone})"
                ;;
        esac
        if [ "$(date +%s)" -ge "$deadline" ]; then show_failure "it did not become healthy within $timeout s"; fi
        sleep 1
    done
}

# The server's certificate is self-signed.
answers() {
    unproven=yes
    http_get "${1}healthz"
    unproven=''
    [ "$http_status" = 200 ]
}

show_failure() {
    note "Last lines of its log:"
    docker logs --tail $SHOWN_LOG_LINES "$name" 2>&1 | sed 's/^/  | /' >&2
    again=''
    if [ -n "$replacing" ] && is_up "$old_state"; then again=' The previous one was restarted.'; fi
    die "$image did not start: $1. Its container was removed.$again"
}

print_address() {
    case ${DOCKER_HOST-} in
        ssh://* | tcp://*) note "It runs on the machine of $DOCKER_HOST; open the address there." ;;
        *) answers "$address" || warn_unreachable ;;
    esac
    printf 'live-vlm-webui %s is ready: %s\n' "$version" "$address"
    code=$(docker logs "$name" 2>&1 | sed -n 's|.*/#code=\([A-Za-z0-9_-]*\).*|\1|p' | sed -n '$p')
    if [ -n "$code" ]; then
        note "Sign in once, within 10 minutes: $address#code=$code"
        note "Or use the token: docker exec $name cat /data/token"
    fi
    note "Log: docker logs -f $name    Stop: stop_container.sh${default_name:- --name $name}"
}

warn_unreachable() {
    note "$PROGRAM: The container $name is healthy, but $address does not respond on this machine"
    if [ "$network" != host ]; then
        note "-> Check \`docker port $name\`, and its arguments --host and --port."
    elif [ "$system" = Darwin ]; then
        say_mac_setting
    else
        note "-> If docker runs rootless or in a virtual machine (Docker Desktop), use --network bridge or enable host" \
            "networking there."
    fi
    exit 1
}

say_mac_setting() {
    note "On a Mac, --network host needs Docker Desktop 4.34 or later, with Settings > Resources > Network > \"Enable host" \
        "networking\" enabled."
}

# If Ctrl-C ended the docker client early, the engine may still be creating the container.
remove_new() {
    for _ in 1 2 3 4 5; do
        if [ -n "$(state_of "$name")" ]; then
            docker container rm --force "$name" >/dev/null 2>&1 || :
            if [ -z "$(state_of "$name")" ]; then return; fi
        elif [ "$creating" = answered ]; then
            return
        fi
        sleep 1
    done
}

# Run at every exit. Undo what was started and not finished: remove the new container, restore the old one.
clean_up() {
    status=$?
    trap '' INT TERM HUP
    if [ -n "$creating" ]; then remove_new; fi
    if [ -n "$replacing" ]; then
        if [ -n "$(state_of "$name-replaced")" ]; then
            docker rename "$name-replaced" "$name" || :
        fi
        if is_up "$old_state"; then docker start "$name" >/dev/null || :; fi
    fi
    rm -rf "$work"
    exit $status
}

# quoted ARGUMENT...: one line that a shell parses to these arguments
quoted() {
    separator=''
    for argument; do
        case $argument in
            '' | *[!A-Za-z0-9_@%+=:,./-]*)
                argument=\'$(printf '%s\n' "$argument" | sed "s/'/'\\\\''/g")\'
                ;;
        esac
        printf '%s%s' "$separator" "$argument"
        separator=' '
    done
    printf '\n'
}

# --- Options --------------------------------------------------------------------------------------------------------

unset value
while [ $# -gt 0 ]; do
    option=$1
    case $option in
        --version | --registry | --platform | --name | --network | --timeout)
            [ $# -gt 1 ] || misused "$option needs a value"
            value=$2
            shift
            ;;
        --version=* | --registry=* | --platform=* | --name=* | --network=* | --timeout=*)
            value=${option#*=}
            option=${option%%=*}
            ;;
    esac
    shift
    case $option in
        --version) wanted=${value#v} value=${value#v} ;;
        --registry) registry=$(printf '%s\n' "$value" | tr '[:upper:]' '[:lower:]') ;;
        --platform) platform=$value ;;
        --name) name=$value ;;
        --network) network=$value ;;
        --timeout) timeout=$value ;;
        --list-versions) list_only=yes ;;
        --skip-version-pick) skip_pick=yes ;;
        --dry-run) dry_run=yes ;;
        --replace) replace=yes ;;
        --no-gpu) no_gpu=yes ;;
        -h | --help) usage && exit 0 ;;
        --) break ;;
        -*) misused "Unknown option: $option" ;;
        *) misused "Unexpected argument: $option (put arguments for live-vlm-webui after --)" ;;
    esac
    if [ "${value-x}" = '' ]; then misused "$option needs a value"; fi
    unset value
done
case $registry in
    /* | */ | *//* | *[!a-z0-9._:/-]*) misused "--registry must be HOST[:PORT]/NAME, not \"$registry\"" ;;
esac
case ${registry%%/*} in
    "$registry") misused "--registry must be HOST[:PORT]/NAME, not \"$registry\"" ;;
    *[.:]* | localhost) ;;
    *) misused "--registry must be HOST[:PORT]/NAME; \"${registry%%/*}\" is not a host" ;;
esac
case ${registry#*/} in
    *:*) misused "--registry must not have a tag -> Choose the version with --version." ;;
esac
case " $PLATFORMS " in
    *" ${platform:-mac} "*) ;;
    *) misused "--platform must be one of: $PLATFORMS; not \"$platform\"" ;;
esac
case $name in
    [!A-Za-z0-9]* | *[!A-Za-z0-9_.-]*) misused "\"$name\" is not a valid container name -> Use letters, digits, dots and dashes." ;;
esac
case $network in
    [!A-Za-z0-9]* | *[!A-Za-z0-9_.-]*) misused "\"$network\" is not a valid network name" ;;
esac
case $timeout in
    *[!0-9]*) misused "--timeout must be a number of seconds, not \"$timeout\"" ;;
esac
timeout=${timeout#"${timeout%%[!0]*}"} # 090 would be read as octal
timeout=${timeout:-0}
default_name=''
if [ "$name" != live-vlm-webui ]; then default_name=" --name $name"; fi

# --- Main --------------------------------------------------------------------------------------------------------

work='' creating='' replacing='' old_state='' unproven=''
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP
trap clean_up EXIT
work=$(mktemp -d)

find_platform
find_network
if [ "$network" != host ]; then find_port "$@"; fi
if [ -n "$list_only" ]; then
    read_versions
    [ -z "$trouble" ] || die "$trouble -> Check the network connection and rerun this script."
    cat "$work/versions"
    exit 0
fi
find_gpu
if [ -z "$dry_run" ]; then
    require_docker
    require_gpu_support
    refuse_to_replace_unasked
fi
choose_version
image=$registry:$version$suffix

if [ "$network" = host ]; then
    set -- "$image" "$@"
else
    # In its own network, the container's loopback interface is not reachable; on all interfaces, signing in is required.
    set -- --publish "127.0.0.1:$port:$port" "$image" --host 0.0.0.0 "$@"
fi
case $gpu in
    runtime) set -- --runtime nvidia "$@" ;;
    all) set -- --gpus all "$@" ;;
esac
# This machine's own network: the browser's pictures arrive by UDP on ports that are not known in advance, model servers
# listen on this machine's loopback interface, and there this server requires no sign-in.
set -- docker run --detach --name "$name" --network "$network" --cap-drop ALL --security-opt no-new-privileges \
    --volume "$name-data:/data" "$@"

if [ "$system" = Darwin ] && [ "$network" = host ]; then say_mac_setting; fi
if [ -n "$dry_run" ]; then
    quoted docker pull "$image"
    quoted "$@"
    exit 0
fi
ask_to_replace
pull_image
move_old_aside
note "Starting $image"
start_new "$@"
wait_until_healthy
creating=''
if [ -n "$replacing" ]; then
    replacing=''
    docker container rm --force "$name-replaced" >/dev/null
fi
print_address
