from __future__ import annotations

import json
import os
import random
import shutil
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
import semver

PUBLISHED = "--publish 127.0.0.1:8090:8090"
OPTIONS = "--network host --cap-drop ALL --security-opt no-new-privileges --volume live-vlm-webui-data:/data"


# --- What it prints without an engine: `stub` is the registry ---------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "suffix", "gpu"),
    [
        ("PC with an NVIDIA GPU", "", "--gpus all "),
        ("PC without a GPU", "", ""),
        ("Windows PC with a GPU, in WSL", "", "--gpus all "),
        ("DGX Spark", "", "--gpus all "),
        ("arm64 server without a GPU", "", ""),
        ("Raspberry Pi", "", ""),
        ("Jetson Orin", "-jetson-orin", "--runtime nvidia "),
        ("Jetson Orin on another maker's board", "-jetson-orin", "--runtime nvidia "),
        ("Jetson Orin whose device tree is hidden", "-jetson-orin", "--runtime nvidia "),
        ("Jetson Thor", "-jetson-thor", "--runtime nvidia "),
        ("Jetson Thor whose device tree is hidden", "-jetson-thor", "--runtime nvidia "),
        ("Mac with Apple silicon", "-mac", ""),
        ("Mac with an Intel processor", "", ""),
    ],
)
def test_a_dry_run_prints_the_commands_for_each_machine(start, stub, machine, kind, suffix, gpu):
    stub.pages = [["0.2.0", "0.2.0-jetson-orin", "0.2.0-jetson-thor", "0.2.0-mac"]]
    image = f"{stub.repository}:0.2.0{suffix}"
    begin = f"docker pull {image}\ndocker run --detach --name live-vlm-webui"
    own = start("--dry-run", "--network", "host", "--registry", stub.repository, env=machine(kind))
    assert (own.returncode, own.stdout) == (0, f"{begin} {OPTIONS} {gpu}{image}\n")
    assert ("Enable host networking" in own.stderr) == kind.startswith("Mac")
    bridge = start("--dry-run", "--network", "bridge", "--registry", stub.repository, env=machine(kind))
    options = OPTIONS.replace("--network host", "--network bridge")
    assert bridge.stdout == f"{begin} {options} {gpu}{PUBLISHED} {image} --host 0.0.0.0\n"
    usual = start("--dry-run", "--registry", stub.repository, env=machine(kind))
    assert usual.stdout == (bridge if kind.startswith("Mac") else own).stdout


@pytest.mark.parametrize("words", [["--port", "9000"], ["--auto-port", "--port=9000", "--host", "::"]])
def test_the_port_that_is_published_is_the_one_that_the_program_is_given(start, stub, pc, words):
    stub.pages = [["0.2.0"]]
    done = start("--dry-run", "--network", "bridge", "--registry", stub.repository, "--", *words, env=pc)
    assert " --publish 127.0.0.1:9000:9000 " in done.stdout
    assert done.stdout.endswith(f"{stub.repository}:0.2.0 --host 0.0.0.0 {' '.join(words)}\n")


@pytest.mark.parametrize("port", ["0", "", "http"])
def test_a_port_that_is_not_known_cannot_be_published(start, stub, pc, port):
    done = start("--dry-run", "--network", "bridge", "--registry", stub.repository, "--", "--port", port, env=pc)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Set --port to 1 to 65535." in done.stderr


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("Jetson Xavier", "There is no image for this Jetson"),
        ("Jetson TX2 whose device tree is hidden", "There is no image for Jetson Linux R32"),
        ("32-bit board", "There is no image for armv7l processors"),
        ("Git Bash on Windows", "On Windows, run this inside WSL 2"),
    ],
)
def test_a_machine_without_an_image_is_told_so(start, stub, machine, kind, reason):
    done = start("--dry-run", "--registry", stub.repository, env=machine(kind))
    assert (done.returncode, done.stdout) == (1, "")
    assert reason in done.stderr
    assert stub.asked == []


def test_the_platform_can_be_named(start, stub, pc):
    stub.pages = [["0.2.0", "0.2.0-jetson-thor"]]
    done = start("--dry-run", "--platform", "jetson-thor", "--registry", stub.repository, env=pc)
    assert done.stdout.splitlines()[1].endswith(f" --runtime nvidia {stub.repository}:0.2.0-jetson-thor")


def test_without_gpu_no_gpu_flag_is_given(start, stub, machine):
    stub.pages = [["0.2.0-jetson-orin"]]
    done = start("--dry-run", "--no-gpu", "--registry", stub.repository, env=machine("Jetson Orin"))
    assert done.stdout.splitlines()[1].endswith(f" {OPTIONS} {stub.repository}:0.2.0-jetson-orin")


