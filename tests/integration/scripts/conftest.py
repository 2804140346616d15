from __future__ import annotations

import json
import os
import pty
import select
import shutil
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

SCRIPTS = Path(__file__).parents[3] / "scripts"
SHELL = shutil.which("dash") or "/bin/sh"
TOOLS = ("awk", "cat", "date", "grep", "mktemp", "rm", "sed", "sleep", "sort", "tr", "uname")
NOTHING_LISTENS = "http://127.0.0.1:9/"
SECONDS = 60


def run_script(script: str, *arguments: str, env: dict[str, str], shell: str = SHELL):
    """Run a script without a terminal."""
    return subprocess.run(
        [shell, str(SCRIPTS / script), *arguments],
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


@pytest.fixture
def start() -> Callable[..., subprocess.CompletedProcess[str]]:
    return partial(run_script, "start_container.sh")


@pytest.fixture
def stop() -> Callable[..., subprocess.CompletedProcess[str]]:
    return partial(run_script, "stop_container.sh")


@pytest.fixture(params=["start_container.sh", "stop_container.sh"])
def script(request) -> Path:
    return SCRIPTS / request.param


class Terminal:
    """A script on a pseudo-terminal of its own, as a person has it."""

    def __init__(self, script: str, *arguments: str, env: dict[str, str]) -> None:
        self.screen = ""
        self._master, slave = pty.openpty()
        # The leader of a new session takes the terminal that it opens first as its own: Ctrl-C works.
        take_terminal = 'tty=$1; shift; exec "$@" <>"$tty" >&0 2>&1'
        self.process = subprocess.Popen(
            [SHELL, "-c", take_terminal, "sh", os.ttyname(slave), SHELL, str(SCRIPTS / script), *arguments],
            env=env,
            start_new_session=True,
        )
        self._slave = slave

    def wait_for(self, text: str) -> None:
        """Read until the screen shows the text after what was seen before."""
        deadline = time.monotonic() + SECONDS
        while text not in self.screen:
            assert time.monotonic() < deadline, f"{text!r} did not come: {self.screen!r}"
            self._read()
            assert text in self.screen or self.process.poll() is None, f"it ended: {self.screen!r}"
        self.screen = self.screen[self.screen.index(text) + len(text) :]

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def end(self) -> tuple[int, str]:
        """The exit status, and the rest of the screen."""
        deadline = time.monotonic() + SECONDS
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"it did not end: {self.screen!r}"
            self._read()
        while self._read():
            pass
        return self.process.returncode, self.screen.replace("\r\n", "\n")

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(timeout=SECONDS)
        os.close(self._master)
        os.close(self._slave)

    def _read(self) -> bool:
        readable, _, _ = select.select([self._master], [], [], 0.05)
        if readable:
            self.screen += os.read(self._master, 4096).decode()
        return bool(readable)


@pytest.fixture
def terminal() -> Iterator[Callable[..., Terminal]]:
    terminals: list[Terminal] = []

    def open_terminal(script: str, *arguments: str, env: dict[str, str]) -> Terminal:
        terminals.append(Terminal(script, *arguments, env=env))
        return terminals[-1]

    yield open_terminal
    for opened in terminals:
        opened.close()


TREES = {
    "PC with an NVIDIA GPU": ("Linux", "x86_64", {"proc/driver/nvidia/version": "NVRM version: NVIDIA UNIX x86_64\n"}),
    "PC without a GPU": ("Linux", "x86_64", {}),
    "Windows PC with a GPU, in WSL": ("Linux", "x86_64", {"dev/dxg": "", "usr/lib/wsl/lib/nvidia-smi": ""}),
    "DGX Spark": (
        "Linux",
        "aarch64",
        {"sys/class/dmi/id/product_name": "NVIDIA_DGX_Spark\n", "dev/nvidiactl": "", "etc/dgx-release": ""},
    ),
    "arm64 server without a GPU": ("Linux", "aarch64", {}),
    "Raspberry Pi": ("Linux", "aarch64", {"proc/device-tree/model": "Raspberry Pi 5 Model B Rev 1.0\0"}),
    "Jetson Orin": (
        "Linux",
        "aarch64",
        {
            "etc/nv_tegra_release": "# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic, EABI: aarch64\n",
            "proc/device-tree/model": "NVIDIA Jetson AGX Orin Developer Kit\0",
            "proc/device-tree/compatible": "nvidia,p3737-0000+p3701-0005\0nvidia,p3701-0005\0nvidia,tegra234\0",
        },
    ),
    "Jetson Orin on another maker's board": (
        "Linux",
        "aarch64",
        {
            "proc/device-tree/model": "reComputer J4012\0",
            "proc/device-tree/compatible": "vendor,j401\0nvidia,tegra234\0",
        },
    ),
    "Jetson Orin whose device tree is hidden": (
        "Linux",
        "aarch64",
        {"etc/nv_tegra_release": "# R36 (release), REVISION: 4.3\n"},
    ),
    "Jetson Thor": (
        "Linux",
        "aarch64",
        {
            "etc/nv_tegra_release": "# R38 (release), REVISION: 2.0, GCID: 41844464, BOARD: generic, EABI: aarch64\n",
            "proc/device-tree/model": "NVIDIA Jetson AGX Thor Developer Kit\0",
            "proc/device-tree/compatible": "nvidia,p3971-0089+p3834-0008\0nvidia,p3834-0008\0nvidia,tegra264\0",
        },
    ),
    "Jetson Thor whose device tree is hidden": (
        "Linux",
        "aarch64",
        {"etc/nv_tegra_release": "# R38 (release), REVISION: 2.0\n"},
    ),
    "Mac with Apple silicon": ("Darwin", "arm64", {}),
    "Mac with an Intel processor": ("Darwin", "x86_64", {}),
    "Jetson Xavier": (
        "Linux",
        "aarch64",
        {"proc/device-tree/compatible": "nvidia,p2822-0000+p2888-0001\0nvidia,p2972-0000\0nvidia,tegra194\0"},
    ),
    "Jetson TX2 whose device tree is hidden": ("Linux", "aarch64", {"etc/nv_tegra_release": "# R32 (release)\n"}),
    "32-bit board": ("Linux", "armv7l", {}),
    "Git Bash on Windows": ("MINGW64_NT-10.0-22631", "x86_64", {}),
}


def write_program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}")
    path.chmod(0o755)


