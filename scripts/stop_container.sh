#!/bin/sh
# Stop the container of start_container.sh and remove it. The data remain in the volume.
# Needs a POSIX shell and docker. `stop_container.sh --help` lists the options.
set -eu

PROGRAM=stop_container.sh
name=live-vlm-webui
remove_data='' dry_run='' yes=''

usage() {
    cat <<USAGE
Usage: $PROGRAM [OPTIONS]

Stop live-vlm-webui and remove its container. Its data remain in the volume for the next start.

  --name NAME      name of the container (default: $name)
  --remove-data    also remove the volume NAME-data; asks first
  --yes            answer yes to that question
  --dry-run        print the commands without running them
  -h, --help       print this help and exit
USAGE
}

die() {
    printf '%s: %s\n' "$PROGRAM" "$*" >&2
    exit 1
}

misused() {
    printf '%s: %s\nUsage: %s [OPTIONS]; --help lists the options.\n' "$PROGRAM" "$*" "$PROGRAM" >&2
    exit 2
}

require_docker() {
    if ! command -v docker >/dev/null 2>&1; then
        die "docker is not installed, so no container is running"
    fi
    answer=$(docker version --format '{{.Server.Version}}' 2>&1) && return
    case $answer in
        *'permission denied'*)
            die "Permission denied on docker's socket -> Run \`sudo usermod -aG docker \$USER\`, log out and in again," \
                "then rerun this script."
            ;;
        *'annot connect to the Docker daemon'* | *'failed to connect to the docker API'* | *'daemon running'*)
            die "The Docker daemon does not respond${DOCKER_HOST:+ at $DOCKER_HOST}; if it is stopped, no container is running"
            ;;
        *) die "docker failed: $answer" ;;
    esac
}

has_container() { docker container inspect "$1" >/dev/null 2>&1; }

has_volume() { docker volume inspect "$name-data" >/dev/null 2>&1; }

# Ask before anything is stopped.
agree_to_remove_data() {
    if [ -z "$remove_data" ] || [ -n "$yes" ] || ! has_volume; then
        return
    fi
    if ! { [ -t 0 ] && [ -t 2 ]; }; then
        die "--remove-data needs confirmation, and stdin is not a terminal -> Add --yes to remove the volume $name-data."
    fi
    printf 'Permanently remove the volume %s with its settings and certificates? [y/N] ' "$name-data" >&2
    read -r answer || answer=''
    case $answer in
        y | Y | yes | Yes | YES) ;;
        *)
            printf 'Nothing was changed.\n' >&2
            exit 1
            ;;
    esac
}

# The second name may be left behind by a killed start_container.sh.
stop_and_remove() {
    stopped=''
    for container in "$name" "$name-replaced"; do
        if has_container "$container"; then
            docker stop "$container" >/dev/null || die "$container cannot be stopped -> See docker's message above."
            docker rm "$container" >/dev/null || die "$container is stopped but cannot be removed -> See docker's message above."
            stopped=yes
        fi
    done
    if [ -n "$stopped" ]; then
        printf 'Stopped %s.\n' "$name"
    else
        printf 'No container named %s; nothing to stop.\n' "$name"
    fi
}

remove_volume() {
    if ! has_volume; then
        return
    fi
    if [ -z "$remove_data" ]; then
        printf 'Its data remain in the volume %s.\n' "$name-data"
    else
        docker volume rm "$name-data" >/dev/null || die "The volume $name-data cannot be removed -> See docker's message above."
        printf 'Removed the volume %s.\n' "$name-data"
    fi
}

while [ $# -gt 0 ]; do
    case $1 in
        --name)
            [ $# -gt 1 ] || misused "--name needs a value"
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
        misused "\"$name\" is not a valid container name -> Use letters, digits, dots and dashes."
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