def test_arguments_for_the_program_follow_the_image_and_are_quoted(start, stub, pc):
    stub.pages = [["0.2.0"]]
    done = start(
        "--dry-run", "--name=other", f"--registry={stub.repository}", "--", "--port", "81", "it's $HOME", "", env=pc
    )
    line = done.stdout.splitlines()[1]
    assert "--name other " in line
    assert "--volume other-data:/data" in line
    assert line.endswith(f"{stub.repository}:0.2.0 --port 81 'it'\\''s $HOME' ''")


def test_a_dry_run_does_not_touch_docker(start, stub, pc, with_only):
    stub.pages = [["0.2.0"]]
    done = start("--dry-run", "--registry", stub.repository, env=with_only(pc, "curl"))
    assert done.returncode == 0, done.stderr


# --- Versions ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("client", ["curl", "wget", "python3"])
@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_versions_come_from_every_page_of_a_registry_that_wants_a_token(start, stub, pc, with_only, client, shell):
    stub.pages = [["0.1.0", "0.2.0-jetson-orin"], ["0.10.0", "latest"], ["0.2.0", "0.2.0-rc.1"]]
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"no {shell}")
    done = start("--list-versions", "--registry", stub.repository, env=with_only(pc, client), shell=path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "0.10.0\n0.2.0\n0.2.0-rc.1\n0.1.0\n", "")
    assert [path.partition("?")[0] for path in stub.asked].count("/token") == 1


def test_a_token_may_be_named_access_token(start, stub, pc):
    stub.token_key, stub.pages = "access_token", [["0.1.0"]]
    assert start("--list-versions", "--registry", stub.repository, env=pc).stdout == "0.1.0\n"


