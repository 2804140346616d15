"""Identities of jobs, and attestations that the index's stand-in signs for them."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from pypi_attestations import AttestationType

from releaser.rehearsal.identity import claims_of_job, identity_for

PUBLISH = AttestationType.PYPI_PUBLISH_V1.value
REQUEST_TOKEN = "the-jobs-request-token"
SLSA = AttestationType.SLSA_PROVENANCE_V1.value


def identity(audience: str, secret: str, workflow: str = "release.yml", repository: str = "me/demo", **changes: Any):
    """Return a job's identity; `changes` are claims, and None leaves one out."""
    environment = changes.pop("environment", None)
    return identity_for(audience, {**claims_of_job(repository, workflow, environment=environment), **changes}, secret)


def attest(url: str, file: Path, token: str, **changes: str) -> dict[str, Any]:
    """Have the stand-in's authority sign for a file; `changes` replace its name, sha256 or predicate."""
    body = {"token": token, "name": file.name, "sha256": hashlib.sha256(file.read_bytes()).hexdigest(), **changes}
    answer = requests.post(f"{url}/_/sigstore/attest", json=body, timeout=10)
    assert answer.status_code == 200, answer.text
    return json.loads(answer.text)


@contextmanager
def identity_service(secret: str, **claims: Any) -> Iterator[dict[str, str]]:
    """Serve a job's identities as GitHub does; yield the variables that a job has for it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            (audience,) = parse_qs(urlsplit(self.path).query)["audience"]
            allowed = self.headers["Authorization"] == f"bearer {REQUEST_TOKEN}"
            content = json.dumps({"value": identity(audience, secret, **claims)}).encode()
            self.send_response(200 if allowed else 401)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_words: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield {
            "GITHUB_ACTIONS": "true",
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"http://127.0.0.1:{server.server_address[1]}/?api-version=2",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": REQUEST_TOKEN,
        }
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
