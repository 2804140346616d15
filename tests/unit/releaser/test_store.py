from __future__ import annotations

import hashlib
import os
import resource
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from releaser.errors import ConflictError
from releaser.files import read_sums, sha256, write_atomically
from releaser.store import SUMS, Receipt, ReleaseStore, read_dists
from releaser.versions.version import Version

WHEEL = "demo-1.0.0-py3-none-any.whl"
SDIST = "demo-1.0.0.tar.gz"
BILL = "demo-1.0.0.cdx.json"


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def store(tmp_path: Path) -> ReleaseStore:
    return ReleaseStore(tmp_path / "state" / "demo" / "1.0.0")


@pytest.fixture
def dist(store: ReleaseStore) -> Path:
    """Built files as a build leaves them."""
    store.dist.mkdir(parents=True)
    files = {WHEEL: b"wheel", SDIST: b"sdist", BILL: b"bill"}
    for name, content in files.items():
        (store.dist / name).write_bytes(content)
    sums = "".join(f"{digest(content)}  {name}\n" for name, content in sorted(files.items()))
    (store.dist / SUMS).write_text(sums)
    return store.dist


# --- built files ------------------------------------------------------------------------------------------------------


def test_built_files_are_known_by_name_and_hash_and_uploaded_sdist_first(store: ReleaseStore, dist: Path) -> None:
    dists = store.dists()

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


def test_without_checksums_nothing_is_built(store: ReleaseStore, dist: Path) -> None:
    (dist / SUMS).unlink()

    assert store.dists() is None


@pytest.mark.parametrize("name", [WHEEL, SDIST, BILL])
@pytest.mark.parametrize(
    "spoil",
    [lambda file: file.write_bytes(b"whee1"), lambda file: file.unlink(), lambda file: file.write_bytes(b"")],
    ids=["altered", "gone", "empty"],
)
def test_a_file_that_is_not_what_was_built_is_a_conflict(
    store: ReleaseStore, dist: Path, spoil: Callable[[Path], object], name: str
) -> None:
    spoil(dist / name)

    with pytest.raises(ConflictError, match=f"{name} is not what was built"):
        store.dists()


@pytest.mark.parametrize("missing", [WHEEL, SDIST])
def test_checksums_without_a_wheel_or_an_sdist_are_refused(store: ReleaseStore, dist: Path, missing: str) -> None:
    kept = [line for line in (dist / SUMS).read_text().splitlines() if missing not in line]
    (dist / SUMS).write_text("\n".join(kept))

    with pytest.raises(ConflictError, match="does not list exactly one file"):
        store.dists()


def test_checksums_of_two_wheels_are_refused(store: ReleaseStore, dist: Path) -> None:
    (dist / "other-1.0.0-py3-none-any.whl").write_bytes(b"wheel")
    with (dist / SUMS).open("a") as file:
        file.write(f"{digest(b'wheel')}  other-1.0.0-py3-none-any.whl\n")

    with pytest.raises(ConflictError, match=r"does not list exactly one file \.whl"):
        store.dists()


@pytest.mark.parametrize("text", ["", "\n", "no checksum here\n", "0" * 64, "0" * 64 + "\n"])
def test_checksums_that_are_none_are_refused_without_a_traceback(store: ReleaseStore, dist: Path, text: str) -> None:
    (dist / SUMS).write_text(text)

    with pytest.raises(ConflictError):
        store.dists()


@pytest.mark.parametrize("mode", ["--text", "--binary"])
def test_what_sha256sum_writes_is_read(dist: Path, mode: str) -> None:
    done = subprocess.run(["sha256sum", mode, WHEEL, SDIST], cwd=dist, capture_output=True, text=True, check=True)

    assert read_sums(done.stdout) == {WHEEL: digest(b"wheel"), SDIST: digest(b"sdist")}


def test_a_file_of_many_blocks_has_the_hash_of_the_whole(tmp_path: Path) -> None:
    content = os.urandom((1 << 20) * 2 + 17)
    (tmp_path / "big").write_bytes(content)

    assert sha256(tmp_path / "big") == digest(content)


