"""Identities of jobs, and attestations that the index's stand-in signs for them."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from pypi_attestations import AttestationType

from releaser.rehearsal.authority import Authority, statement_of
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
    answer = requests.post(f"{url}/_/sigstore/attest", json=body, timeout=60)
    assert answer.status_code == 200, answer.text
    return json.loads(answer.text)


def hold_attestations(
    world: Path, repository: str, /, *, workflow: str = "up.yml", sha256: str = "", **told: str
) -> None:
    """Put an attestation of each file into the world of an index that does not run, or that is started after this.

    Args:
        world: The index's folder.
        repository: The publisher's.
        workflow: Of the job that signed; empty leaves files without attestations.
        sha256: What is attested instead of a file's own digest.
        told: What the index says of the publisher; the signing job has this environment, too.
    """
    authority = Authority(world, lambda: datetime.now(timezone.utc))
    job = claims_of_job(repository, workflow, environment=told.get("environment", "release"))
    publisher = {"kind": "GitHub", "repository": repository, "workflow": "up.yml", "environment": "release", **told}
    document = json.loads((world / "index.json").read_text())
    for project in document["projects"].values():
        for name, file in [one for release in project["releases"].values() for one in release["files"].items()]:
            made = authority.attest(statement_of(name, sha256 or file["digests"]["sha256"], PUBLISH), job)
            bundle = {"publisher": publisher, "attestations": [made]}
            file["provenance"] = {"version": 1, "attestation_bundles": [bundle]} if workflow else None
    (world / "index.json").write_text(json.dumps(document))


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
