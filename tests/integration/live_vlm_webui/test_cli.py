from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from urllib.request import urlopen

import pytest

import live_vlm_webui

HEAVY = {"aiohttp", "asyncio", "ssl", "logging", "socket", "http", "dataclasses", "typing"}


def run(command, *arguments):
    return subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=30, check=False)


def test_version_and_nothing_else_is_printed(command):
    done = run(command, "--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"live-vlm-webui {live_vlm_webui.__version__}\n", "")


def test_the_module_is_the_same_command():
    done = run([sys.executable, "-m", "live_vlm_webui"], "--version")
    assert done.stdout == f"live-vlm-webui {live_vlm_webui.__version__}\n"


@pytest.mark.parametrize(
    "code",
    [
        "import live_vlm_webui",
        "from live_vlm_webui.cli import main; main(['--version'])",
        "from live_vlm_webui.cli import main; main(['--help'])",
    ],
)
def test_answering_without_a_server_loads_nothing_heavy(code):
    program = f"""
import sys
before = set(sys.modules)
try:
    {code}
except SystemExit:
    pass
sys.stderr.write("\\n".join(set(sys.modules) - before))
"""
    done = run([sys.executable, "-c"], program)
    loaded = {name.partition(".")[0] for name in done.stderr.split()}
    assert done.returncode == 0
    assert not loaded & HEAVY
    assert loaded - sys.stdlib_module_names == {"live_vlm_webui"}


def test_bad_arguments_exit_with_2(command):
    done = run(command, "--port", "many")
    assert done.returncode == 2
    assert done.stderr.endswith("live-vlm-webui: error: argument --port: invalid int value: 'many'\n")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "camera.example"])
def test_a_host_that_others_could_reach_is_refused_with_2(command, host):
    done = run(command, "--host", host, "--port", "0")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "no login" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_ready_server_prints_one_line_with_its_address(start_server):
    server = start_server("--port", "0")
    assert server.ready_line == (
        f"live-vlm-webui {live_vlm_webui.__version__} is ready: http://127.0.0.1:{server.port}/ (Ctrl-C stops)\n"
    )
    with urlopen(f"{server.url}healthz", timeout=5) as answer:
        assert json.load(answer) == {"status": "ok", "version": live_vlm_webui.__version__}


def test_ipv6_loopback_is_served_where_the_machine_has_it(start_server):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as error:
        pytest.skip(f"no IPv6 loopback: {error}")
    server = start_server("--host", "::1", "--port", "0")
    assert server.url == f"http://[::1]:{server.port}/"
    with urlopen(f"{server.url}healthz", timeout=5) as answer:
        assert answer.status == 200


def test_a_taken_port_is_told_with_a_way_out(command):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = run(command, "--port", str(port))
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        f"live-vlm-webui: Port {port} on 127.0.0.1 is in use by another program, perhaps another live-vlm-webui.\n"
        "Stop that program, choose another port with --port, or give --auto-port to take the next free one.\n"
    )


def test_auto_port_takes_the_next_free_one_and_says_so(start_server):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        server = start_server("--port", str(port), "--auto-port")
    assert port < server.port < port + 100
    server.process.terminate()
    _, told = server.process.communicate(timeout=10)
    assert f"port {port} is in use: taking {server.port}" in told


def test_auto_port_keeps_a_port_that_is_free(start_server):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
    server = start_server("--port", str(port), "--auto-port")
    assert server.port == port


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("held", [False, True], ids=["alone", "with an open connection"])
def test_a_signal_stops_it_within_three_seconds_with_0_and_no_traceback(start_server, number, held):
    server = start_server("--port", "0")
    browser = socket.create_connection(("127.0.0.1", server.port)) if held else None
    if browser:
        browser.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert browser.recv(4096).startswith(b"HTTP/1.1 200")
    began = time.monotonic()
    server.process.send_signal(number)
    rest, told = server.process.communicate(timeout=10)
    took = time.monotonic() - began
    if browser:
        browser.close()
    assert server.process.returncode == 0
    assert took < 3
    assert rest == ""
    assert told.endswith("INFO live_vlm_webui.server: stopped\n")
    assert told.count("\n") == 1


def test_a_port_can_be_taken_again_right_after_a_stop(start_server):
    server = start_server("--port", "0")
    with urlopen(server.url, timeout=5) as answer:
        answer.read()
    server.process.terminate()
    server.process.communicate(timeout=10)
    assert start_server("--port", str(server.port)).port == server.port


@pytest.mark.parametrize(("level", "logged"), [("debug", True), ("info", False)])
def test_requests_are_logged_at_debug_only(start_server, level, logged):
    server = start_server("--port", "0", "--log-level", level)
    with urlopen(f"{server.url}healthz", timeout=5) as answer:
        answer.read()
    server.process.terminate()
    _, told = server.process.communicate(timeout=10)
    assert ("GET /healthz" in told) is logged


def test_warning_says_nothing_of_an_ordinary_run(start_server):
    server = start_server("--port", "0", "--log-level", "warning")
    server.process.terminate()
    assert server.process.communicate(timeout=10) == ("", "")
