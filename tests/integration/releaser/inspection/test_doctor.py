"""`invoke doctor`: what would go wrong, before anything does."""

from __future__ import annotations

import base64
import json
import os
from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import urlsplit

from harness.scene import Ran, Scene, git
from harness.stand_ins import READ_ONLY

from releaser.core.journal import Journal
from releaser.secret import Redactor

FINE = "github_pat_of_gh_7Yt5Rw2Qp9"
WORKFLOW = """on:
  push:
    tags:
      - "release-*"
jobs:
  publish:
    environment: release
    permissions:
      id-token: write
"""


def doctor(scene: Scene, *words: str, **env: str | None) -> Ran:
    with scene.unchanged():
        return scene.run("doctor", *words, "--json", **env)


def rows(ran: Ran, kind: str) -> str:
    """Return what was found of a kind, a line each."""
    found = [one for one in json.loads(ran.out)["findings"] if one["kind"] == kind]
    return "\n".join(f"{one['about']} {one['name']}: {one['says']} -> {one['remedy']}" for one in found)


def upload_token(host: str, *caveats: object) -> str:
    """Return a token of an index, with these restrictions."""
    packed = b"\x02" + bytes([1, len(host)]) + host.encode() + b"\x02\x02id\x00"
    for caveat in caveats:
        text = json.dumps(caveat).encode()
        packed += b"\x02" + bytes([len(text)]) + text + b"\x00"
    return "pypi-" + base64.urlsafe_b64encode(packed + b"\x00").decode()


def test_a_project_that_can_be_released(scene: Scene) -> None:
    ran = doctor(scene)
    assert ran.code == 0, ran.text
    assert json.loads(ran.out)["version"] == "0.1.1"
    right = rows(ran, "right")
    assert "credentials GITHUB_TOKEN: " in right
    for service in ("testpypi", "pypi", "forge", "git remote origin"):
        assert f"network {service}: answers in " in right


def test_a_release_that_failed_is_explained_first(scene: Scene) -> None:
    journal = Journal(scene.store / "journal.jsonl", Redactor())
    journal.write("begin", version="0.2.0", command=["release"], skipped={})
    journal.write("started", step="upload_pypi")
    journal.write("finished", step="upload_pypi", outcome="failed", says="pypi refused the upload", seconds=1.0)
    journal.write("end", outcome="ServiceError", message="upload_pypi: pypi refused the upload")
    ran = doctor(scene)
    first = json.loads(ran.out)["findings"][0]
    assert (first["about"], first["name"], first["kind"]) == ("releases before", "0.2.0", "wrong")
    assert "upload_pypi: pypi refused the upload" in first["says"]
    assert "`invoke release --version 0.2.0`" in first["remedy"]


def test_a_release_that_was_killed_is_told_apart(scene: Scene) -> None:
    journal = Journal(scene.store / "journal.jsonl", Redactor())
    journal.write("begin", version="0.2.0", command=["release"], skipped={})
    journal.write("started", step="build_dists")
    assert "was killed or is running; last step: build_dists" in rows(doctor(scene), "warning")


def test_what_would_go_wrong_is_named_with_what_to_do(scene: Scene) -> None:
    scene.project.write(".github/workflows/release.yml", WORKFLOW)
    pypi = f'web-url = "{scene.pypi.url}"\n'
    scene.project.configure(pypi, f'{pypi}via = "ci"\n')
    scene.git("tag", "0.1.0")
    scene.git("push", "--quiet", "origin", "0.1.0")
    host = urlsplit(scene.testpypi.url).hostname or ""
    token = upload_token(host, [1, ["other"]])
    ran = doctor(scene, GITHUB_TOKEN=None, GH_TOKEN=READ_ONLY, TESTPYPI_TOKEN=token)
    assert ran.code == 1
    wrong = rows(ran, "wrong")
    assert "credentials GITHUB_TOKEN: it is not set; there is a token in GH_TOKEN -> Set GITHUB_TOKEN to it." in wrong
    assert "credentials GH_TOKEN: releaser at someone/tiny-thing; " in wrong
    assert "credentials testpypi: the token in TESTPYPI_TOKEN is for other, not for tiny-thing" in wrong
    assert "workflows release.yml: does not start for v0.1.1: its tags are release-*" in wrong
    assert "tags form: 0.1.0 does not have the form v{version}" in rows(ran, "warning")
    publisher = "owner someone, repository tiny-thing, workflow release.yml, environment release"
    assert f"PyPI must know: project tiny-thing, {publisher}" in rows(ran, "unproven")
    assert token not in ran.text
    assert READ_ONLY not in ran.text


def test_the_token_of_gh_is_found_and_when_tokens_end_is_told(scene: Scene, tmp_path: Path) -> None:
    gh = tmp_path / "programs" / "gh"
    gh.parent.mkdir()
    gh.write_text(f'#!/bin/sh\n[ "$1 $2" = "auth token" ] && echo {FINE} && exit\necho gh version 2.0.0\n')
    gh.chmod(0o755)
    scene.forge.grants[FINE] = "write"
    host = urlsplit(scene.testpypi.url).hostname or ""
    ended = upload_token(host, [1, ["tiny-thing"]], [0, 1_700_000_000, 1])
    lasting = upload_token(host, [1, ["tiny-thing"]], [0, 4_000_000_000, 1])
    path = f"{gh.parent}{os.pathsep}{os.environ['PATH']}"
    ran = doctor(scene, GITHUB_TOKEN=None, PATH=path, TESTPYPI_TOKEN=ended, PYPI_TOKEN=lasting)
    wrong, week = rows(ran, "wrong"), datetime.now(timezone.utc) + timedelta(days=7)
    assert "credentials GITHUB_TOKEN: it is not set; there is a token in gh auth token -> Run `export GITHUB" in wrong
    assert "credentials testpypi: the token in TESTPYPI_TOKEN ended at 2023-11-14 22:13 UTC" in wrong
    assert "for tiny-thing, until 2096-10-02 07:06 UTC; whether it was revoked is unproven" in rows(ran, "right")
    soon = rows(ran, "warning")
    assert "credentials gh auth token: releaser at someone/tiny-thing; no scopes (fine-grained" in soon
    assert f"ends {week:%Y-%m-%d} " in soon
    assert "-> Make a new one before it ends." in soon
    assert FINE not in ran.text


def test_a_shallow_clone_is_seen(scene: Scene) -> None:
    scene.project.write("more", "more")
    scene.project.commit()
    shallow = scene.others / "shallow"
    git(scene.origin, "clone", "--quiet", "--depth=1", f"file://{scene.origin}", shallow)
    ran = scene.run("doctor", "--json", where=shallow)
    assert "clone history: the clone is shallow" in rows(ran, "warning")
