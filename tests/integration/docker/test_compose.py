"""The compose file, with small images that stand in for the servers of models."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from uuid import uuid4

import pytest

REPOSITORY = Path(__file__).parents[3]
STAND_INS = {
    # The health checks' own programs, which say yes four seconds after the start.
    "ollama": ("/bin/ollama", "#!/bin/sh\ntest -e /root/.ollama/ready\n"),
    "vllm": ("/bin/curl", "#!/bin/sh\ntest -e /root/.cache/huggingface/ready\n"),
}

Compose = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.mark.parametrize("profile", ["", "ollama", "vllm"])
def test_it_is_valid_in_each_profile(here, profile):
    words = ["docker", "compose", "-f", "docker/compose.yaml", *(["--profile", profile] if profile else []), "config"]
    done = subprocess.run([*words, "--services"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) == {"app", *([profile] if profile else [])}


@pytest.fixture(scope="session")
def stand_ins(docker, once) -> dict[str, str]:
    def build(directory: Path) -> dict[str, str]:
        names = {}
        for service, (program, script) in STAND_INS.items():
            context = directory / service
            context.mkdir()
            (context / "check").write_text(script, encoding="utf-8")
            ready = script.split()[-1]
            command = json.dumps(["sh", "-c", f"sleep 4; touch {ready}; exec sleep 600"])
            (context / "Dockerfile").write_text(
                f"FROM {docker.variables['PYTHON_IMAGE']}\nCOPY --chmod=0755 check {program}\nENTRYPOINT {command}\n",
                encoding="utf-8",
            )
            names[service] = f"{docker.variables['REGISTRY_IMAGE']}:{service}"
            docker("build", "-t", names[service], context)
        return names

    return once("model-servers", build, lambda names: ["docker", "image", "rm", "--force", *names.values()])


@pytest.fixture
def compose(docker, images, stand_ins) -> Iterator[Compose]:
    project = f"live-vlm-webui-test-{uuid4().hex[:8]}"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    environment = {
        **os.environ,
        "LIVE_VLM_WEBUI_IMAGE": images["multiarch"],
        "LIVE_VLM_WEBUI_PORT": str(port),
        "LIVE_VLM_WEBUI_VOLUME": project,
        "OLLAMA_IMAGE": stand_ins["ollama"],
        "VLLM_IMAGE": stand_ins["vllm"],
        "CONTAINER_RUNTIME": "runc",
    }

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["docker", "compose", "-f", "docker/compose.yaml", "-p", project, *words],
            cwd=REPOSITORY,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    yield call
    call("--profile", "*", "down", "--volumes", "--timeout", "1")


def services(compose, docker):
    found = {}
    for container in compose("--profile", "*", "ps", "--all", "--quiet").stdout.split():
        told = docker.inspect(container)
        found[told["Config"]["Labels"]["com.docker.compose.service"]] = told
    return found


def moment(text: str) -> datetime:
    """Reads the engine's time, whose fraction has up to nine digits."""
    fraction = re.compile(r"\.(\d+)")
    return datetime.fromisoformat(fraction.sub(lambda found: f".{found[1][:6]:0<6}", text.replace("Z", "+00:00")))


def test_the_app_alone_is_healthy_by_itself(compose, docker):
    done = compose("up", "--detach", "--wait", "--wait-timeout", "110")
    assert done.returncode == 0, done.stderr
    found = services(compose, docker)
    assert set(found) == {"app"}
    assert found["app"]["State"]["Health"]["Status"] == "healthy"


@pytest.mark.parametrize("server", sorted(STAND_INS))
def test_the_app_starts_when_the_server_of_models_is_healthy(compose, docker, server):
    done = compose("--profile", server, "up", "--detach", "--wait", "--wait-timeout", "110")
    assert done.returncode == 0, done.stderr
    found = services(compose, docker)
    assert set(found) == {"app", server}
    asked = found[server]["State"]["Health"]["Log"]
    healthy = next(entry for entry in asked if entry["ExitCode"] == 0)
    assert moment(found["app"]["State"]["StartedAt"]) > moment(healthy["End"])


def test_a_container_may_do_nothing_that_it_need_not(compose, docker):
    assert compose("up", "--detach", "--wait", "--wait-timeout", "110").returncode == 0
    host = services(compose, docker)["app"]["HostConfig"]
    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"]
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert not host["Privileged"]
    assert host["NetworkMode"] == "host"
