"""Images that one job built, handed to the job that pushes: against a real registry, without an engine."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from uuid import uuid4

import pytest
from harness.parts import only_with

from releaser.adapters.registry.layout import OciLayout
from releaser.commands import handed_images
from releaser.core.step import Done, Todo
from releaser.errors import ConflictError, UsageError
from releaser.images.manifest import ImagesManifest
from releaser.release import Release
from releaser.steps.publish.push_images import PushImages
from releaser.steps.qualify.build_images import BuildImages

CONFIG = """
[tool.releaser.images]
repository = "{repository}"
via = "{via}"
targets = [{{ name = "image", platforms = ["linux/amd64", "linux/arm64"] }}]
"""


@pytest.fixture
def name() -> str:
    return f"handed-{uuid4().hex[:8]}/thing"


@pytest.fixture
def opened(tiny_project, name, registry, tmp_path, monkeypatch) -> Callable[..., Release]:
    """`opened(via)`: the tiny project's version, whose images go to the registry."""
    plain = (tiny_project.path / "pyproject.toml").read_text()
    monkeypatch.setenv("RELEASER_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)

    def opened(via: str = "push") -> Release:
        text = plain + CONFIG.format(repository=f"{registry.host}/{name}", via=via)
        tiny_project.write("pyproject.toml", text)
        tiny_project.commit("Images")
        return handed_images.open_for_images(tiny_project.path, "0.1.0")

    return opened


@pytest.fixture
def handed(opened, make_layout, name, tmp_path, monkeypatch) -> tuple[Release, OciLayout]:
    """A release, and the layout that another job built of it; IMAGES says so."""
    release, layout = opened("ci"), make_layout(tmp_path / "images", name)
    told(monkeypatch, release, layout)
    return release, layout


def told(monkeypatch, release: Release, layout: OciLayout) -> None:
    manifest = ImagesManifest.of(release.version, release.git.head(), layout.roots())
    monkeypatch.setenv("IMAGES", manifest.line())


def test_what_another_job_built_is_pushed_byte_for_byte(handed, registry, name) -> None:
    release, layout = handed

    with only_with("images"):
        handed_images.push(release.git.root, "0.1.0", str(layout.path))

    own = layout.roots()["image"].digest
    assert registry.digests(name) == {"0.1.0": own, "0.1": own, "latest": own}
    handed_images.push(release.git.root, "0.1.0", str(layout.path))  # as a job that is run again does


def test_what_was_pushed_is_told_so_that_it_can_be_attested_as_the_registry_has_it(
    handed, make_layout, registry, name, tmp_path, monkeypatch, capsys
) -> None:
    release, layout = handed
    sums = tmp_path / "images.sha256"
    handed_images.push(release.git.root, "0.1.0", str(layout.path))
    line = next(one for one in capsys.readouterr().out.splitlines() if one.startswith("IMAGES="))
    monkeypatch.setenv("IMAGES", line.removeprefix("IMAGES="))

    with only_with("images"):
        handed_images.expect(release.git.root, "0.1.0", str(sums))

    digest = registry.digests(name)["0.1.0"].removeprefix("sha256:")
    assert sums.read_text() == f"{digest}  {release.registry.repository}:0.1.0\n"
    sums.unlink()
    other = make_layout(tmp_path / "other", "a stranger's")
    root = other.roots()["image"]
    release.registry.push(other, root)
    registry.put(name, "0.1.0", other.read(root))
    with pytest.raises(ConflictError, match=r":0\.1\.0 is at sha256:\w{12}; sha256:\w{12} was pushed"):
        handed_images.expect(release.git.root, "0.1.0", str(sums))
    assert not sums.exists()


def test_images_that_were_swapped_with_a_layout_that_is_whole_are_not_pushed(
    handed, make_layout, registry, name, tmp_path
) -> None:
    release, layout = handed
    other = make_layout(tmp_path / "other", "a stranger's")
    shutil.rmtree(layout.path)
    other.path.rename(layout.path)

    with pytest.raises(ConflictError, match=r"image is sha256:\w{12}, and sha256:\w{12} was built"):
        handed_images.push(release.git.root, "0.1.0", str(layout.path))
    assert registry.digests(name) == {}


def test_a_file_that_was_planted_beside_the_images_is_named(handed, registry, name) -> None:
    release, layout = handed
    (layout.path / ".gitconfig").write_text("[core]\n")

    with pytest.raises(ConflictError, match=r"belongs to no image: \.gitconfig"):
        handed_images.push(release.git.root, "0.1.0", str(layout.path))
    assert registry.digests(name) == {}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (None, "IMAGES is not set"),
        ("{}", "schema: Field required"),
        ('{"schema":1,"version":"0.1.0","commit":"' + "0" * 40 + '","images":{"image":"latest"}}', "is not a digest"),
        (
            '{"schema":1,"version":"0.1.0","commit":"' + "0" * 40 + '","images":{"image":"sha256:' + "0" * 64 + '"}}',
            "is about 0.1.0 at 000000000000, not 0.1.0 at",
        ),
    ],
)
def test_without_the_building_jobs_own_words_nothing_is_pushed(handed, registry, name, monkeypatch, line, said) -> None:
    release, layout = handed
    monkeypatch.delenv("IMAGES")
    if line:
        monkeypatch.setenv("IMAGES", line)

    with pytest.raises(UsageError, match=said):
        handed_images.push(release.git.root, "0.1.0", str(layout.path))
    assert registry.digests(name) == {}


# --- a release whose images a workflow pushes -------------------------------------------------------------------------


def test_a_release_that_leaves_images_to_a_workflow_builds_none_and_looks_for_those_of_its_commit(
    opened, make_layout, registry, name, tmp_path, monkeypatch
) -> None:
    release = opened("ci")
    labels = {"org.opencontainers.image.revision": release.git.head()}
    layout = make_layout(tmp_path / "images", name, labels=labels)
    told(monkeypatch, release, layout)

    assert "docker-publish.yml builds, starts and pushes" in BuildImages().check(release).reason
    waiting = PushImages().check(release)
    assert isinstance(waiting, Todo)
    assert waiting.what.startswith("docker-publish.yml pushes 0.1.0, 0.1, latest to ")

    handed_images.push(release.git.root, "0.1.0", str(layout.path))

    assert isinstance(PushImages().check(release), Done)
    registry.delete(name, "latest")
    assert PushImages().check(release) == Todo(f"docker-publish.yml pushes latest to {release.registry.repository}")


def test_images_of_another_commit_under_the_versions_tag_are_a_conflict(
    opened, make_layout, registry, name, tmp_path
) -> None:
    release = opened("ci")
    layout = make_layout(tmp_path / "images", name, labels={"org.opencontainers.image.revision": "f" * 40})
    root = layout.roots()["image"]
    release.registry.push(layout, root)
    registry.put(name, "0.1.0", layout.read(root))

    with pytest.raises(ConflictError, match=r":0\.1\.0 was built from ffffffffffff, not from"):
        PushImages().check(release)
