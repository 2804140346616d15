"""How a server is stopped, however much it is in use and whatever does not want to end."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest

from live_vlm_webui.server.serve import SAME_SECONDS

STUBBORN = Path(__file__).parents[3] / "tools" / "stubborn_server.py"
START_SECONDS = 120
STOP_SECONDS = 3.0


@pytest.fixture
def start_stubborn(environment) -> Iterator[Callable[[str], tuple[subprocess.Popen[str], str]]]:
    """Start ``stubborn_server.py``; returns the process and its address."""
    processes = []

    def start(fault: str) -> tuple[subprocess.Popen[str], str]:
        process = subprocess.Popen(
            [sys.executable, str(STUBBORN), fault],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        processes.append(process)
        readable, _, _ = select.select([process.stdout], [], [], START_SECONDS)
        line = process.stdout.readline() if readable else ""
        if " is ready: " not in line:
            process.kill()
            pytest.fail(f"it did not become ready: {line!r} {process.communicate()[1]}")
        return process, line.split(" is ready: ")[1].split(" ")[0]

    yield start
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=60)


def ask(url: str, path: str, *headers: str) -> socket.socket:
    """Send a request and wait until its answer begins, unless it never does."""
    parts = urlsplit(url)
    connection = socket.create_connection((parts.hostname, parts.port), timeout=60)
    if parts.scheme == "https":
        trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trusting.check_hostname = False
        trusting.verify_mode = ssl.CERT_NONE
        connection = trusting.wrap_socket(connection)
    lines = [f"GET {path} HTTP/1.1", "Host: localhost", *headers, "", ""]
    connection.sendall("\r\n".join(lines).encode())
    if path != "/deaf":
        assert connection.recv(4096)
    else:
        time.sleep(0.2)  # nothing tells that a handler without an answer has begun
    return connection


UPGRADE = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)


def stop(process: subprocess.Popen[str], number: int = signal.SIGTERM) -> tuple[float, str]:
    """How many seconds it took to end, and what it said."""
    began = time.monotonic()
    process.send_signal(number)
    _, told = process.communicate(timeout=60)
    return time.monotonic() - began, told


@pytest.mark.alone
@pytest.mark.parametrize("fault", ["http", "https"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_streams_and_websockets_do_not_hold_it(start_stubborn, number, fault):
    process, url = start_stubborn(fault)
    held = [ask(url, "/stream") for _ in range(3)] + [ask(url, "/ws", *UPGRADE) for _ in range(3)]
    took, told = stop(process, number)
    for connection in held:
        connection.close()
    assert process.returncode == 0
    assert took < STOP_SECONDS
    assert told.endswith("INFO live_vlm_webui.server.serve: stopped\n")
    assert "Traceback" not in told
    assert "unclosed" not in told


@pytest.mark.alone
@pytest.mark.parametrize("fault", ["thread", "part"])
def test_what_does_not_end_is_left_after_less_than_three_seconds_and_named(start_stubborn, fault):
    process, _ = start_stubborn(fault)
    took, told = stop(process)
    assert process.returncode == 1
    assert took < STOP_SECONDS
    assert "not stopped within 2.7 s" in told
    if fault == "thread":
        assert "decoder of a silent host" in told


@pytest.mark.alone
def test_a_handler_that_does_not_listen_is_left(start_stubborn):
    process, url = start_stubborn("http")
    held = ask(url, "/deaf")
    took, _ = stop(process)
    held.close()
    assert took < STOP_SECONDS


@pytest.mark.alone
def test_a_second_ctrl_c_ends_it_at_once(start_stubborn):
    process, _ = start_stubborn("part")
    process.send_signal(signal.SIGINT)
    time.sleep(2 * SAME_SECONDS)  # a second one that comes sooner is taken for the first
    assert process.poll() is None
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert time.monotonic() - began < 1.5


@pytest.mark.alone
def test_the_same_signal_twice_in_a_moment_is_one(start_stubborn):
    process, url = start_stubborn("http")
    held = ask(url, "/stream")
    process.send_signal(signal.SIGINT)
    time.sleep(0.05)
    _, told = stop(process, signal.SIGINT)
    held.close()
    assert process.returncode == 0
    assert told.endswith("stopped\n")


def test_the_file_of_the_process_is_there_while_it_runs(start_server):
    server = start_server("--port", "0")
    files = list((server.data_dir / "run").iterdir())
    assert [file.name for file in files] == [f"{server.port}@127.0.0.1.pid"]
    server.stop()
    assert list((server.data_dir / "run").iterdir()) == []


# live-vlm-webui-stop


@pytest.fixture
def stop_command(environment) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run ``live-vlm-webui-stop``; the module where the command is not installed."""
    script = Path(sys.executable).with_name("live-vlm-webui-stop")
    command = [str(script)] if script.exists() else [sys.executable, "-m", "live_vlm_webui.stop"]

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, *arguments], capture_output=True, text=True, timeout=30, check=False, env=environment
        )

    return run


