"""The images' tasks where something is missing: a list of tags, an image in it, docker's buildx."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from releaser.config.load import load_config
from releaser.images.published import Proof
from releaser.images.start_script import picked_by_script
from releaser.versions.version import Version

REPOSITORY = Path(__file__).parents[4]
SUFFIXES = ("", "-jetson-orin", "-jetson-thor", "-mac")


class Listing(ThreadingHTTPServer):
    """A registry that lists tags to anybody, or refuses everybody."""

    daemon_threads = True
    tags: tuple[str, ...] = ()
    status = 200


class Handler(BaseHTTPRequestHandler):
    server: Listing

    def do_GET(self) -> None:
        content = json.dumps({"name": "team/app", "tags": self.server.tags}).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing on stderr."""


@pytest.fixture
def listing() -> Iterator[Listing]:
    with Listing(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def picked(listing: Listing) -> Proof:
    config = load_config(REPOSITORY)
    images = config.images.model_copy(update={"repository": f"127.0.0.1:{listing.server_port}/team/app"})
    proof = Proof()
    picked_by_script(proof, config.model_copy(update={"images": images}), REPOSITORY, Version.parse("0.2.0"))
    return proof


def test_the_start_script_lists_and_starts_what_is_published(listing) -> None:
    listing.tags = tuple(f"0.2.0{suffix}" for suffix in SUFFIXES)
    proof = picked(listing)
    assert proof.wrong == []
    assert proof.seen == ["scripts/start_container.sh lists 0.2.0 and starts it for every image"]


def test_an_image_that_the_start_script_does_not_find_is_named(listing) -> None:
    listing.tags = ("0.1.0-mac", *(f"0.2.0{suffix}" for suffix in SUFFIXES[:-1]))
    proof = picked(listing)
    (wrong,) = proof.wrong
    assert wrong.startswith("the tag 0.2.0-mac: ")
    assert "There is no version 0.2.0 for mac" in wrong
    assert proof.seen == []


def test_a_registry_that_lists_nothing_to_users_is_not_made_good_by_the_list_of_releases(listing, monkeypatch) -> None:
    listing.status = 403
    monkeypatch.setenv("LIVE_VLM_RELEASES_URL", "https://example.invalid/releases")
    proof = picked(listing)
    assert len(proof.wrong) == len(SUFFIXES)
    assert all("Versions cannot be listed" in wrong and "example.invalid" not in wrong for wrong in proof.wrong)


@pytest.mark.parametrize("words", [("docker.bake",), ("docker.build", "--platform", "mac")])
def test_a_docker_without_buildx_is_told_with_what_to_install(tmp_path, words) -> None:
    docker = tmp_path / "docker"
    docker.write_text('#!/bin/sh\n[ "$1" = version ] && echo 28.0.0\n')
    docker.chmod(0o755)
    env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "RELEASER_STATE_DIR": str(tmp_path / "state")}
    command = [sys.executable, "-m", "invoke", *words]
    done = subprocess.run(command, cwd=REPOSITORY, env=env, capture_output=True, text=True, timeout=60, check=False)
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "docker has no buildx here" in said
    assert "Install docker's buildx plugin" in said
    assert "DOCKER_HOST" not in said
