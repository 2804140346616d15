"""`invoke verify`: what is published, asked of services that hold it."""

from __future__ import annotations

import json
import shutil
from datetime import datetime, timezone

import pytest
import requests
from attested import hold_attestations
from harness.scene import REPOSITORY, Ran, Scene, git

from releaser.core.files import SUMS, sha256
from releaser.rehearsal.authority import Authority, provenance_of_build
from releaser.rehearsal.identity import claims_of_job

SDIST, WHEEL = "tiny_thing-0.2.0.tar.gz", "tiny_thing-0.2.0-py3-none-any.whl"


@pytest.fixture
def published(scene: Scene) -> Scene:
    """0.2.0 on index, forge and remote; nothing of it is kept here but the clone."""
    release = scene.with_dists()
    dists = release.built()
    for path in dists.uploads:
        scene.pypi.accept(path, "tiny-thing", "0.2.0")
    commit = release.must_have_commit()
    scene.git("tag", "--annotate", "v0.2.0", commit, "--message", "Release version 0.2.0")
    scene.git("push", "--quiet", "origin", f"{commit}:refs/heads/main", "v0.2.0")
    draft = release.forge.create_draft("v0.2.0", commit, "v0.2.0 - A title", release.notes(), False)
    for name in dists.assets:
        release.forge.assets.upload(draft.id, dists.directory / name, "application/octet-stream")
    release.forge.publish_release(draft.id, make_latest=True, discussion_category=None)
    shutil.rmtree(scene.state)
    return scene


def verify(scene: Scene, *words: str) -> Ran:
    with scene.unchanged():
        return scene.run("verify", "--version", "0.2.0", *words)


def rows(ran: Ran) -> dict[str, list[str]]:
    """Return what was found, by kind."""
    found: dict[str, list[str]] = {}
    for one in json.loads(ran.out)["findings"]:
        found.setdefault(one["kind"], []).append(f"{one['about']} {one['name']}: {one['says']}")
    return found


def test_a_version_that_is_as_it_should_be(published: Scene) -> None:
    ran = verify(published)
    assert ran.code == 0, ran.text
    assert "18 right, 1 unproven" in ran.out
    assert "`tiny-thing --version` prints 'tiny-thing 0.2.0'" in ran.out
    assert "8 files have exactly the content of the source's" in ran.out


def test_what_is_wrong_is_named_with_what_to_do(published: Scene) -> None:
    (shown,) = published.forge.releases()
    asset = next(one for one in shown["assets"] if one["name"] == SDIST)
    forged = published.others / SDIST
    forged.parent.mkdir(exist_ok=True)
    forged.write_bytes(b"other bytes")
    assets = published.release().forge.assets
    assets.delete(asset["id"])
    assets.upload(shown["id"], forged, "application/gzip")
    published.pypi.manage("tiny-thing", "0.2.0", action="yank", reason="does not start")
    git(published.origin, "tag", "--force", "v0.2.0", git(published.origin, "rev-parse", "main"))
    ran = verify(published, "--json")
    found = rows(ran)
    assert ran.code == 1
    assert json.loads(ran.out)["outcome"] == "wrong"
    assert any("same bytes tiny_thing-0.2.0.tar.gz: the index serves sha256" in one for one in found["wrong"])
    assert f"same bytes {SUMS}: it lists other bytes of {SDIST}" not in found["right"]
    assert "index yanked: 2 of 2 files: does not start" in found["warning"]
    assert "tag annotated: no, it is lightweight" in found["warning"]


def test_who_attests_the_files_is_shown_and_that_signatures_are_unproven(published: Scene) -> None:
    hold_attestations(published.pypi.folder, REPOSITORY)
    published.pypi.late(0)
    release, job = published.release(), claims_of_job(REPOSITORY, "release.yml")
    files = release.pypi.files("tiny-thing", release.version)
    statement = provenance_of_build({name: file.sha256 for name, file in files.items()}, job)
    bundle = Authority(published.others, lambda: datetime.now(timezone.utc)).bundle(statement, job)
    posted = requests.post(
        f"{published.forge.url}/repos/{REPOSITORY}/attestations",
        json={"bundle": bundle},
        headers={"Authorization": f"Bearer {published.forge.token}"},
        timeout=60,
    )
    assert posted.status_code == 201
    found = rows(verify(published, "--json"))
    by = f"{REPOSITORY} up.yml release"
    for name in (SDIST, WHEEL):
        assert f"attestations {name}: 1 for these bytes; the index says that {by} published them" in found["right"]
        kind = f"https://slsa.dev/provenance/v1 by {REPOSITORY} release.yml"
        assert f"artifact attestations {name}: {kind}" in found["right"]
    unproven = " ".join(found["unproven"])
    assert "attestations signatures: the certificate is of releaser rehearsal, not of sigstore" in unproven
    assert "artifact attestations signatures: not verified here" in unproven


def test_a_wheel_that_cannot_be_read_is_wrong_and_all_else_is_looked_at(published: Scene) -> None:
    (wheel,) = published.pypi.folder.rglob(WHEEL)
    document = published.pypi.folder / "index.json"
    digest = sha256(wheel)
    wheel.write_bytes(b"no archive")
    moved = published.pypi.folder / "files" / sha256(wheel)[:16] / WHEEL
    moved.parent.mkdir()
    wheel.rename(moved)
    document.write_text(document.read_text().replace(digest, sha256(moved)))
    published.pypi.late(0)
    found = rows(verify(published, "--json"))
    assert f"index wheel: {WHEEL} cannot be read: File is not a zip file" in found["wrong"]
    assert "release notes: the section in CHANGELOG.md at the tag, word for word" in found["right"]


def test_a_version_that_another_tool_released(published: Scene) -> None:
    (shown,) = published.forge.releases()
    published.forge.hold({"releases": [{"tag_name": shown["tag_name"], "name": "0.2.0", "body": "By hand"}]})
    ran = verify(published, "--json")
    found = rows(ran)
    assert ran.code == 0, ran.text
    assert f"same bytes {SUMS}: the release has none: another tool made it" in found["none"]
    assert f"same bytes {WHEEL}: the release does not have it" in found["none"]
    assert "release notes: they lack the section in CHANGELOG.md at the tag" in found["warning"]


def test_a_version_that_nobody_released(scene: Scene) -> None:
    ran = verify(scene)
    assert ran.code == 1
    assert "wrong: index files, release release, tag tag" in ran.err


def test_a_clone_without_the_tag_asks_the_forge_for_the_branch(published: Scene) -> None:
    elsewhere = published.others / "shallow"
    git(published.origin, "clone", "--quiet", "--depth=1", "--no-tags", f"file://{published.origin}", elsewhere)
    git(elsewhere, "commit", "--quiet", "--allow-empty", "--message", "Later")
    git(elsewhere, "push", "--quiet", "origin", "HEAD")
    ran = published.run("verify", "--version", "0.2.0", "--json")
    assert "tag branch: on main" in rows(ran)["right"]
    assert published.forge.count("/compare/main...") == 1
