from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

import live_vlm_webui

HEAVY = {"aiohttp", "asyncio", "ssl", "logging", "socket", "http", "dataclasses", "typing"}


def run(command, *arguments, env=None):
    return subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=30, check=False, env=env)


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


@pytest.fixture
def buffered(environment):
    """The environment of a program that writes when its buffer is full or it ends, as is usual."""
    return {name: value for name, value in environment.items() if name != "PYTHONUNBUFFERED"}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("argument", ["--help", "doctor"])
def test_a_full_disk_is_told_without_a_traceback(command, argument, buffered):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*command, argument], stdout=full, stderr=subprocess.PIPE, text=True, check=False, env=buffered
        )
    assert done.returncode == 1
    assert done.stderr == (
        "live-vlm-webui: Standard output cannot be written: No space left on device\n"
        "-> Redirect it to a terminal, or to a file on a disk with free space.\n"
    )


def test_help_that_nobody_reads_to_its_end_is_no_error(command, buffered):
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([*command, "--help"], stdout=writing, stderr=subprocess.PIPE, check=False, env=buffered)
    os.close(writing)
    assert (done.stderr, done.returncode) == (b"", 0)


def test_a_server_whose_output_is_closed_serves_and_logs_its_address(command, environment):
    with subprocess.Popen(
        ["sh", "-c", 'exec "$@" >&-', "sh", *command, "--port", "0", "--no-ssl"],
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as server:
        line = next((line for line in server.stderr if "the page is at" in line), "")
        with urlopen(f"{line.split()[-1]}healthz", timeout=60) as answer:
            assert answer.status == 200
        server.terminate()
        said = server.stderr.read()
    assert "Traceback" not in said
    assert server.returncode == 0


def test_bad_arguments_exit_with_2(command):
    done = run(command, "--port", "many")
    assert done.returncode == 2
    assert done.stderr == "live-vlm-webui: --port: 'many' is not a whole number\n-> Use digits only.\n"


@pytest.mark.parametrize(
    ("arguments", "variables", "origin"),
    [
        (["--api-base", "http://2130706433/v1"], {}, "--api-base"),
        ([], {"LIVE_VLM_API_BASE": "http://2130706433/v1"}, "LIVE_VLM_API_BASE"),
    ],
)
def test_a_value_that_only_the_server_can_refuse_is_told_with_where_it_came_from(
    command, environment, arguments, variables, origin
):
    done = run(command, "--port", "0", *arguments, env={**environment, **variables})
    assert done.returncode == 2
    assert f"live-vlm-webui: {origin}: The API address is not a URL" in done.stderr


def test_a_ready_server_prints_one_line_with_its_address(start_server):
    server = start_server("--port", "0")
    assert server.ready_line == (
        f"live-vlm-webui {live_vlm_webui.__version__} is ready: https://127.0.0.1:{server.port}/ (Ctrl-C stops)\n"
    )
    with server.get("healthz") as answer:
        assert json.load(answer) == {"status": "ok", "version": live_vlm_webui.__version__}
    assert server.stop()[0] == ""


def test_no_ssl_serves_http(start_server):
    server = start_server("--port", "0", "--no-ssl")
    assert server.url == f"http://127.0.0.1:{server.port}/"
    with server.get("healthz") as answer:
        assert answer.status == 200
    assert not (server.data_dir / "tls").exists()


@pytest.mark.parametrize("host", ["::1", "::"])
def test_ipv6_is_served_where_the_machine_has_it(start_server, host):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as error:
        pytest.skip(f"no IPv6 loopback: {error}")
    server = start_server("--host", host, "--port", "0")
    assert server.url == f"https://[::1]:{server.port}/"
    with server.get("healthz") as answer:
        assert answer.status == 200
    if host == "::":
        with urlopen(f"https://127.0.0.1:{server.port}/healthz", timeout=60, context=server.trusting()) as answer:
            assert answer.status == 200


def test_a_taken_port_is_told_with_a_way_out(command):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = run(command, "--port", str(port))
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        f"live-vlm-webui: Port {port} on 127.0.0.1 is in use by another program, perhaps another live-vlm-webui\n"
        "-> Stop that program, choose another port with --port, or add --auto-port to use the next free port.\n"
    )


def test_auto_port_takes_the_next_free_one_and_says_so(start_server):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        server = start_server("--port", str(port), "--auto-port")
    assert port < server.port < port + 100
    server.process.terminate()
    _, told = server.process.communicate(timeout=60)
    assert f"port {port} is in use; using port {server.port}" in told


def test_auto_port_keeps_a_port_that_is_free(start_server):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
    server = start_server("--port", str(port), "--auto-port")
    assert server.port == port


@pytest.mark.alone
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("held", [False, True], ids=["alone", "with an open connection"])
def test_a_signal_stops_it_within_three_seconds_with_0_and_no_traceback(start_server, number, held):
    server = start_server("--port", "0", "--no-ssl")
    browser = socket.create_connection(("127.0.0.1", server.port)) if held else None
    if browser:
        browser.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert browser.recv(4096).startswith(b"HTTP/1.1 200")
    began = time.monotonic()
    server.process.send_signal(number)
    rest, told = server.process.communicate(timeout=60)
    took = time.monotonic() - began
    if browser:
        browser.close()
    assert server.process.returncode == 0
    assert took < 3
    assert rest == ""
    assert told.endswith("INFO live_vlm_webui.server.serve: stopped\n")
    assert told.count("\n") == 1


def test_a_port_can_be_taken_again_right_after_a_stop(start_server):
    server = start_server("--port", "0")
    with server.get("") as answer:
        answer.read()
    server.process.terminate()
    server.process.communicate(timeout=60)
    assert start_server("--port", str(server.port)).port == server.port


def test_what_is_no_http_is_not_logged_at_length_nor_repeated(start_server):
    server = start_server("--port", "0", "--no-ssl")
    for sent in (b"GET * planted\r\n\r\n", b"\x00\xffplanted\r\n\r\n", b"GET / HTTP/1.1\r\nX: pla\x00nted\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
            connection.sendall(sent)
            assert connection.recv(4096).startswith(b"HTTP/1.")
    _, told = server.stop()
    assert told.count("\n") == 1
    assert "planted" not in told


@pytest.mark.parametrize(("level", "logged"), [("debug", True), ("info", False)])
def test_requests_are_logged_at_debug_only(start_server, level, logged):
    server = start_server("--port", "0", "--log-level", level)
    with server.get("healthz?planted=planted") as answer:
        answer.read()
    with pytest.raises(HTTPError, match="400"):
        server.get("static/app.js?token=planted")
    _, told = server.stop()
    assert ("GET /healthz 200" in told) is logged
    assert ("GET /static/app.js 400" in told) is logged
    assert "planted" not in told


def test_warning_says_nothing_of_an_ordinary_run(start_server):
    server = start_server("--port", "0", "--log-level", "warning")
    server.process.terminate()
    assert server.process.communicate(timeout=60) == ("", "")