def test_a_loopback_registry_is_asked_without_a_proxy(start, stub, pc):
    stub.pages = [["0.1.0"]]
    env = {**pc, "http_proxy": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9", "no_proxy": ""}
    assert start("--list-versions", "--registry", stub.repository, env=env).stdout == "0.1.0\n"


def test_versions_are_sorted_as_semver(start, stub, pc):
    ascending = [
        "0.0.9",
        "0.2.0-alpha",
        "0.2.0-alpha.0",
        "0.2.0-alpha.2",
        "0.2.0-alpha.11",
        "0.2.0-beta.1",
        "0.2.0-rc.2",
        "0.2.0-rc.10",
        "0.2.0",
        "0.2.10-rc.1",
        "0.2.10",
        "0.10.0",
        "1.0.0-rc.1",
        "1.0.0",
        "10.0.0",
        "2026.1.99999999999999999999",
    ]
    assert ascending == sorted(ascending, key=semver.Version.parse)
    others = [
        "latest",
        "0.2",
        "1",
        "v0.3.0",
        "0.02.0",
        "0.3.0-jetson-thor",
        "0.3.0-mac",
        "0.3.0-rc.1-mac",
        "sha-1f2e3d",
    ]
    tags = ascending + others
    random.Random(3).shuffle(tags)
    stub.pages = [tags]
    done = start("--list-versions", "--registry", stub.repository, env=pc)
    assert done.stdout.split() == ascending[::-1]


@pytest.mark.parametrize(
    ("kind", "versions"),
    [
        ("PC without a GPU", ["0.3.0-rc.1", "0.2.0"]),
        ("Jetson Orin", ["0.2.0", "0.1.0"]),
        ("Jetson Thor", ["0.3.0-rc.1"]),
        ("Mac with Apple silicon", ["0.1.0"]),
    ],
)
def test_a_machine_sees_the_versions_of_its_platform(start, stub, machine, kind, versions):
    stub.pages = [
        ["0.2.0", "0.3.0-rc.1", "0.1.0-jetson-orin", "0.2.0-jetson-orin", "0.3.0-rc.1-jetson-thor", "0.1.0-mac"],
        ["latest", "latest-jetson", "latest-mac", "0.2-jetson-orin"],
    ]
    done = start("--list-versions", "--registry", stub.repository, env=machine(kind))
    assert done.stdout.split() == versions


def test_no_version_for_this_platform_tells_who_has_one(start, stub, machine):
    stub.pages = [["0.2.0", "0.2.0-mac", "latest"]]
    done = start("--list-versions", "--registry", stub.repository, env=machine("Jetson Thor"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"start_container.sh: {stub.repository} has no version for jetson-thor"
        " -> Choose another --platform; it has versions for: multiarch mac.\n"
    )


def test_a_registry_whose_tags_are_null_has_no_version(start, stub, pc):
    stub.pages = [None]
    done = start("--list-versions", "--registry", stub.repository, env=pc)
    assert done.returncode == 1
    assert "has no version for multiarch" in done.stderr


def test_an_unknown_repository_is_no_reason_to_ask_elsewhere(start, stub, pc):
    env = {**pc, "LIVE_VLM_RELEASES_URL": f"{stub.url}/releases"}
    done = start("--list-versions", "--registry", f"{stub.host}/team/ap", env=env)
    assert done.returncode == 1
    assert f"The registry {stub.host} has no images named team/ap ->" in done.stderr
    assert not any("releases" in path for path in stub.asked)


REFUSALS = {
    "an error": ({"status": 503}, "responded with HTTP 503"),
    "a login": ({"challenge": 'Basic realm="team"'}, "requires a login for team/app"),
    "no token": ({"token_status": 403}, "issued no token for reading team/app"),
    "a token in the clear": (
        {"challenge": 'Bearer realm="http://192.0.2.1/token",service="stub registry"'},
        "http://192.0.2.1/token?service=stub%20registry&scope=repository:team/app:pull is not encrypted",
    ),
    "a token in the clear, disguised": (
        {"challenge": 'Bearer realm="http://127.0.0.1:x@192.0.2.1/token",service="s"'},
        "contains a user name",
    ),
    "pages elsewhere": (
        {"pages": [["9.0.0"], []], "next_link": '<http://127.0.0.1:9/v2/>; rel="next"'},
        "refers to another host for its list of tags",
    ),
    "endless pages": (
        {"pages": [["9.0.0"], ["9.0.1"]], "next_link": '</v2/team/app/tags/list?last=0>; rel="next"'},
        "does not end",
    ),
}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_if_the_registry_gives_no_list_the_releases_do(start, stub, machine, refusal):
    settings, reason = REFUSALS[refusal]
    for key, value in settings.items():
        setattr(stub, key, value)
    stub.releases = [["v0.3.0-rc.1", "v0.2.0"], ["v0.1.0", "nightly"]]
    env = {**machine("Jetson Orin"), "LIVE_VLM_RELEASES_URL": f"{stub.url}/releases"}
    done = start("--list-versions", "--registry", stub.repository, env=env)
    assert (done.returncode, done.stdout) == (0, "0.3.0-rc.1\n0.2.0\n0.1.0\n")
    assert reason in done.stderr
    assert done.stderr.endswith("Using the list of releases.\n")


@pytest.mark.parametrize("client", ["curl", "wget", "python3"])
def test_if_nothing_answers_it_says_what_was_asked(start, pc, with_only, client):
    done = start("--registry", "127.0.0.1:9/team/app", "--dry-run", env=with_only(pc, client))
    assert (done.returncode, done.stdout) == (1, "")
    assert "Versions cannot be listed: 127.0.0.1:9 does not respond (" in done.stderr
    assert "the list of releases cannot be read either: 127.0.0.1:9 does not respond (" in done.stderr
    assert "efused" in done.stderr or "connect" in done.stderr


def test_without_an_http_client_it_names_those_that_it_can_use(start, pc, with_only):
    done = start("--list-versions", "--registry", "127.0.0.1:9/team/app", env=with_only(pc))
    assert done.returncode == 1
    assert "curl, GNU wget or python3 is required to list versions" in done.stderr


@pytest.mark.parametrize("arguments", [[], ["--skip-version-pick"], ["--version", "latest"]])
def test_without_a_terminal_the_latest_final_version_is_taken(start, stub, pc, arguments):
    stub.pages = [["0.2.0", "0.10.0", "0.11.0-rc.1", "latest"]]
    done = start("--dry-run", *arguments, "--registry", stub.repository, env=pc)
    assert done.stdout.startswith(f"docker pull {stub.repository}:0.10.0\n")


def test_a_pre_release_is_taken_only_by_its_name(start, stub, pc):
    stub.pages = [["0.3.0-rc.1", "0.3.0-rc.2"]]
    refused = start("--dry-run", "--registry", stub.repository, env=pc)
    assert refused.returncode == 1
    assert "There is no final version for multiarch yet" in refused.stderr
    assert "--version: 0.3.0-rc.2 0.3.0-rc.1." in refused.stderr
    done = start("--dry-run", "--registry", stub.repository, "--version", "v0.3.0-rc.1", env=pc)
    assert done.stdout.startswith(f"docker pull {stub.repository}:0.3.0-rc.1\n")


@pytest.mark.parametrize(
    ("wanted", "nearest"),
    [
        ("0.2.1", "0.3.0 0.10.0 0.2.0 0.1.1"),
        ("9.0.0", "1.0.0 0.10.0"),
        ("0.0.1", "0.1.1 0.1.0"),
        ("newest", "1.0.0 0.10.0 0.3.0 0.2.0 0.1.1"),
        ("0.2.*", "1.0.0 0.10.0 0.3.0 0.2.0 0.1.1"),
        ("-e", "1.0.0 0.10.0 0.3.0 0.2.0 0.1.1"),
    ],
)
def test_an_unknown_version_is_refused_with_the_nearest(start, stub, pc, wanted, nearest):
    stub.pages = [["0.1.0", "0.1.1", "0.2.0", "0.3.0", "0.10.0", "1.0.0"]]
    done = start("--dry-run", f"--version={wanted}", "--registry", stub.repository, env=pc)
    assert (done.returncode, done.stdout) == (1, "")
    listed = done.stderr.partition("the nearest are: ")[2].partition(" -> ")[0]
    assert f"There is no version {wanted} for multiarch;" in done.stderr
    assert sorted(listed.split()) == sorted(nearest.split())


# --- The command line -------------------------------------------------------------------------------------------------


def test_help_names_every_option(start, pc):
    done = start("--help", env=pc)
    assert (done.returncode, done.stderr) == (0, "")
    for option in (
        "--version",
        "--skip-version-pick",
        "--list-versions",
        "--dry-run",
        "--replace",
        "--no-gpu",
        "--platform",
        "--registry",
        "--name",
        "--timeout",
        "-h, --help",
    ):
        assert f"  {option}" in done.stdout
    assert start("-h", env=pc).stdout == done.stdout


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--verison", "1"], "Unknown option: --verison"),
        (["0.2.0"], "Unexpected argument: 0.2.0"),
        (["--version"], "--version needs a value"),
        (["--version="], "--version needs a value"),
        (["--registry", "team/app"], '--registry must be HOST[:PORT]/NAME; "team" is not a host'),
        (["--registry", "example.org"], "--registry must be HOST[:PORT]/NAME"),
        (["--registry", "example.org/app:0.2.0"], "--registry must not have a tag"),
        (["--registry", "example.org/$(id)"], "--registry must be HOST[:PORT]/NAME"),
        (["--platform", "jetson"], "--platform must be one of: multiarch jetson-orin jetson-thor mac"),
        (["--name", "-v"], '"-v" is not a valid container name'),
        (["--timeout", "soon"], '--timeout must be a number of seconds, not "soon"'),
    ],
)
def test_a_command_line_that_cannot_be_read_exits_with_2(start, pc, arguments, reason):
    done = start(*arguments, env=pc)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"start_container.sh: {reason}")
    assert done.stderr.splitlines()[1].startswith("Usage: start_container.sh [OPTIONS]")


