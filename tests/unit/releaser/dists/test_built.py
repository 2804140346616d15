from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from releaser.core.files import SUMS, write_sums
from releaser.dists.built import read_dists
from releaser.errors import ConflictError

WHEEL = "demo-1.0.0-py3-none-any.whl"
SDIST = "demo-1.0.0.tar.gz"
BILL = "demo-1.0.0.cdx.json"


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    """Built files as a build leaves them."""
    files = {WHEEL: b"wheel", SDIST: b"sdist", BILL: b"bill"}
    dist = tmp_path / "dist"
    dist.mkdir()
    for name, content in files.items():
        (dist / name).write_bytes(content)
    write_sums(dist, {name: digest(content) for name, content in files.items()})
    return dist


def test_built_files_are_known_by_name_and_hash_and_uploaded_sdist_first(dist: Path) -> None:
    dists = read_dists(dist)

    assert dists is not None
    assert (dists.wheel, dists.sdist) == (dist / WHEEL, dist / SDIST)
    assert dists.uploads == [dist / SDIST, dist / WHEEL]
    assert dists.upload_sha256 == {SDIST: digest(b"sdist"), WHEEL: digest(b"wheel")}
    assert dists.assets == {
        WHEEL: digest(b"wheel"),
        SDIST: digest(b"sdist"),
        BILL: digest(b"bill"),
        SUMS: digest((dist / SUMS).read_bytes()),
    }


def test_without_checksums_nothing_is_built(dist: Path) -> None:
    (dist / SUMS).unlink()

    assert read_dists(dist) is None
    assert read_dists(dist / "missing") is None
    assert read_dists(dist / WHEEL) is None


@pytest.mark.parametrize("name", [WHEEL, SDIST, BILL])
@pytest.mark.parametrize(
    "spoil",
    [lambda file: file.write_bytes(b"whee1"), lambda file: file.unlink(), lambda file: file.write_bytes(b"")],
    ids=["altered", "gone", "empty"],
)
def test_a_file_that_is_not_what_was_built_is_a_conflict(
    dist: Path, spoil: Callable[[Path], object], name: str
) -> None:
    spoil(dist / name)

    with pytest.raises(ConflictError, match=f"{name} (was changed|is missing)"):
        read_dists(dist)


@pytest.mark.parametrize("missing", [WHEEL, SDIST])
def test_checksums_without_a_wheel_or_an_sdist_are_refused(dist: Path, missing: str) -> None:
    kept = [line for line in (dist / SUMS).read_text().splitlines() if missing not in line]
    (dist / SUMS).write_text("\n".join(kept))

    with pytest.raises(ConflictError, match="does not list exactly one"):
        read_dists(dist)


def test_checksums_of_two_wheels_are_refused(dist: Path) -> None:
    (dist / "other-1.0.0-py3-none-any.whl").write_bytes(b"wheel")
    with (dist / SUMS).open("a") as file:
        file.write(f"{digest(b'wheel')}  other-1.0.0-py3-none-any.whl\n")

    with pytest.raises(ConflictError, match=r"does not list exactly one \.whl file"):
        read_dists(dist)


@pytest.mark.parametrize("text", ["", "\n", "no checksum here\n", "0" * 64, "0" * 64 + "\n"])
def test_checksums_that_are_none_are_refused_without_a_traceback(dist: Path, text: str) -> None:
    (dist / SUMS).write_text(text)

    with pytest.raises(ConflictError):
        read_dists(dist)


def test_built_files_are_found_behind_a_link(dist: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(dist, target_is_directory=True)

    found = read_dists(tmp_path / "link")

    assert found is not None
    assert found.wheel.read_bytes() == b"wheel"