@pytest.fixture
def machine(tmp_path) -> Callable[[str], dict[str, str]]:
    """The environment of a script on one of TREES: its `uname`, its system files, and no way to the internet."""

    def environment(kind: str) -> dict[str, str]:
        system, processor, files = TREES[kind]
        place = tmp_path / uuid.uuid4().hex
        for name, content in files.items():
            file = place / "root" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
        (place / "bin").mkdir(parents=True)
        (place / "tmp").mkdir()
        write_program(place / "bin/uname", f"case $1 in -s) echo {system} ;; -m) echo {processor} ;; esac\n")
        return {
            **os.environ,
            "PATH": f"{place / 'bin'}:{os.environ['PATH']}",
            "TMPDIR": str(place / "tmp"),
            "LIVE_VLM_SYSROOT": str(place / "root"),
            "LIVE_VLM_RELEASES_URL": NOTHING_LISTENS,
        }

    return environment


@pytest.fixture
def pc(machine) -> dict[str, str]:
    return machine("PC without a GPU")


@pytest.fixture
def with_only(tmp_path) -> Callable[..., dict[str, str]]:
    """An environment whose PATH holds the POSIX tools and the named programs alone."""

    def narrowed(env: dict[str, str], *programs: str) -> dict[str, str]:
        place = tmp_path / uuid.uuid4().hex
        place.mkdir()
        for program in (*TOOLS, *programs):
            found = sys.executable if program == "python3" else shutil.which(program)
            if found is None:
                pytest.skip(f"this machine has no {program}")
            # A wrapper and not a link: an interpreter finds its library from the path that it is called by.
            write_program(place / program, f'exec "{found}" "$@"\n')
        own = env["PATH"].partition(":")[0]
        return {**env, "PATH": f"{own}:{place}"}

    return narrowed


