from __future__ import annotations

import socket
import ssl
import time
from datetime import datetime, timedelta, timezone

import pytest
from aiohttp import ClientSession, TCPConnector, web
from aiohttp.abc import AbstractResolver
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from live_vlm_webui.errors import ModelError
from live_vlm_webui.media.picture import Picture
from live_vlm_webui.models.endpoint import Endpoint
from live_vlm_webui.models.model import ModelLabel, Question
from live_vlm_webui.models.openai import Limits, OpenAIModel

QUESTION = Question("What is this?", (Picture(b"jpeg", 4, 3),), 100)


async def failure_at(api_base, http, limits=None) -> ModelError:
    endpoint = Endpoint(api_base)
    model = OpenAIModel(ModelLabel(endpoint.api_base, "some-vlm"), endpoint, http, limits=limits)
    with pytest.raises(ModelError) as caught:
        [delta async for delta in model.answer(QUESTION)]
    assert endpoint.api_base in caught.value.message
    return caught.value


async def test_a_port_on_which_nothing_listens_is_told_at_once(http):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    error = await failure_at(f"http://127.0.0.1:{port}", http)
    assert error.code == "unreachable"
    assert "Connection refused" in error.message
    assert "container" in error.remedy


async def test_a_host_that_takes_no_connection_is_not_waited_for(http):
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        waiting = [socket.socket() for _ in range(8)]
        for one in waiting:  # the queue of connections is full
            one.setblocking(False)
            one.connect_ex(deaf.getsockname())
        began = time.monotonic()
        error = await failure_at(f"http://127.0.0.1:{deaf.getsockname()[1]}", http, Limits(connect=0.3))
        assert time.monotonic() - began < 60
        for one in waiting:
            one.close()
    assert error.code == "unreachable"
    assert "does not accept connections" in error.message


class NoNames(AbstractResolver):
    async def resolve(self, host, *_, **__):
        raise OSError(f"no such name: {host}")

    async def close(self):
        pass


async def test_a_name_that_is_not_known_is_told():
    async with ClientSession(connector=TCPConnector(resolver=NoNames())) as http:
        error = await failure_at("http://no-such-host.example:8000", http)
    assert error.code == "unreachable"
    assert "no-such-host.example" in error.message


async def test_a_server_without_a_trusted_certificate_is_not_asked(http, tmp_path):
    asked = []

    async def answer(request):
        asked.append(request)
        return web.json_response({})

    app = web.Application()
    app.router.add_post("/v1/chat/completions", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=own_certificate(tmp_path))
    await site.start()
    port = runner.addresses[0][1]
    try:
        error = await failure_at(f"https://127.0.0.1:{port}", http)
        plain = await failure_at(f"http://127.0.0.1:{port}", http)
    finally:
        await runner.cleanup()
    assert not asked
    assert error.code == "unreachable"
    assert "certificate" in error.message
    assert plain.code in {"unreachable", "bad-answer"}


async def test_https_to_a_server_without_it_is_told(http):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(5)
        error = await failure_at(f"https://127.0.0.1:{silent.getsockname()[1]}", http, Limits(first_token=0.5))
    assert error.code in {"timeout", "unreachable"}


def own_certificate(directory) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = directory / "own.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context