def test_an_image_name_is_lower_cased(start, stub, pc):
    stub.pages = [["0.2.0"]]
    done = start("--dry-run", "--registry", f"{stub.host}/Team/App", env=pc)
    assert done.stdout.startswith(f"docker pull {stub.host}/team/app:0.2.0\n")


def test_nothing_is_left_in_the_directory_for_temporary_files(start, stub, pc):
    stub.pages = [["0.2.0"]]
    start("--dry-run", "--registry", stub.repository, env=pc)
    start("--version", "7.7.7", "--dry-run", "--registry", stub.repository, env=pc)
    assert list(Path(pc["TMPDIR"]).iterdir()) == []


def test_the_scripts_can_be_run_as_they_are(script):
    assert os.access(script, os.X_OK)
    assert script.read_text().startswith("#!/bin/sh\n")


# --- An engine that cannot be used: the only programs that stand in for docker ----------------------------------------


def fake_docker(env, message):
    program = Path(env["PATH"].partition(":")[0]) / "docker"
    program.write_text(f"#!/bin/sh\necho '{message}' >&2\nexit 1\n")
    program.chmod(0o755)
    return env


def test_without_docker_it_says_where_to_get_it(start, pc, with_only, stub):
    done = start("--registry", stub.repository, env=with_only(pc, "curl"))
    assert (done.returncode, done.stdout) == (1, "")
    assert "docker is not installed -> Install Docker Engine" in done.stderr
    assert stub.asked == []


