#!/bin/sh
# Stops what start_container.sh started, and removes its container. The data stay in the volume.
# Needs a POSIX shell and docker. `stop_container.sh --help` tells the options.
set -eu

PROGRAM=stop_container.sh
name=live-vlm-webui
remove_data='' dry_run='' yes=''

usage() {
    cat <<USAGE
Usage: $PROGRAM [OPTIONS]

Stops live-vlm-webui and removes its container. What it stored stays in the volume, for the next start.

  --name NAME      the container's name (default: $name)
  --remove-data    remove the volume NAME-data too; asks first
  --yes            answer that question
  --dry-run        print the commands that would run, and leave
  -h, --help       print this and leave
USAGE
}

die() {
    printf '%s: %s\n' "$PROGRAM" "$*" >&2
    exit 1
}

misused() {
    printf '%s: %s\nUsage: %s [OPTIONS]; --help tells the options.\n' "$PROGRAM" "$*" "$PROGRAM" >&2
    exit 2
}

require_docker() {
    if ! command -v docker >/dev/null 2>&1; then
        die "There is no docker on this machine, so nothing runs in it."
    fi
    answer=$(docker version --format '{{.Server.Version}}' 2>&1) && return
    case $answer in
        *'permission denied'*)
            die "You may not use docker: permission denied on its socket. Run \`sudo usermod -aG docker \$USER\`, log out" \
                "and in again, then run this again."
            ;;
        *'annot connect to the Docker daemon'* | *'failed to connect to the docker API'* | *'daemon running'*)
            die "Docker's daemon does not answer${DOCKER_HOST:+ at $DOCKER_HOST}: if it is stopped, no container runs."
            ;;
        *) die "Docker does not work: $answer" ;;
    esac
}

has_container() { docker container inspect "$1" >/dev/null 2>&1; }

has_volume() { docker volume inspect "$name-data" >/dev/null 2>&1; }

# Asks before anything is stopped.
agree_to_remove_data() {
    if [ -z "$remove_data" ] || [ -n "$yes" ] || ! has_volume; then
        return
    fi
    if ! { [ -t 0 ] && [ -t 2 ]; }; then
        die "--remove-data asks first, and there is no terminal to ask on. Give --yes to remove the volume $name-data."
    fi
    printf 'Remove the volume %s, with the settings and certificates in it, for ever? [y/N] ' "$name-data" >&2
    read -r answer || answer=''
    case $answer in
        y | Y | yes | Yes | YES) ;;
        *)
            printf 'Nothing was changed.\n' >&2
            exit 1
            ;;
    esac
}

# The second name is what a killed run of start_container.sh can leave.
stop_and_remove() {
    stopped=''
    for container in "$name" "$name-replaced"; do
        if has_container "$container"; then
            docker stop "$container" >/dev/null || die "$container could not be stopped; docker says why above."
            docker rm "$container" >/dev/null || die "$container is stopped but could not be removed; docker says why above."
            stopped=yes
        fi
    done
    if [ -n "$stopped" ]; then
        printf 'Stopped %s.\n' "$name"
    else
        printf 'There is no container named %s: nothing to stop.\n' "$name"
    fi
}

remove_volume() {
    if ! has_volume; then
        return
    fi
    if [ -z "$remove_data" ]; then
        printf 'Its data stay in the volume %s.\n' "$name-data"
    else
        docker volume rm "$name-data" >/dev/null || die "The volume $name-data could not be removed; docker says why above."
        printf 'Removed the volume %s.\n' "$name-data"
    fi
}

while [ $# -gt 0 ]; do
    case $1 in
        --name)
            [ $# -gt 1 ] || misused "--name needs a value."
            name=$2
            shift
            ;;
        --name=*) name=${1#*=} ;;
        --remove-data) remove_data=yes ;;
        --yes) yes=yes ;;
        --dry-run) dry_run=yes ;;
        -h | --help) usage && exit 0 ;;
        -*) misused "Unknown option: $1" ;;
        *) misused "Unexpected argument: $1" ;;
    esac
    shift
done
case $name in
    '' | [!A-Za-z0-9]* | *[!A-Za-z0-9_.-]*)
        misused "\"$name\" cannot be a container's name: letters, digits, dots and dashes."
        ;;
esac

if [ -n "$dry_run" ]; then
    printf 'docker stop %s\ndocker rm %s\n' "$name" "$name"
    if [ -n "$remove_data" ]; then printf 'docker volume rm %s\n' "$name-data"; fi
    exit 0
fi
require_docker
agree_to_remove_data
stop_and_remove
remove_volume
