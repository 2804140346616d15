"""Real reverse proxies before a server, configured as docs/security.md has it."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
CADDY = shutil.which("caddy")
DOCUMENTATION = Path(__file__).parents[2] / "docs" / "security.md"
START_SECONDS = 120.0
DOCUMENTED_SERVER = "127.0.0.1:8090"

NGINX_FILE = """
daemon off;
master_process off;
pid nginx.pid;
error_log error.log;
events {{ }}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}
    server {{
        listen 127.0.0.1:{port} {ssl};
{block}
    }}
}}
"""
CADDY_FILE = """
{{
    admin off
    auto_https off
}}
http://127.0.0.1:{port} {{
{block}
}}
"""


def free_port() -> int:
    """Return a port that was free a moment ago: these proxies cannot choose their own."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def documented(language: str, server_port: int) -> list[str]:
    """Return the blocks of a language in the documentation, with the port of a server."""
    text = DOCUMENTATION.read_text("utf-8").replace(DOCUMENTED_SERVER, f"127.0.0.1:{server_port}")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def at_the_root(server_port: int) -> str:
    """Return nginx's documented block for a server of its own name."""
    return documented("nginx", server_port)[0]


def below_a_path(server_port: int) -> str:
    """Return nginx's documented block for /vlm/."""
    whole, head = documented("nginx", server_port)
    return head + "".join(whole.splitlines(keepends=True)[2:])


@contextmanager
def nginx(directory: Path, port: int, block: str, ssl: bool = False) -> Iterator[None]:
    """Run nginx; with `ssl`, it uses cert.pem and key.pem in its directory."""
    if ssl:
        block = f"ssl_certificate cert.pem; ssl_certificate_key key.pem;\n{block}"
    (directory / "nginx.conf").write_text(NGINX_FILE.format(port=port, ssl="ssl" if ssl else "", block=block))
    with _running([NGINX, "-p", directory, "-c", "nginx.conf", "-e", "error.log"], port, directory):
        yield


@contextmanager
def caddy(directory: Path, port: int, block: str) -> Iterator[None]:
    """Run Caddy."""
    (directory / "Caddyfile").write_text(CADDY_FILE.format(port=port, block=block))
    with _running([CADDY, "run", "--config", directory / "Caddyfile", "--adapter", "caddyfile"], port, directory):
        yield


@contextmanager
def _running(command: list[str | Path | None], port: int, directory: Path) -> Iterator[None]:
    env = {**os.environ, "XDG_CONFIG_HOME": str(directory), "XDG_DATA_HOME": str(directory)}  # where Caddy writes
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=env) as proxy:
        try:
            end = time.monotonic() + START_SECONDS
            while not _accepts(port):
                assert proxy.poll() is None, proxy.stderr.read()
                assert time.monotonic() < end
                time.sleep(0.05)
            yield
        finally:
            proxy.terminate()


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
