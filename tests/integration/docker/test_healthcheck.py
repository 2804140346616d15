from __future__ import annotations

import importlib.util
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import IPv6Address
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "docker/healthcheck.py"
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's /proc")


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/healthz" else 404)
        self.end_headers()

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def healthcheck():
    spec = importlib.util.spec_from_file_location("healthcheck", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def serve() -> Iterator[Callable[..., int]]:
    """Serve with a handler, perhaps by HTTPS; returns the port."""
    servers = []

    def start(handler: type[BaseHTTPRequestHandler] = Handler, tls: ssl.SSLContext | None = None) -> int:
        server = HTTPServer(("127.0.0.1", 0), handler)
        server.handle_error = lambda *_: None
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        servers.append((server, thread))
        return server.server_port

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_server_that_answers_is_asked_by_http(healthcheck, serve):
    assert healthcheck.ask("127.0.0.1", serve()).startswith("HTTP/1.0 200")


def test_an_https_server_is_queried_over_https_with_any_certificate(healthcheck, serve, tmp_path):
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subject = ("-subj", "/CN=somewhere-else", "-days", "1", "-nodes", "-newkey", "ec", "-pkeyopt")
    words = ["openssl", "req", "-x509", *subject, "ec_paramgen_curve:P-256", "-keyout", key, "-out", certificate]
    subprocess.run(words, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    assert healthcheck.ask("127.0.0.1", serve(tls=context)).startswith("HTTP/1.0 200")


def test_an_ill_server_is_told_with_its_words(healthcheck, serve, monkeypatch, capsys):
    class Ill(Handler):
        def do_GET(self):
            self.send_error(503, "Out of breath")

    port = serve(Ill)
    monkeypatch.setattr(healthcheck, "listening", lambda: [("127.0.0.1", port)])
    assert healthcheck.main() == 1
    assert capsys.readouterr().out == f"127.0.0.1 port {port} responds to /healthz with 'HTTP/1.0 503 Out of breath'.\n"


def test_one_that_answers_among_several_is_enough(healthcheck, serve, monkeypatch, capsys):
    with socket.create_server(("127.0.0.1", 0)) as gone:
        closed = gone.getsockname()[1]
    port = serve()
    monkeypatch.setattr(healthcheck, "listening", lambda: [("127.0.0.1", closed), ("127.0.0.1", port)])
    assert healthcheck.main() == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.2"])
def test_the_kernel_says_where_a_process_listens(healthcheck, address):
    with socket.create_server((address, 0)) as listener:
        assert (address, listener.getsockname()[1]) in healthcheck.listening()


@pytest.mark.parametrize(
    ("address", "expected"),
    [("::1", "::1"), ("::", "::1"), ("2001:db8::7:1", "2001:db8::7:1"), ("::ffff:127.0.0.1", "::ffff:127.0.0.1")],
)
def test_the_kernels_words_are_read_in_the_machines_byte_order(healthcheck, address, expected):
    packed = IPv6Address(address).packed
    words = [int.from_bytes(packed[at : at + 4], sys.byteorder) for at in range(0, 16, 4)]
    assert healthcheck.readable("".join(f"{word:08X}" for word in words)) == expected


def test_any_address_of_ipv4_means_loopback(healthcheck):
    assert healthcheck.readable("00000000") == "127.0.0.1"