@pytest.mark.parametrize(
    ("kind", "repair"),
    [("PC without a GPU", "sudo systemctl start docker"), ("Mac with Apple silicon", "Open Docker Desktop")],
)
@pytest.mark.parametrize(
    "message",
    [
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
        "failed to connect to the docker API at unix:///var/run/docker.sock; check if the path is correct and if the"
        " daemon is running: dial unix /var/run/docker.sock: connect: no such file or directory",
    ],
)
def test_a_daemon_that_does_not_run_is_told_with_how_to_start_it(start, machine, kind, repair, message):
    done = start(env=fake_docker(machine(kind), message))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("start_container.sh: The Docker daemon does not respond")
    assert repair in done.stderr


def test_a_socket_that_may_not_be_opened_is_told_with_the_group_to_join(start, pc):
    message = (
        "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock:"
        " dial unix /var/run/docker.sock: connect: permission denied"
    )
    done = start(env=fake_docker(pc, message))
    assert (done.returncode, done.stdout) == (1, "")
    assert "sudo usermod -aG docker $USER" in done.stderr


def test_the_real_client_without_a_daemon_is_understood(start, pc, tmp_path):
    if shutil.which("docker") is None:
        pytest.skip("no docker program")
    done = start(env={**pc, "DOCKER_HOST": f"unix://{tmp_path}/none.sock"})
    assert done.returncode == 1
    assert f"The Docker daemon does not respond at unix://{tmp_path}/none.sock ->" in done.stderr


# --- The picker, on a real pseudo-terminal ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "version"),
    [("\n", "0.10.0"), ("1\n", "0.11.0-rc.1"), ("3\n", "0.2.0"), ("0.1.0\n", "0.1.0"), ("v0.1.0\n", "0.1.0")],
)
def test_the_picker_takes_a_number_a_version_or_enter(terminal, stub, pc, answer, version):
    stub.pages = [["0.1.0", "0.2.0", "0.10.0", "0.11.0-rc.1"]]
    person = terminal("start_container.sh", "--dry-run", "--registry", stub.repository, env=pc)
    person.wait_for("Versions for multiarch:\r\n   1) 0.11.0-rc.1\r\n   2) 0.10.0  (latest)\r\n   3) 0.2.0\r\n")
    person.wait_for("Number or version, Enter for 0.10.0, q to quit: ")
    person.type(answer)
    status, screen = person.end()
    assert status == 0
    assert f"docker pull {stub.repository}:{version}\n" in screen


@pytest.mark.parametrize("garbage", ["0", "99", "0.7.0", ".*", "a b", "-e"])
def test_the_picker_asks_again_for_what_is_not_in_the_list(terminal, stub, pc, garbage):
    stub.pages = [["0.1.0", "0.2.0"]]
    person = terminal("start_container.sh", "--dry-run", "--registry", stub.repository, env=pc)
    person.wait_for("q to quit: ")
    person.type(f"{garbage}\n")
    person.wait_for(f'"{garbage}" is not in the list.')
    person.wait_for("q to quit: ")
    person.type("2\n")
    status, screen = person.end()
    assert status == 0
    assert ":0.1.0\n" in screen


@pytest.mark.parametrize(("key", "status"), [("q\n", 1), ("\x04", 1), ("\x03", 130)])
def test_the_picker_is_left_by_q_end_of_file_and_ctrl_c(terminal, stub, pc, key, status):
    stub.pages = [["0.1.0"]]
    person = terminal("start_container.sh", "--dry-run", "--registry", stub.repository, env=pc)
    person.wait_for("q to quit: ")
    person.type(key)
    ended, screen = person.end()
    assert ended == status
    assert "docker" not in screen
    assert list(Path(pc["TMPDIR"]).iterdir()) == []


def test_the_picker_shows_the_newest_of_many_and_takes_any(terminal, stub, pc):
    stub.pages = [[f"0.{minor}.0" for minor in range(40)]]
    person = terminal("start_container.sh", "--dry-run", "--registry", stub.repository, env=pc)
    person.wait_for("  15) 0.25.0\r\n      and 25 older versions\r\n")
    person.wait_for("q to quit: ")
    person.type("0.3.0\n")
    assert ":0.3.0\n" in person.end()[1]


@pytest.mark.parametrize("arguments", [["--skip-version-pick"], ["--version", "latest"]])
def test_on_a_terminal_too_no_question_is_asked_if_the_answer_was_given(terminal, stub, pc, arguments):
    stub.pages = [["0.1.0", "0.2.0"]]
    person = terminal("start_container.sh", "--dry-run", *arguments, "--registry", stub.repository, env=pc)
    status, screen = person.end()
    assert status == 0
    assert screen.startswith(f"docker pull {stub.repository}:0.2.0\n")


