from __future__ import annotations

import hashlib
import os
from datetime import datetime
from pathlib import Path

import pytest

from releaser.core.journal import Journal
from releaser.errors import ConflictError, UsageError
from releaser.secret import Redactor
from releaser.store import NoReceipt, Receipt, ReleaseStore, make_state
from releaser.versions.version import Version


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def journal_of(store: ReleaseStore) -> Journal:
    return Journal(store.journal, Redactor())


@pytest.fixture
def store(tmp_path: Path) -> ReleaseStore:
    return ReleaseStore(tmp_path / "state" / "demo" / "1.0.0")


# --- receipts, scratch, what is kept ----------------------------------------------------------------------------------


def test_a_receipt_is_of_one_wheel_and_one_trial(store: ReleaseStore) -> None:
    written = Receipt("12 passed, 1 skipped (n\u00f6 GPU)", skipped=True)
    store.write_receipt(journal_of(store), digest(b"wheel"), "pass_unit", written)

    found = store.receipt(digest(b"wheel"), "pass_unit")
    assert isinstance(found, Receipt)
    assert (found.evidence, found.skipped, found.wheel) == (written.evidence, True, digest(b"wheel"))
    assert datetime.fromisoformat(found.at).tzinfo is not None
    assert store.receipt(digest(b"other"), "pass_unit") == NoReceipt()
    assert store.receipt(digest(b"wheel"), "pass_e2e") == NoReceipt()


@pytest.mark.parametrize("content", [b"", b'{"evid', b"[]", b"\xff\xfe", b'{"evidence": "all is well"}'])
def test_a_receipt_that_is_not_as_it_was_written_does_not_count(store: ReleaseStore, content: bytes) -> None:
    store.write_receipt(journal_of(store), digest(b"wheel"), "pass_unit", Receipt("12 passed"))
    (path,) = store.path.glob("receipts/*/pass_unit.json")
    path.write_bytes(content)

    assert store.receipt(digest(b"wheel"), "pass_unit") == NoReceipt("its receipt was changed after it was written")


def test_a_receipt_of_other_bytes_does_not_count_under_another_name(store: ReleaseStore) -> None:
    store.write_receipt(journal_of(store), digest(b"wheel"), "pass_unit", Receipt("12 passed"))
    (folder,) = store.path.glob("receipts/*")
    folder.rename(folder.with_name(digest(b"other")[:16]))

    found = store.receipt(digest(b"other"), "pass_unit")
    assert found == NoReceipt("the journal does not have its receipt")


def test_scratch_is_empty_and_gone_afterwards_however_it_went(store: ReleaseStore) -> None:
    leftover = store.path / "scratch" / "build" / "left" / "by a killed run"
    leftover.mkdir(parents=True)

    with pytest.raises(RuntimeError), store.scratch("build") as scratch:
        assert list(scratch.iterdir()) == []
        (scratch / "file").touch()
        raise RuntimeError

    assert not scratch.exists()


def test_discarding_keeps_the_record_and_the_lock_alone(store: ReleaseStore) -> None:
    store.dist.mkdir(parents=True)
    store.write_receipt(journal_of(store), digest(b"wheel"), "try_wheel", Receipt("ok"))
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

    assert sorted(path.name for path in store.path.iterdir()) == [
        "journal.altered-1.jsonl",
        "journal.head",
        "journal.jsonl",
        "lock",
    ]


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
        named = rf"Another run is releasing this version \(\S.* on \S.*, process {os.getpid()}, since 20"
        with pytest.raises(ConflictError, match=named), store.locked():
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


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no /proc here")
def test_where_the_system_makes_every_directory_no_state_can_be_kept() -> None:
    with pytest.raises(UsageError, match=r"No state can be kept in /proc/x/1: /proc/x cannot be made") as caught:
        make_state(Path("/proc/x/1"))
    assert "RELEASER_STATE_DIR" in caught.value.remedy


@pytest.mark.parametrize("depth", [0, 1])
def test_a_state_directory_that_is_a_file_is_named(store: ReleaseStore, depth: int) -> None:
    path = [store.path, store.path.parent][depth]
    path.parent.mkdir(parents=True)
    path.touch()

    with pytest.raises(UsageError, match="is not a directory") as caught, store.locked():
        raise AssertionError("was let in")
    assert caught.value.remedy.startswith("Move that file away")