def test_built_files_are_found_behind_a_link(dist: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(dist, target_is_directory=True)

    found = read_dists(tmp_path / "link")

    assert found is not None
    assert found.wheel.read_bytes() == b"wheel"


# --- receipts, scratch, what is kept ----------------------------------------------------------------------------------


def test_a_receipt_is_of_one_wheel_and_one_trial(store: ReleaseStore) -> None:
    written = Receipt("12 passed, 1 skipped (n\u00f6 GPU)", skipped=True)
    store.write_receipt(digest(b"wheel"), "pass_unit", written)

    assert store.receipt(digest(b"wheel"), "pass_unit") == written
    assert store.receipt(digest(b"other"), "pass_unit") is None
    assert store.receipt(digest(b"wheel"), "pass_e2e") is None


def test_scratch_is_empty_and_gone_afterwards_however_it_went(store: ReleaseStore) -> None:
    leftover = store.path / "scratch" / "build" / "left" / "by a killed run"
    leftover.mkdir(parents=True)

    with pytest.raises(RuntimeError), store.scratch("build") as scratch:
        assert list(scratch.iterdir()) == []
        (scratch / "file").touch()
        raise RuntimeError

    assert not scratch.exists()


def test_discarding_keeps_the_record_and_the_lock_alone(store: ReleaseStore, dist: Path) -> None:
    store.write_receipt(digest(b"wheel"), "try_wheel", Receipt("ok"))
    for name in (
        "journal.jsonl",
        "journal.altered-1.jsonl",
        "lock",
        "commit.bundle",
        "commit.bundle.lock",
        "report.md",
    ):
        (store.path / name).touch()

    store.discard()
    ReleaseStore(store.path / "never used").discard()

    assert sorted(path.name for path in store.path.iterdir()) == ["journal.altered-1.jsonl", "journal.jsonl", "lock"]


def test_clones_of_one_remote_share_a_store_and_others_do_not(tmp_path: Path) -> None:
    version = Version(1, 0, 0)
    one = ReleaseStore.of(tmp_path, "demo", "https://example.invalid/a/demo", version)

    assert one == ReleaseStore.of(tmp_path, "demo", "https://example.invalid/a/demo", version)
    others = [
        ReleaseStore.of(tmp_path, "demo", "https://example.invalid/b/demo", version),
        ReleaseStore.of(tmp_path, "demo", "https://example.invalid/a/demo", Version(1, 0, 1)),
        ReleaseStore.of(tmp_path, "other", "https://example.invalid/a/demo", version),
    ]
    assert len({one.path, *(other.path for other in others)}) == 4
    assert all(path.is_relative_to(tmp_path) for path in (one.worktree, one.dist, one.bundle))


# --- the lock ---------------------------------------------------------------------------------------------------------


def test_two_runs_of_one_version_keep_each_other_out(store: ReleaseStore) -> None:
    with store.locked():
        with pytest.raises(ConflictError, match="Another run is releasing this version"), store.locked():
            raise AssertionError("was let in")
        with ReleaseStore(store.path.with_name("1.0.1")).locked():
            pass


def test_a_lock_is_free_again_when_its_run_is_over_even_if_the_error_is_kept(store: ReleaseStore) -> None:
    with store.locked():
        pass
    with pytest.raises(RuntimeError) as kept, store.locked():
        raise RuntimeError("broken")

    with store.locked():
        assert str(kept.value) == "broken"


# --- whole files or none ----------------------------------------------------------------------------------------------


def test_a_file_is_written_as_it_is_given(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"

    write_atomically(path, "one\r\ntwo\n\u2028 caf\u00e9")

    assert path.read_bytes() == b"one\r\ntwo\n\xe2\x80\xa8 caf\xc3\xa9"
    assert [each.name for each in path.parent.iterdir()] == ["file"]


def test_a_file_that_was_there_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(0o750)

    write_atomically(path, "new")

    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("new", 0o750)


def test_when_there_is_no_room_the_old_file_stays_and_nothing_lies_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "CHANGELOG.md"
    path.write_text("old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            write_atomically(path, "x" * 1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert path.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["CHANGELOG.md"]


def test_what_a_killed_run_left_beside_a_file_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "file.new").write_text("half of i")

    write_atomically(tmp_path / "file", "whole")

    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("file", "whole")]