def test_the_only_server_is_stopped_and_that_is_said(start_server, stop_command):
    server = start_server("--port", "0")
    done = stop_command()
    assert server.process.wait(timeout=60) == 0
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        f"Stopped {server.url} (process {server.process.pid}).\n",
        "",
    )


def test_of_two_servers_the_one_on_that_port_is_stopped(start_server, stop_command):
    one, two = start_server("--port", "0"), start_server("--port", "0")
    unclear = stop_command()
    assert unclear.returncode == 2
    assert str(one.port) in unclear.stderr
    assert str(two.port) in unclear.stderr
    done = stop_command("--port", str(two.port))
    assert done.returncode == 0
    assert two.process.wait(timeout=60) == 0
    assert one.process.poll() is None


@pytest.mark.parametrize("arguments", [[], ["--port", "8090"]])
def test_where_none_runs_that_is_said_with_3(stop_command, data_dir, arguments):
    done = stop_command(*arguments)
    assert done.returncode == 3
    assert done.stdout.startswith("No live-vlm-webui with the data directory")
    assert str(data_dir) in done.stdout


def test_after_a_kill_the_file_is_removed_and_nothing_is_stopped(start_server, stop_command):
    server = start_server("--port", "0")
    server.process.kill()
    server.process.wait()
    done = stop_command()
    assert done.returncode == 3
    assert "its server is no longer running" in done.stdout
    assert list((server.data_dir / "run").iterdir()) == []


def test_another_process_with_the_same_number_is_not_touched(start_server, stop_command):
    server = start_server("--port", "0")
    (file,) = (server.data_dir / "run").iterdir()
    held = file.read_text()
    server.stop()
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", "live-vlm-webui"]) as other:
        file.write_text(re.sub(r'"pid": \d+', f'"pid": {other.pid}', held))
        done = stop_command()
        assert other.poll() is None
        other.kill()
    assert done.returncode == 3


def test_a_server_in_another_container_is_not_touched(start_server, stop_command):
    server = start_server("--port", "0")
    (file,) = (server.data_dir / "run").iterdir()
    file.write_text(re.sub(r'"place": "[^"]*"', '"place": "other-host pid:[1]"', file.read_text()))
    done = stop_command()
    assert done.returncode == 3
    assert "started in another container" in done.stdout
    assert server.process.poll() is None
    assert file.exists()


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"pid": "x"}', "\x00"])
def test_a_broken_file_is_removed(stop_command, data_dir, content):
    (data_dir / "run").mkdir(parents=True)
    (data_dir / "run" / "8090@127.0.0.1.pid").write_text(content)
    assert stop_command().returncode == 3
    assert list((data_dir / "run").iterdir()) == []


def test_an_unreadable_file_is_left_to_its_owner(stop_command, data_dir):
    unreadable = data_dir / "run" / "8090@127.0.0.1.pid"
    unreadable.mkdir(parents=True)
    done = stop_command()
    assert done.returncode == 1
    assert f"{unreadable} cannot be read" in done.stdout
    assert unreadable.exists()


def test_a_server_that_is_suspended_is_named_with_the_way_to_end_it(start_server, environment):
    server = start_server("--port", "0")
    os.kill(server.process.pid, signal.SIGSTOP)
    program = "import sys; from live_vlm_webui import stop; stop.WAIT_SECONDS = 0.2; sys.exit(stop.main([]))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False, env=environment
    )
    os.kill(server.process.pid, signal.SIGCONT)
    assert done.returncode == 1
    assert f"kill -KILL {server.process.pid}" in done.stdout


def test_bad_arguments_exit_with_2(stop_command):
    assert stop_command("--port", "many").returncode == 2
    assert stop_command("stray").returncode == 2
    assert stop_command("--version").stdout.startswith("live-vlm-webui-stop ")


# The product in use


def test_it_stops_in_time_with_sessions_websockets_and_previews_open(start_server):
    server = start_server("--port", "0")
    opened = [ask(server.url, "/ws", *UPGRADE) for _ in range(4)]
    sessions = []
    for _ in range(3):
        request = Request(f"{server.url}api/sessions", data=b"{}", headers={"Content-Type": "application/json"})
        with urlopen(request, timeout=60, context=server.trusting()) as answer:
            sessions.append(json.load(answer)["id"])
    idle = ask(server.url, "/healthz")
    took, told = stop(server.process)
    for connection in (*opened, idle):
        connection.close()
    assert server.process.returncode == 0
    assert took < STOP_SECONDS
    assert told.endswith("INFO live_vlm_webui.server.serve: stopped\n")
    assert "Traceback" not in told
    assert "unclosed" not in told