# --- With the real engine and registry --------------------------------------------------------------------------------


def inspect(docker, container):
    return json.loads(docker("container", "inspect", container))[0]


def exists(docker, container):
    return docker("container", "ls", "--all", "--quiet", "--filter", f"name=^{container}$") != ""


def test_the_real_registry_lists_what_was_pushed(start, published, machine):
    def listed(kind):
        return start("--list-versions", "--registry", published.repository, env=machine(kind)).stdout.split()

    assert listed("PC without a GPU") == ["0.10.0", "0.2.0", "0.2.0-rc.1", "0.1.0"]
    assert listed("Jetson Thor") == ["0.2.0"]


def test_a_started_container_is_healthy_and_its_address_answers(start, published, container, docker, pc):
    done = start("--version", "0.2.0", "--registry", published.repository, "--name", container, env=pc)
    assert (done.returncode, done.stdout) == (0, f"live-vlm-webui 0.2.0 is ready: {published.address}\n"), done.stderr
    with urlopen(f"{published.address}healthz", timeout=60) as answer:
        assert json.load(answer) == {"status": "ok"}
    seen = inspect(docker, container)
    assert seen["State"]["Health"]["Status"] == "healthy"
    assert seen["Config"]["Image"] == f"{published.repository}:0.2.0"
    assert seen["HostConfig"]["NetworkMode"] == "host"
    assert seen["HostConfig"]["Privileged"] is False
    assert [(mount["Name"], mount["Destination"]) for mount in seen["Mounts"]] == [(f"{container}-data", "/data")]
    assert list(Path(pc["TMPDIR"]).iterdir()) == []


def test_an_image_without_a_health_check_is_ready_when_its_address_answers(start, published, container, docker, pc):
    done = start("--version", "0.1.0", "--registry", published.repository, "--name", container, env=pc)
    assert done.stdout == f"live-vlm-webui 0.1.0 is ready: {published.address}\n", done.stderr
    assert "Health" not in inspect(docker, container)["State"]


def test_without_questions_the_latest_final_image_starts(start, published, container, pc):
    done = start("--registry", published.repository, "--name", container, env=pc)
    assert done.stdout == f"live-vlm-webui 0.10.0 is ready: {published.address}\n"


def test_an_orin_starts_its_own_image(start, published, container, docker, machine):
    arguments = ("--no-gpu", "--registry", published.repository, "--name", container)
    assert start(*arguments, env=machine("Jetson Orin")).returncode == 0
    assert inspect(docker, container)["Config"]["Image"] == f"{published.repository}:0.2.0-jetson-orin"


def test_arguments_reach_the_program_and_its_address_is_the_one_printed(start, published, container, other_port, pc):
    arguments = ("--registry", published.repository, "--name", container, "--", "--port", str(other_port))
    done = start(*arguments, env=pc)
    assert done.stdout == f"live-vlm-webui 0.10.0 is ready: http://127.0.0.1:{other_port}/\n", done.stderr


@pytest.fixture
def network(docker) -> Iterator[str]:
    """A network of docker's, as `bridge` is one, which not every engine has."""
    name = f"live-vlm-webui-test-{uuid.uuid4().hex[:8]}"
    if not docker("network", "create", name, check=False):
        pytest.skip("this engine makes no networks")
    yield name
    docker("network", "rm", name)


