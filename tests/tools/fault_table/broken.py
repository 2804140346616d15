"""Faults that the engine once had, put back into its code: each makes the row fail that is there for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from releaser import store
from releaser.adapters import retries
from releaser.commands import rollback
from releaser.config.project import IndexName
from releaser.core import chain, journal
from releaser.core.step import Done
from releaser.dists.built import read_dists
from releaser.release import Release
from releaser.steps.after import remove_worktree
from releaser.steps.publish import push_images, upload_assets
from releaser.steps.push.ask_again import AskAgain
from releaser.steps.rollback import uploads


@dataclass(frozen=True)
class Broken:
    """One fault put back.

    Attributes:
        what: What the code does again.
        row: The row that is to fail.
        says: What is in the reason for which it fails.
        put_back: Changes the code of this process.
    """

    what: str
    row: str
    says: str
    put_back: Callable[[pytest.MonkeyPatch], None]


def _unchecked_files(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(store.ReleaseStore, "dists", lambda self: read_dists(self.dist))


def _broken_chain(patch: pytest.MonkeyPatch) -> None:
    for module in (store, journal):
        patch.setattr(module, "read_chain", lambda path: replace(chain.read_chain(path), problem=None))


def _lenient_head(patch: pytest.MonkeyPatch) -> None:
    def head(path: Path) -> tuple[int, str]:
        number, _, last = path.read_text("ascii").strip().partition(" ")
        return int(number), last

    patch.setattr(chain, "_head", head)


def _post_repeated(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(retries, "_IDEMPOTENT", retries._IDEMPOTENT | {"POST"})


def _branch_not_asked_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(AskAgain, "verify", lambda _self, _release: Done("it was asked in preflight"))


def _assets_of_others(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(upload_assets, "_others", lambda _found, _dists: [])


def _assets_replaced(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(upload_assets, "_replaced", lambda *_: [])


def _registration_kept(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(remove_worktree, "has_worktree", lambda _git, path: path.exists())


def _lag_is_absence(patch: pytest.MonkeyPatch) -> None:
    def by_its_page(release: Release, name: IndexName) -> uploads.Absent | uploads.Served:
        files = release.index(name).files(release.config.distribution, release.version)
        return uploads.Served("its page shows files") if files else uploads.Absent("its page shows none")

    patch.setattr(uploads, "_presence", by_its_page)


def _all_whatever_stays(patch: pytest.MonkeyPatch) -> None:
    end = rollback._end
    patch.setattr(rollback, "_end", lambda opened, _outcomes, begun: end(opened, {}, begun))


def _tags_move_down(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(push_images, "_immovable", lambda _release, _tag, _found: None)


BROKEN = (
    Broken(
        "the sdist changed with SHA256SUMS passes",
        "files (pushed), sdist and SHA256SUMS changed",
        "the first run ended with",
        _unchecked_files,
    ),
    Broken(
        "a journal that was cut is taken as it is",
        "files (pushed), journal without its last lines",
        "the first run ended with",
        _broken_chain,
    ),
    Broken(
        "half a head of the journal counts",
        "files (pushed), half of the journal's head",
        "the first run ended with 3",
        _lenient_head,
    ),
    Broken(
        "a request that made a draft is repeated",
        "draft acted on, status=500",
        "",
        _post_repeated,
    ),
    Broken(
        "a colleague's push is noticed after the upload to TestPyPI",
        "branch before ask_again, a colleague pushes",
        "this was touched all the same: testpypi/",
        _branch_not_asked_again,
    ),
    Broken(
        "another asset in the draft is published without a word",
        "draft (drafted), another asset, ours by choice",
        "the first run ended with 0",
        _assets_of_others,
    ),
    Broken(
        "another's file under a built file's name is replaced without a word",
        "draft (drafted), another asset under the sdist's name, ours by choice",
        "the first run ended with 0",
        _assets_replaced,
    ),
    Broken(
        "git keeps a working tree whose directory is gone",
        "files (published), working tree deleted",
        "working trees: 2 instead of 1",
        _registration_kept,
    ),
    Broken(
        "a rollback takes what an index does not show yet for what is not there",
        "rollback at pypi (served), pypi shows an hour late what it took",
        "refs: ",
        _lag_is_absence,
    ),
    Broken(
        "a rollback says that all is taken back whatever stays",
        "draft's deletion acted on, slow=0.5",
        "it says that all is taken back, and there is still testpypi: ",
        _all_whatever_stays,
    ),
    Broken(
        "a floating tag of an image moves down",
        "registry (images built), a higher version is the latest",
        "the first run ended with 0",
        _tags_move_down,
    ),
)
