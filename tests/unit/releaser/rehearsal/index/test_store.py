"""What the index's store keeps when the process dies between any two of its steps."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from releaser.rehearsal.index.distribution import Distribution, RefusedError
from releaser.rehearsal.index.store import IndexStore


class Killed(BaseException):
    """Stands for SIGKILL: nothing of ours may catch it."""


def wheel(version="1.0", content=b"bytes of "):
    return Distribution(
        filename=f"demo-{version}-py3-none-any.whl",
        content=content + version.encode(),
        project=canonicalize_name("demo"),
        display_name="Demo",
        version=Version(version),
        packagetype="bdist_wheel",
        requires_python="",
        metadata=b"Name: demo",
        info={"name": "Demo", "version": version},
    )


def kill_at(monkeypatch, step):
    """Die instead of syncing or renaming for the ``step``-th time; the returned list grows by each such call.

    Of a file that was to be synced only half reaches the disk.
    """
    seen = []

    def dying(call):
        def counted(target, *arguments):
            seen.append(call)
            if len(seen) == step:
                if isinstance(target, int) and stat.S_ISREG(os.fstat(target).st_mode):
                    os.ftruncate(target, os.fstat(target).st_size // 2)
                raise Killed
            return call(target, *arguments)

        return counted

    monkeypatch.setattr(os, "fsync", dying(os.fsync))
    monkeypatch.setattr(Path, "replace", dying(Path.replace))
    return seen


def log(root):
    return (root / "uploads.log").read_text().splitlines()


def held_whole(store):
    """The names of the files that the store names; each must be there with its bytes."""
    for file in store.files():
        content = (store.root / "files" / file.path).read_bytes()
        assert hashlib.sha256(content).hexdigest() == file.digests["sha256"]
    return [file.filename for file in store.files()]


def test_an_empty_directory_is_an_empty_world(tmp_path):
    assert held_whole(IndexStore(tmp_path / "new")) == []


def test_another_store_on_the_same_directory_holds_the_same(tmp_path):
    first = IndexStore(tmp_path)
    first.add(wheel())
    first.yank("demo", "1.0", "broken")
    assert IndexStore(tmp_path).world == first.world


def test_an_upload_needs_nine_steps_so_that_the_next_test_kills_at_each(tmp_path, monkeypatch):
    seen = kill_at(monkeypatch, 0)
    IndexStore(tmp_path).add(wheel())
    assert len(seen) == 9


@pytest.mark.parametrize("step", range(1, 10))
def test_killed_at_any_step_the_store_has_all_of_an_upload_or_nothing_and_takes_it_again(tmp_path, step):
    IndexStore(tmp_path).add(wheel("0.9"))
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        kill_at(patch, step)
        IndexStore(tmp_path).add(wheel())
    again = IndexStore(tmp_path)
    assert held_whole(again)[0] == wheel("0.9").filename
    again.add(wheel())
    assert held_whole(IndexStore(tmp_path)) == [wheel("0.9").filename, wheel().filename]
    accepted = [line.split()[0] for line in log(tmp_path) if not line.startswith("noop")]
    assert accepted == [wheel("0.9").filename, wheel().filename]


@pytest.mark.parametrize("step", [1, 2, 3])
def test_killed_while_deleting_the_store_names_no_missing_file(tmp_path, step):
    IndexStore(tmp_path).add(wheel())
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        kill_at(patch, step)
        IndexStore(tmp_path).delete("demo", "1.0")
    held_whole(IndexStore(tmp_path))


def test_the_log_has_one_line_for_each_upload_and_one_for_each_repetition(tmp_path):
    store = IndexStore(tmp_path)
    assert (store.add(wheel()), store.add(wheel())) == (True, False)
    IndexStore(tmp_path)
    sha256 = hashlib.sha256(b"bytes of 1.0").hexdigest()
    assert log(tmp_path) == [f"{wheel().filename} {sha256}", f"noop {wheel().filename}"]


def test_a_refused_upload_leaves_no_trace(tmp_path):
    store = IndexStore(tmp_path)
    store.add(wheel())
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(RefusedError, match="File already exists"):
        store.add(wheel(content=b"other bytes of "))
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_release_that_is_not_there_is_refused_whatever_its_name(tmp_path):
    store = IndexStore(tmp_path)
    store.add(wheel())
    for version in ("2.0", "not a version"):
        with pytest.raises(RefusedError) as refused:
            store.release("demo", version)
        assert refused.value.status == 404


def test_a_reason_is_one_line(tmp_path):
    assert RefusedError("two\r\nlines").reason == "two lines"