def test_in_a_network_of_its_own_the_port_is_published_on_loopback(
    start, published, container, docker, network, other_port, pc
):
    arguments = ("--registry", published.repository, "--name", container, "--network", network)
    done = start(*arguments, "--", "--port", str(other_port), env=pc)
    assert done.stdout == f"live-vlm-webui 0.10.0 is ready: http://127.0.0.1:{other_port}/\n", done.stderr
    seen = inspect(docker, container)["HostConfig"]
    assert seen["NetworkMode"] == network
    assert seen["PortBindings"] == {f"{other_port}/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(other_port)}]}
    docker("rm", "--force", container)


@pytest.mark.parametrize(
    ("argument", "reason", "line"),
    [
        ("--crash", "it stopped (exited)", "  | the camera is on fire"),
        ("--sick", "it is unhealthy", "is ready: "),
        ("--slow", "it did not become healthy within 1 s", "  | loading"),
    ],
)
def test_a_container_that_does_not_become_healthy_shows_its_last_lines_and_goes(
    start, published, container, docker, pc, argument, reason, line
):
    timeout = "1" if argument == "--slow" else "30"
    done = start("--registry", published.repository, "--name", container, "--timeout", timeout, "--", argument, env=pc)
    assert (done.returncode, done.stdout) == (1, "")
    assert line in done.stderr
    assert reason in done.stderr
    assert not exists(docker, container)


def test_a_running_container_is_not_replaced_without_a_word(start, published, container, docker, pc):
    arguments = ("--registry", published.repository, "--name", container)
    start(*arguments, "--version", "0.1.0", env=pc)
    before = inspect(docker, container)
    done = start(*arguments, env=pc)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"A container named {container} is already running -> Replace it with --replace" in done.stderr
    assert inspect(docker, container)["State"]["StartedAt"] == before["State"]["StartedAt"]
    assert inspect(docker, container)["State"]["Running"]
    replaced = start(*arguments, "--replace", env=pc)
    assert replaced.stdout == f"live-vlm-webui 0.10.0 is ready: {published.address}\n", replaced.stderr
    after = inspect(docker, container)
    assert after["Id"] != before["Id"]
    assert after["Mounts"] == before["Mounts"]
    assert not exists(docker, f"{container}-replaced")


def test_if_the_new_container_fails_the_old_one_runs_again(start, published, container, docker, pc):
    arguments = ("--registry", published.repository, "--name", container, "--replace")
    start(*arguments, "--version", "0.1.0", env=pc)
    before = inspect(docker, container)["Id"]
    done = start(*arguments, "--", "--crash", env=pc)
    assert done.returncode == 1
    assert "The previous one was restarted." in done.stderr
    after = inspect(docker, container)
    assert (after["Id"], after["State"]["Running"]) == (before, True)
    assert not exists(docker, f"{container}-replaced")


def test_a_stopped_container_is_replaced_without_a_question(start, published, container, docker, pc):
    docker("run", "--detach", "--network", "none", "--name", container, f"{published.repository}:0.1.0", "--crash")
    docker("container", "wait", container)
    done = start("--registry", published.repository, "--name", container, env=pc)
    assert done.returncode == 0, done.stderr
    assert inspect(docker, container)["Config"]["Image"] == f"{published.repository}:0.10.0"


def test_what_a_killed_replacement_left_is_put_right(start, published, container, docker, pc):
    docker("create", "--network", "none", "--name", f"{container}-replaced", f"{published.repository}:0.1.0")
    done = start("--registry", published.repository, "--name", container, env=pc)
    assert done.returncode == 0, done.stderr
    assert inspect(docker, container)["Config"]["Image"] == f"{published.repository}:0.10.0"
    assert not exists(docker, f"{container}-replaced")


@pytest.mark.parametrize(("answer", "image"), [("n\n", "0.2.0"), ("\n", "0.2.0"), ("y\n", "0.1.0")])
def test_on_a_terminal_it_picks_and_asks_before_it_replaces(
    start, terminal, published, container, docker, pc, answer, image
):
    arguments = ("--registry", published.repository, "--name", container)
    start(*arguments, "--version", "0.2.0", env=pc)
    person = terminal("start_container.sh", *arguments, env=pc)
    person.wait_for("q to quit: ")
    person.type("0.1.0\n")
    person.wait_for(f"A container named {container} is running: {published.repository}:0.2.0\r\n")
    person.wait_for(f"Replace it with {published.repository}:0.1.0? [y/N] ")
    person.type(answer)
    status, screen = person.end()
    assert status == (0 if answer == "y\n" else 1)
    assert ("live-vlm-webui 0.1.0 is ready" in screen) == (status == 0)
    assert inspect(docker, container)["Config"]["Image"] == f"{published.repository}:{image}"


def test_ctrl_c_while_it_waits_brings_the_old_container_back(start, terminal, published, container, docker, pc):
    arguments = ("--registry", published.repository, "--name", container, "--version", "0.1.0", "--replace")
    start(*arguments, env=pc)
    before = inspect(docker, container)["Id"]
    person = terminal("start_container.sh", *arguments, "--", "--slow", env=pc)
    person.wait_for("Waiting up to")
    person.type("\x03")
    status, _ = person.end()
    assert status == 130
    after = inspect(docker, container)
    assert (after["Id"], after["State"]["Running"]) == (before, True)
    assert not exists(docker, f"{container}-replaced")
    assert list(Path(pc["TMPDIR"]).iterdir()) == []


@pytest.mark.parametrize("milliseconds", [0, 40, 120, 300])
def test_ctrl_c_at_any_moment_of_a_start_leaves_nothing(terminal, published, container, docker, pc, milliseconds):
    arguments = ("--registry", published.repository, "--name", container, "--version", "0.1.0")
    person = terminal("start_container.sh", *arguments, "--", "--slow", env=pc)
    person.wait_for("Starting ")
    time.sleep(milliseconds / 1000)
    person.type("\x03")
    assert person.end()[0] == 130
    assert not exists(docker, container)


@pytest.mark.parametrize("kind", ["PC with an NVIDIA GPU", "Jetson Orin"])
def test_a_missing_nvidia_runtime_stops_it_with_the_repair(start, published, container, docker, machine, kind):
    if "nvidia" in docker("info", "--format", "{{json .Runtimes}}") or shutil.which("nvidia-container-runtime-hook"):
        pytest.skip("this engine has the nvidia runtime")
    arguments = ("--registry", published.repository, "--name", container)
    done = start(*arguments, env=machine(kind))
    assert (done.returncode, done.stdout) == (1, "")
    assert "sudo nvidia-ctk runtime configure --runtime=docker" in done.stderr
    assert "--no-gpu" in done.stderr
    assert not exists(docker, container)


def test_an_engine_that_refuses_the_gpu_only_at_the_start_gets_the_repair_too(
    start, published, container, docker, machine
):
    if "nvidia" in docker("info", "--format", "{{json .Runtimes}}"):
        pytest.skip("this engine has the nvidia runtime")
    env = machine("PC with an NVIDIA GPU")
    hook = Path(env["PATH"].partition(":")[0]) / "nvidia-container-runtime-hook"
    hook.write_text("#!/bin/sh\n")
    hook.chmod(0o755)
    done = start("--registry", published.repository, "--name", container, env=env)
    assert done.returncode == 1
    assert "sudo nvidia-ctk runtime configure --runtime=docker" in done.stderr
    assert not exists(docker, container)


def test_without_the_network_a_named_version_starts_from_this_machine(start, published, container, docker, pc):
    unreachable = f"127.0.0.1:9/team/{container}"
    docker("pull", "--quiet", f"{published.repository}:0.2.0")
    docker("tag", f"{published.repository}:0.2.0", f"{unreachable}:0.2.0")
    try:
        arguments = ("--registry", unreachable, "--name", container)
        done = start(*arguments, "--version", "0.2.0", env=pc)
        assert done.stdout == f"live-vlm-webui 0.2.0 is ready: {published.address}\n", done.stderr
        assert "Starting the image that is already on this machine." in done.stderr
        assert start(*arguments, "--replace", "--version", "0.1.0", env=pc).returncode == 1
    finally:
        docker("image", "rm", "--force", f"{unreachable}:0.2.0")


def test_an_image_that_cannot_be_fetched_leaves_the_running_one_alone(start, stub, published, container, docker, pc):
    start("--registry", published.repository, "--name", container, env=pc)
    before = inspect(docker, container)["State"]["StartedAt"]
    stub.pages = [["0.2.0"]]
    done = start("--registry", stub.repository, "--name", container, "--replace", env=pc)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"The image {stub.repository}:0.2.0 cannot be pulled -> See docker's message above." in done.stderr
    assert inspect(docker, container)["State"]["StartedAt"] == before


def test_a_v_alone_is_no_version(start, stub, pc):
    done = start("--dry-run", "--version", "v", "--registry", stub.repository, env=pc)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--version needs a value" in done.stderr


@pytest.mark.parametrize("seconds", ["090", "0090"])
@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_a_timeout_with_leading_zeros_is_decimal_and_a_remote_address_is_said_to_be_there(
    start, stub, pc, seconds, shell
):
    stub.pages = [["0.2.0"]]
    place = pc["PATH"].partition(":")[0]
    fake = Path(place) / "docker"
    fake.write_text(  # which warns as after a `sudo docker login`
        "#!/bin/sh\necho 'WARNING: Error loading config file: permission denied' >&2\n"
        "case \"$*\" in *State.Health*) echo running healthy ;; 'container inspect'*) exit 1 ;; esac\n"
    )
    fake.chmod(0o755)
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"no {shell}")
    env = {**pc, "DOCKER_HOST": "tcp://far.invalid:2376"}
    words = ("--timeout", seconds, "--registry", stub.repository, "--", "--host", "0.0.0.0")
    done = start(*words, env=env, shell=path)
    assert done.returncode == 0, done.stderr
    assert "up to 90 s " in done.stderr
    assert "open the address there" in done.stderr
    assert "loopback" not in done.stderr
