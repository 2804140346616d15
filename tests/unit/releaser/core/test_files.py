from __future__ import annotations

import hashlib
import os
import resource
import stat
import subprocess
from pathlib import Path

import pytest

from releaser.core.files import SUMS, read_sums, replacing, sha256, write_atomically, write_sums


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


# --- checksums --------------------------------------------------------------------------------------------------------


def test_a_file_of_many_blocks_has_the_hash_of_the_whole(tmp_path: Path) -> None:
    content = os.urandom((1 << 20) * 2 + 17)
    (tmp_path / "big").write_bytes(content)

    assert sha256(tmp_path / "big") == digest(content)


@pytest.mark.parametrize("mode", ["--text", "--binary"])
def test_what_sha256sum_writes_is_read(tmp_path: Path, mode: str) -> None:
    for name in ("one", "two  words"):
        (tmp_path / name).write_text(name)
    with (tmp_path / SUMS).open("wb") as sums:
        subprocess.run(["sha256sum", mode, "one", "two  words"], cwd=tmp_path, stdout=sums, check=True)

    assert read_sums(tmp_path) == {"one": digest(b"one"), "two  words": digest(b"two  words")}


def test_what_is_written_is_checked_by_sha256sum_and_read_again(tmp_path: Path) -> None:
    digests = {name: digest(name.encode()) for name in ("b-1.0.whl", "a-1.0.tar.gz", "two  words")}
    for name in digests:
        (tmp_path / name).write_text(name)

    write_sums(tmp_path, digests)

    checked = subprocess.run(["sha256sum", "--check", "--strict", SUMS], cwd=tmp_path, capture_output=True, text=True)
    assert (checked.returncode, checked.stdout) == (0, "a-1.0.tar.gz: OK\nb-1.0.whl: OK\ntwo  words: OK\n")
    assert read_sums(tmp_path) == digests


def test_where_there_are_no_checksums_none_are_read(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert read_sums(tmp_path) is None
    assert read_sums(tmp_path / "missing") is None
    assert read_sums(tmp_path / "file") is None


# --- whole files or none ----------------------------------------------------------------------------------------------


def test_a_file_is_written_as_it_is_given(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"

    write_atomically(path, "one\r\ntwo\n\u2028 caf\u00e9")
    assert path.read_bytes() == b"one\r\ntwo\n\xe2\x80\xa8 caf\xc3\xa9"

    write_atomically(path, b"\xff\x00\r\n")
    assert path.read_bytes() == b"\xff\x00\r\n"
    assert [each.name for each in path.parent.iterdir()] == ["file"]


def test_a_file_that_was_there_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(0o750)

    write_atomically(path, "new")

    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("new", 0o750)


def test_a_link_stays_one_and_the_file_it_leads_to_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "real").write_text("old")
    (tmp_path / "link").symlink_to("docs/real")

    write_atomically(tmp_path / "link", "new")

    assert (tmp_path / "link").is_symlink()
    assert {each.name: each.read_text() for each in (tmp_path / "docs").iterdir()} == {"real": "new"}


def test_a_file_is_on_disk_before_its_name_and_its_name_before_the_call_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[str, bool]] = []

    def fsync(handle: int) -> None:
        kind = "directory" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file"
        synced.append((kind, (tmp_path / "file").exists()))

    monkeypatch.setattr(os, "fsync", fsync)
    write_atomically(tmp_path / "file", "new")

    assert synced == [("file", False), ("directory", True)]


def test_a_draft_whose_block_fails_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    with pytest.raises(RuntimeError, match="broke off"), replacing(path) as draft:
        draft.write_text("half of i")
        raise RuntimeError("the transfer broke off")

    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("file", "old")]


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
    (tmp_path / ".file.part").write_text("half of i")

    write_atomically(tmp_path / "file", "whole")

    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("file", "whole")]


def test_what_a_full_disk_refuses_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "report.md"

    with pytest.raises(OSError, match="No space left") as caught, replacing(path) as draft:
        draft.symlink_to("/dev/full")
        with draft.open("wb", buffering=0) as full:
            full.write(b"more")

    assert caught.value.filename == str(path)
    assert not path.exists()
