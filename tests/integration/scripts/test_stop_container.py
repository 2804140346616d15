from __future__ import annotations

import pytest


@pytest.fixture
def running(start, published, container, pc):
    done = start("--registry", published.repository, "--name", container, env=pc)
    assert done.returncode == 0, done.stderr
    return container


def names(docker, kind):
    return docker(kind, "ls", "--quiet" if kind == "volume" else "--format={{.Names}}").split()


def test_it_stops_and_removes_the_container_and_keeps_the_data(stop, running, docker, pc):
    done = stop("--name", running, env=pc)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"Stopped {running}.\nIts data remain in the volume {running}-data.\n"
    assert running not in docker("container", "ls", "--all", "--format={{.Names}}").split()
    assert f"{running}-data" in names(docker, "volume")


def test_stopping_again_is_no_error(stop, running, pc):
    stop("--name", running, env=pc)
    done = stop("--name", running, env=pc)
    assert done.returncode == 0
    assert done.stdout.startswith(f"No container named {running}; nothing to stop.\n")


def test_what_a_killed_replacement_left_goes_too(stop, published, container, docker, pc):
    docker("create", "--name", f"{container}-replaced", "--network", "none", f"{published.repository}:0.1.0")
    assert stop("--name", container, env=pc).stdout == f"Stopped {container}.\n"
    assert docker("container", "ls", "--all", "--quiet", "--filter", f"name={container}") == ""


def test_data_are_not_removed_without_a_word(stop, running, docker, pc):
    done = stop("--name", running, "--remove-data", env=pc)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"Add --yes to remove the volume {running}-data." in done.stderr
    assert running in names(docker, "container")


def test_data_are_removed_when_told_so(stop, running, docker, pc):
    done = stop("--name", running, "--remove-data", "--yes", env=pc)
    assert done.stdout == f"Stopped {running}.\nRemoved the volume {running}-data.\n"
    assert f"{running}-data" not in names(docker, "volume")


@pytest.mark.parametrize(("answer", "removed"), [("y\n", True), ("n\n", False), ("\n", False)])
def test_on_a_terminal_it_asks_before_data_are_removed(terminal, running, docker, pc, answer, removed):
    person = terminal("stop_container.sh", "--name", running, "--remove-data", env=pc)
    person.wait_for(f"Permanently remove the volume {running}-data with its settings and certificates? [y/N] ")
    person.type(answer)
    status, _ = person.end()
    assert status == (0 if removed else 1)
    assert (running in names(docker, "container")) is not removed
    assert (f"{running}-data" in names(docker, "volume")) is not removed


def test_a_dry_run_prints_the_commands(stop, pc, with_only):
    done = stop("--dry-run", "--remove-data", "--name=other", env=with_only(pc))
    assert done.returncode == 0
    assert done.stdout == "docker stop other\ndocker rm other\ndocker volume rm other-data\n"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--all"], "Unknown option: --all"),
        (["other"], "Unexpected argument: other"),
        (["--name"], "--name needs a value"),
        (["--name="], '"" is not a valid container name'),
        (["--name", "a b"], '"a b" is not a valid container name'),
    ],
)
def test_a_command_line_that_cannot_be_read_exits_with_2(stop, pc, arguments, reason):
    done = stop(*arguments, env=pc)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"stop_container.sh: {reason}")


def test_help_names_every_option(stop, pc):
    done = stop("--help", env=pc)
    assert (done.returncode, done.stderr) == (0, "")
    for option in ("--name", "--remove-data", "--yes", "--dry-run", "-h, --help"):
        assert f"  {option}" in done.stdout


def test_without_docker_nothing_runs(stop, pc, with_only):
    done = stop(env=with_only(pc))
    assert done.returncode == 1
    assert "docker is not installed, so no container is running" in done.stderr
