"""What other people can do while a version is released, one function each: push, tag, upload, edit, close, delete."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

from releaser.adapters import process
from releaser.adapters.forge.records import ReleaseInfo
from releaser.adapters.index.client import Index
from releaser.dists.built import read_dists
from releaser.errors import UsageError
from releaser.rehearsal.registry.image import empty_image
from releaser.release import Release

_WHO = ("-c", "user.name=A Colleague", "-c", "user.email=colleague@localhost", "-c", "commit.gpgSign=false")


def push_to_branch(release: Release) -> None:
    """Push a commit of another file to the branch of releases."""
    _push(release, "COLLEAGUE.md", "What a colleague wrote\n")


def push_changelog(release: Release) -> None:
    """Push a commit that has another entry in the changelog, where a merge has to bring both together."""
    name = release.config.changelog
    text = release.git.file(release.git.head(), name) or ""
    heading = "## [Unreleased]\n"
    _push(release, name, text.replace(heading, f"{heading}\n### Fixed\n\n- What a colleague repaired\n", 1))


def push_tag(release: Release) -> None:
    """Make the version's tag at the remote, at the commit that this checkout is at."""
    words = ["tag", "--force", "--annotate", "--message", "Another thing of this name", release.tag]
    process.run(["git", *_WHO, *words, release.git.head()], cwd=_origin(release))


def push_light_tag(release: Release) -> None:
    """Have the remote's tag be a lightweight one, at the release commit."""
    origin = _origin(release)
    process.run(["git", "fetch", "--quiet", release.git.root, release.ref], cwd=origin)
    process.run(["git", "update-ref", f"refs/tags/{release.tag}", release.must_have_commit()], cwd=origin)


def delete_tag(release: Release) -> None:
    """Delete the version's tag at the remote."""
    process.run(["git", "update-ref", "-d", f"refs/tags/{release.tag}"], cwd=_origin(release))


def take_tag_here(release: Release) -> None:
    """Make the version's tag in this checkout, at the commit that is checked out."""
    release.git.create_tag(release.tag, release.git.head(), "Another thing of this name")


def upload_to_testpypi(release: Release) -> None:
    """Upload another wheel of the same name to TestPyPI."""
    _upload_another(release, release.testpypi)


def upload_to_pypi(release: Release) -> None:
    """Upload another wheel of the same name to PyPI."""
    _upload_another(release, release.pypi)


def edit_title(release: Release) -> None:
    """Give the release another title."""
    release.forge.update_release(_found(release).id, name="A better title")


def edit_notes(release: Release) -> None:
    """Give the release other notes."""
    release.forge.update_release(_found(release).id, body="Better notes.\n")


def attach_another(release: Release) -> None:
    """Attach a file that this release did not build."""
    _attach(release, "manual.txt", b"How to use it\n")


def attach_same_name(release: Release) -> None:
    """Attach another file under the name of the sdist."""
    dists = read_dists(release.store.dist)
    assert dists is not None
    _attach(release, dists.sdist.name, b"Another file of this name\n")


def delete_draft(release: Release) -> None:
    """Delete the release."""
    release.forge.delete_release(_found(release).id)


def publish_draft(release: Release) -> None:
    """Publish the draft as it is."""
    release.forge.publish_release(_found(release).id, make_latest=True, discussion_category=None)


def draft_another(release: Release) -> None:
    """Make a draft of the same tag, by hand."""
    release.forge.create_draft(release.tag, release.git.head(), "By hand", "Notes by hand.\n", False)


def close_milestone(release: Release) -> None:
    """Close the version's milestone."""
    milestone = release.forge.find_milestone(release.config.forge.milestone.format(version=release.version))
    assert milestone is not None
    release.forge.close_milestone(milestone.number)


def push_image(release: Release) -> None:
    """Give another image the version's own tag."""
    _push_image(release, str(release.version), str(release.version))


def push_higher_image(release: Release) -> None:
    """Give a higher version's image the tag `latest`."""
    following = release.version.bump("minor")
    _push_image(release, str(following), "latest")


def _push_image(release: Release, version: str, *tags: str) -> None:
    """Push an image without a layer."""
    with tempfile.TemporaryDirectory() as folder:
        layout = empty_image(Path(folder), version)
        (root,) = layout.roots().values()
        release.registry.push(layout, root)
        for tag in tags:
            release.registry.put(tag, root, layout.read(root))


def _push(release: Release, name: str, text: str) -> None:
    config = release.config.git
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder, "clone")
        process.run(["git", "clone", "--quiet", "--branch", config.branch, _origin(release), clone], cwd=Path(folder))
        (clone / name).write_text(text, "utf-8")
        process.run(["git", "add", name], cwd=clone)
        process.run(["git", *_WHO, "commit", "--quiet", "--message", f"A colleague's {name}"], cwd=clone)
        process.run(["git", "push", "--quiet", "origin", config.branch], cwd=clone)


def _upload_another(release: Release, index: Index) -> None:
    dists = read_dists(release.store.dist)
    assert dists is not None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, dists.wheel.name)
        shutil.copyfile(dists.wheel, path)
        with ZipFile(path, "a") as wheel:
            wheel.comment = b"built elsewhere"
        index.upload([path])


def _attach(release: Release, name: str, content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(content)
        release.forge.assets.upload(_found(release).id, path, "text/plain")


def _found(release: Release) -> ReleaseInfo:
    found = release.forge.find_release(release.tag)
    if found is None:
        raise UsageError(f"There is no release of {release.tag} yet", "Name a step after draft_release.")
    return found


def _origin(release: Release) -> Path:
    """Return the remote's directory: only a rehearsal's remote is one."""
    return Path((release.git.remote_url(release.config.git.remote) or "").removeprefix("file://"))


STRANGERS: dict[str, Callable[[Release], None]] = {
    "colleague-pushes": push_to_branch,
    "colleague-pushes-changelog": push_changelog,
    "tag-elsewhere": push_tag,
    "tag-lightweight": push_light_tag,
    "tag-deleted": delete_tag,
    "tag-taken-here": take_tag_here,
    "another-on-testpypi": upload_to_testpypi,
    "another-on-pypi": upload_to_pypi,
    "edited-title": edit_title,
    "edited-notes": edit_notes,
    "another-asset": attach_another,
    "another-under-its-name": attach_same_name,
    "draft-deleted": delete_draft,
    "draft-published": publish_draft,
    "another-draft": draft_another,
    "milestone-closed": close_milestone,
    "another-image": push_image,
    "higher-image": push_higher_image,
}