@dataclass
class Stub:
    """A registry that wants a bearer token of anybody, and a forge's list of releases, on one loopback port."""

    pages: list[list[str] | None] = field(default_factory=lambda: [[]])
    releases: list[list[str]] = field(default_factory=lambda: [[]])
    challenge: str = 'Bearer realm="{url}/token",service="stub registry",scope="repository:user/image:pull"'
    token_key: str = "token"
    token_status: int = 200
    status: int = 200
    next_link: str = '</v2/team/app/tags/list?last={page}&n=2>; rel="next"'
    url: str = ""
    asked: list[str] = field(default_factory=list)

    @property
    def host(self) -> str:
        return self.url.removeprefix("http://")

    @property
    def repository(self) -> str:
        return f"{self.host}/team/app"

    def answer(self, path: str, authorization: str | None) -> tuple[int, dict[str, str], object]:
        self.asked.append(path)
        parts = urlsplit(path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        if parts.path == "/token":
            good = query == {"service": "stub registry", "scope": "repository:team/app:pull"}
            return (self.token_status, {}, {self.token_key: "anybody.s-Token_1"}) if good else (400, {}, query)
        if parts.path == "/releases":
            page = int(query.get("page", 1))
            link = {"Link": f'<{self.url}/releases?page={page + 1}>; rel="next"'} if page < len(self.releases) else {}
            return 200, link, [{"tag_name": tag, "body": '"tag_name": "v9.9.9"'} for tag in self.releases[page - 1]]
        if self.status != 200:
            return self.status, {}, {"errors": [{"code": "UNKNOWN"}]}
        if parts.path != "/v2/team/app/tags/list":
            return 404, {}, {"errors": [{"code": "NAME_UNKNOWN"}]}
        if authorization != "Bearer anybody.s-Token_1":
            return (
                401,
                {"WWW-Authenticate": self.challenge.format(url=self.url)},
                {"errors": [{"code": "UNAUTHORIZED"}]},
            )
        page = int(query.get("last", 0))
        link = {"Link": self.next_link.format(page=page + 1)} if page + 1 < len(self.pages) else {}
        return 200, link, {"name": "team/app", "tags": self.pages[page]}


@pytest.fixture
def stub() -> Iterator[Stub]:
    state = Stub()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, content = state.answer(self.path, self.headers.get("Authorization"))
            body = json.dumps(content).encode()
            self.send_response(status)
            for key, value in {**headers, "Content-Type": "application/json", "Content-Length": len(body)}.items():
                self.send_header(key, str(value))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        state.url = f"http://127.0.0.1:{server.server_port}"
        yield state
        server.shutdown()
        thread.join()


SERVE = """\
#!/bin/sh
# Stands in for live-vlm-webui: says where it listens as that does, and has its /healthz.
root=/www
host=127.0.0.1
while [ $# -gt 0 ]; do
    case $1 in
        --port) port=$2; shift ;;
        --host) host=$2; shift ;;
        --crash) echo "the camera is on fire" >&2; exit 3 ;;
        --sick) root=/bin ;;
        --slow) echo "loading"; exec busybox sleep 600 ;;
    esac
    shift
done
echo "$port" >/tmp/port
echo "live-vlm-webui $VERSION is ready: http://127.0.0.1:$port/ (Ctrl-C stops)"
exec busybox httpd -f -p "$host:$port" -h $root
"""
HEALTH = (
    "HEALTHCHECK --interval=1s --timeout=2s --retries=8"
    " CMD busybox wget -q -O /dev/null http://127.0.0.1:$(busybox cat /tmp/port)/healthz"
)
DOCKERFILE = """\
ARG BASE
FROM $BASE
COPY --chmod=755 serve /serve
COPY healthz /www/healthz
COPY empty /tmp/
ARG PORT
ENV port=$PORT
{health}
STOPSIGNAL SIGKILL
ENTRYPOINT ["/bin/sh", "/serve"]
ARG VERSION
ENV VERSION=$VERSION
"""


def run_docker(*arguments: str, check: bool = True) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=120, check=False)
    assert not check or done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def docker() -> Callable[..., str]:
    return run_docker


@pytest.fixture
def other_port() -> int:
    return free_port()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@dataclass(frozen=True)
class Published:
    """Images in the registry: 0.1.0 (without a health check), 0.2.0-rc.1, 0.10.0; and 0.2.0, for every platform."""

    repository: str
    port: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/"


@pytest.fixture(scope="session")
def published(tmp_path_factory) -> Iterator[Published]:
    for variable in ("TEST_REGISTRY", "TEST_BASE_IMAGE"):
        if variable not in os.environ:
            pytest.skip(f"{variable} is not set: there is no registry to publish images to")
    if shutil.which("docker") is None:
        pytest.skip("no docker program")
    info = subprocess.run(["docker", "info"], capture_output=True, text=True, timeout=30, check=False)
    if info.returncode != 0:
        pytest.skip(f"`docker info` fails: {info.stderr.strip()}")
    context = tmp_path_factory.mktemp("image")
    (context / "serve").write_text(SERVE)
    (context / "healthz").write_text('{"status": "ok"}\n')
    (context / "empty").mkdir()
    repository = f"{os.environ['TEST_REGISTRY']}/scripts-{uuid.uuid4().hex[:8]}/live-vlm-webui"
    port = free_port()
    base = os.environ["TEST_BASE_IMAGE"]
    for version, tags in {
        "0.1.0": ["0.1.0", "0.1"],
        "0.2.0": ["0.2.0", "0.2", "0.2.0-rc.1", "0.2.0-jetson-orin", "0.2.0-jetson-thor", "0.2.0-mac", "latest-jetson"],
        "0.10.0": ["0.10.0", "0.10", "latest"],
    }.items():
        names = [argument for tag in tags for argument in ("--tag", f"{repository}:{tag}")]
        arguments = ["--build-arg", f"BASE={base}", "--build-arg", f"VERSION={version}", "--build-arg", f"PORT={port}"]
        # The first is as images were that had no health check.
        health = "HEALTHCHECK NONE" if version == "0.1.0" else HEALTH
        (context / "Dockerfile").write_text(DOCKERFILE.format(health=health))
        run_docker("buildx", "build", "--quiet", "--provenance=false", "--push", *arguments, *names, str(context))
    yield Published(repository, port)
    for image in run_docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", repository).splitlines():
        run_docker("image", "rm", "--force", image, check=False)


@pytest.fixture
def container(published) -> Iterator[str]:
    """A name for a container and its volume, which are gone after the test."""
    name = f"live-vlm-webui-test-{uuid.uuid4().hex[:8]}"
    yield name
    run_docker("container", "rm", "--force", name, f"{name}-replaced", check=False)
    run_docker("volume", "rm", "--force", f"{name}-data", check=False)
