"""The app's own image, published, and started as users do: by scripts/start_container.sh."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from uuid import uuid4

import pytest

SCRIPTS = Path(__file__).parents[3] / "scripts"
TRUSTING = ssl._create_unverified_context()
"""The server makes its certificate itself."""


@pytest.fixture(scope="session")
def repository(docker, images, once) -> str:
    """Where the image is published."""
    if "TEST_REGISTRY" not in os.environ:
        pytest.skip("TEST_REGISTRY is not set: there is no registry to publish the image to")

    def publish(_: Path) -> str:
        name = f"{os.environ['TEST_REGISTRY']}/users-{uuid4().hex[:8]}/live-vlm-webui"
        tag = f"{name}:{docker.variables['VERSION']}"
        docker("tag", images["multiarch"], tag)
        docker("push", "--quiet", tag)
        return name

    version = docker.variables["VERSION"]
    return once("published", publish, lambda name: ["docker", "image", "rm", "--force", f"{name}:{version}"])


@pytest.fixture
def name(docker) -> Iterator[str]:
    """Of a container, and its volume and network, which are gone after the test."""
    made = f"live-vlm-webui-test-{uuid4().hex[:8]}"
    yield made
    docker("rm", "--force", made, check=False)
    docker("volume", "rm", "--force", f"{made}-data", check=False)
    docker("network", "rm", made, check=False)


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture
def script(tmp_path) -> Callable[..., subprocess.CompletedProcess[str]]:
    def run(script: str, *words: str) -> subprocess.CompletedProcess[str]:
        # A machine without a GPU, whatever this one has.
        env = {**os.environ, "LIVE_VLM_SYSROOT": str(tmp_path), "LIVE_VLM_RELEASES_URL": "http://127.0.0.1:9/"}
        return subprocess.run(
            [SCRIPTS / script, *words], env=env, capture_output=True, text=True, timeout=120, check=False
        )

    return run


def status_of(url: str, token: str = "") -> int:
    request = Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})
    try:
        with urlopen(request, timeout=60, context=TRUSTING) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


def test_on_the_machines_own_network_it_is_for_this_machine_and_needs_no_login(
    script, docker, repository, name, port, version
):
    words = ("--registry", repository, "--version", version, "--name", name, "--network", "host")
    done = script("start_container.sh", *words, "--", "--port", str(port))
    assert done.stdout == f"live-vlm-webui {version} is ready: https://127.0.0.1:{port}/\n", done.stderr
    assert "Sign in" not in done.stderr
    assert status_of(f"https://127.0.0.1:{port}/api/system") == 200
    address = own_address()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((address, port), 5)
    assert script("stop_container.sh", "--name", name).returncode == 0


def own_address() -> str:
    """Of this machine, as others know it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unsent:
        unsent.connect(("192.0.2.1", 9))
        return str(unsent.getsockname()[0])


def test_in_its_own_network_sign_in_is_required_and_explained(script, docker, repository, name, port, version):
    if docker("network", "create", name, check=False).returncode:
        pytest.skip("this engine makes no networks")
    words = ("--registry", repository, "--version", version, "--name", name, "--network", name)
    done = script("start_container.sh", *words, "--", "--port", str(port))
    url = f"https://127.0.0.1:{port}/"
    assert done.stdout == f"live-vlm-webui {version} is ready: {url}\n", done.stderr
    assert f"Sign in once, within 10 minutes: {url}#code=" in done.stderr
    assert f"Or use the token: docker exec {name} cat /data/token" in done.stderr
    assert status_of(f"{url}api/system") == 401
    token = docker("exec", name, "cat", "/data/token").stdout.strip()
    assert status_of(f"{url}api/system", token) == 200
    code = done.stderr.partition("#code=")[2].split()[0]
    body = json.dumps({"code": code}).encode()
    headers = {"Content-Type": "application/json", "Origin": url.rstrip("/")}
    with urlopen(Request(f"{url}api/login", body, headers), timeout=60, context=TRUSTING) as answer:
        assert answer.status in {200, 204}


def test_certificate_and_token_are_kept_when_the_container_is_replaced(script, docker, repository, name, port, version):
    words = ("--registry", repository, "--version", version, "--name", name, "--network", "host", "--replace")
    arguments = ("--", "--port", str(port), "--host", "127.0.0.1", "--allow-host", "example.org")

    def kept() -> tuple[str, str]:
        done = script("start_container.sh", *words, *arguments)
        assert done.returncode == 0, done.stderr
        certificate = ssl.get_server_certificate(("127.0.0.1", port))
        return certificate, docker("exec", name, "cat", "/data/token").stdout

    assert kept() == kept()
