"""What befalls files on this machine, and what others do meanwhile, as rows."""

from __future__ import annotations

from collections.abc import Iterator

from .row import REFUSED, Row

# How a run ends that cannot write any more: with an error, or as a release that is published and not verified.
_STOPPED = (1, 6)
_NOT_PUBLIC = "tested"
_MOVED = ("history", "change", "checkout at", "refs", "checkout")

# What is not as it was written, and refused wherever the release is: "restored" is what the remedy says.
_REFUSED_FILES = {
    "cut-journal": "journal without its last lines",
    "altered-journal": "journal with a changed line",
    "lost-journal": "journal deleted",
    "torn-wheel": "half a wheel",
    "altered-wheel": "wheel changed",
    "altered-sdist": "sdist changed",
    "forged-sdist": "sdist and SHA256SUMS changed",
    "torn-sums": "half of SHA256SUMS",
    "garbled-sums": "SHA256SUMS not UTF-8",
    "state-is-a-file": "a file where the state is kept",
}
_PUBLIC_RUNGS = ("tested", "pushed", "published")

# What a kill or a careless hand leaves, and a run makes good by itself.
_HEALED = (
    ("torn-journal", "last line of the journal torn", ("tested", "tried", "pushed", "drafted", "published"), ()),
    ("torn-journal-head", "half of the journal's head", _PUBLIC_RUNGS, ()),
    ("torn-receipts", "receipts torn", ("tested",), ()),
    ("renamed-receipts", "receipts given to another wheel", ("tested",), ("kept",)),
    ("torn-bundle", "half of the commit's bundle", _PUBLIC_RUNGS, ("kept",)),
    ("lost-worktree", "working tree deleted", _PUBLIC_RUNGS, ()),
)
# Where a disk is full, or a permission is missing, from a moment on.
_MOMENTS = (
    *((rung, "", f"at the beginning ({rung})") for rung in ("begun", *_PUBLIC_RUNGS)),
    ("tested", "before:upload_testpypi", "before upload_testpypi"),
    ("tested", "after:upload_testpypi", "after upload_testpypi"),
    ("tried", "before:create_tag", "before create_tag"),
    ("tried", "after:push_tag", "after push_tag"),
    ("pushed", "before:draft_release", "before draft_release"),
    ("pushed", "after:upload_assets", "after upload_assets"),
    ("pushed", "after:publish_release", "after publish_release"),
    ("published", "before:upload_pypi", "before upload_pypi"),
    ("published", "after:upload_pypi", "after upload_pypi"),
    ("published", "before:close_milestone", "before close_milestone"),
)
# Steps that start git, twine, pip or a build, with the world before them.
_WITH_PROGRAMS = (
    *(("checked", step) for step in ("open_worktree", "commit_release", "build_dists")),
    *(("built", step) for step in ("try_wheel", "ask_again")),
    *(("tested", "upload_testpypi"), ("tried", "create_tag"), ("tried", "push_tag")),
    *(("published", step) for step in ("upload_pypi", "fast_forward")),
)


def world_rows() -> Iterator[Row]:
    """Return these rows."""
    yield from _files()
    yield from _machine()
    yield from _branch()
    yield from _tags()
    yield from _indexes()
    yield from _drafts()


def _refused(where: str, what: str, rung: str, fault: str, **ends: object) -> Row:
    return Row(where, what, rung, f"world:{fault}", codes=REFUSED, refused=True, **ends)  # type: ignore[arg-type]


def _files() -> Iterator[Row]:
    for fault, what in _REFUSED_FILES.items():
        for rung in _PUBLIC_RUNGS:
            quick = (fault, rung) in {("forged-sdist", "pushed"), ("altered-journal", "pushed")}
            yield _refused(f"files ({rung})", what, rung, fault, again="restored", quick=quick)
    for fault, what, rungs, leaves in _HEALED:
        for rung in rungs:
            quick = (fault, rung) == ("torn-journal", "pushed")
            yield Row(f"files ({rung})", what, rung, f"world:{fault}", codes=(0,), leaves=leaves, quick=quick)
    begin = ("trust_journal=begin",)
    what = "journal with a changed line, another begun by choice"
    yield _refused("files (pushed)", what, "pushed", "altered-journal", choose=begin, leaves=("kept",))


def _machine() -> Iterator[Row]:
    for rung in _PUBLIC_RUNGS:
        yield _refused(f"machine ({rung})", "another run has the lock", rung, "lock-held", quick=rung == "pushed")
    for fault in ("disk-full", "no-permission"):
        what = fault.replace("-", " ")
        for rung, moment, words in _MOMENTS:
            text = f"world:{fault}={moment}" if moment else f"world:{fault}"
            quick = (fault, moment) in {
                ("disk-full", "before:draft_release"),
                ("no-permission", ""),
            } and rung == "pushed"
            codes = _STOPPED if moment != "before:close_milestone" else (0, *_STOPPED)
            yield Row(f"machine {words}", what, rung, text, codes=codes, refused=not moment, quick=quick)
    for rung, step in _WITH_PROGRAMS:
        where, fault = f"machine before {step}", f"world:no-processes=before:{step}"
        yield Row(where, "no more processes", rung, fault, codes=(0, *_STOPPED) if step == "fast_forward" else _STOPPED)
    for hours in (-2, 2):
        what = f"{abs(hours)} hours {'ahead' if hours < 0 else 'behind'}"
        fault = f"forge:at=GET:/:1+:after:clock={hours * 3600}"
        yield Row("clock (begun)", what, "begun", fault, codes=REFUSED, refused=True)
        yield Row("clock (tested)", what, "tested", fault, codes=(0,))


def _branch() -> Iterator[Row]:
    merge, aside = ("push_tag=merge",), ("push_tag=branch",)
    pushes = "colleague-pushes"
    yield _refused("branch (begun)", "a colleague pushes", "begun", pushes, again="refused")
    for rung in ("tested", "tried"):
        for choice, words in ((merge, "merged"), (aside, "taken aside")):
            what = f"a colleague pushes, {words} by choice"
            quick = (rung, words) == ("tried", "merged")
            yield _refused(f"branch ({rung})", what, rung, pushes, choose=choice, leaves=_MOVED, quick=quick)
    yield _refused("branch (tried)", "a colleague pushes, nothing chosen", "tried", pushes, again="refused")
    for rung, moment in (("built", "before:ask_again"), ("tried", "before:push_tag")):
        where, what = f"branch {moment.replace(':', ' ')}", "a colleague pushes"
        yield _refused(where, what, rung, f"{pushes}={moment}", choose=merge, leaves=_MOVED)
    changelog, what = "colleague-pushes-changelog", "a colleague's entry in the changelog, merged by choice"
    yield _refused("branch (tried)", what, "tried", changelog, choose=merge, leaves=_MOVED)
    for rung in ("pushed", "published"):
        yield Row(f"branch ({rung})", "a colleague pushes", rung, f"world:{pushes}", codes=(0,), leaves=_MOVED)


def _tags() -> Iterator[Row]:
    for rung in ("tested", "tried", "pushed", "published"):
        what = "the tag is at another commit"
        yield _refused(f"remote ({rung})", what, rung, "tag-elsewhere", again="refused", quick=rung == "tried")
    for rung, moment in (("built", "before:ask_again"), ("tried", "before:push_tag")):
        what = "the tag is at another commit"
        where = f"remote {moment.replace(':', ' ')}"
        yield _refused(where, what, rung, f"tag-elsewhere={moment}", again="refused")
    for rung in ("tried", "pushed"):
        yield _refused(f"remote ({rung})", "the tag is lightweight", rung, "tag-lightweight", again="refused")
    for rung in ("pushed", "published"):
        yield Row(f"remote ({rung})", "the tag is deleted", rung, "world:tag-deleted", codes=(0,))
    what = "the tag is taken in this checkout"
    yield _refused("checkout (tested)", what, "tested", "tag-taken-here", again="restored")


def _indexes() -> Iterator[Row]:
    what = "another wheel under its name"
    # What TestPyPI has stays there, and the release goes on: it is told as a warning.
    for moment in ("", "=before:upload_testpypi"):
        where = f"testpypi ({'before upload_testpypi' if moment else 'tested'})"
        left = ("testpypi", "uploads", "kept")
        yield Row(where, what, "tested", f"world:another-on-testpypi{moment}", codes=(0,), leaves=left)
    for rung in ("tested", "pushed", "published"):
        quick = rung == "pushed"
        yield _refused(f"pypi ({rung})", what, rung, "another-on-pypi", again="refused", quick=quick)
    # Too late for a check: the sdist has gone up when the index refuses the wheel.
    fault = "world:another-on-pypi=before:upload_pypi"
    yield Row("pypi before upload_pypi", what, "published", fault, codes=(1, 3, 6), again="refused")


def _drafts() -> Iterator[Row]:
    edits = {
        "edited-title": ("draft_release", "title edited"),
        "edited-notes": ("draft_release", "notes edited"),
        "another-asset": ("upload_assets", "another asset"),
        "another-under-its-name": ("upload_assets", "another asset under the sdist's name"),
    }
    for fault, (step, what) in edits.items():
        yield _refused("draft (drafted)", f"{what}, ours by choice", "drafted", fault, choose=(f"{step}=ours",))
        if fault != "another-under-its-name":
            leaves, choice = ("releases",), (f"{step}=theirs",)
            quick = fault == "edited-notes"
            what = f"{what}, theirs by choice"
            yield _refused("draft (drafted)", what, "drafted", fault, choose=choice, leaves=leaves, quick=quick)
    what = "another asset under the sdist's name, ours by choice"
    fault, choose = "another-under-its-name=before:upload_assets", ("upload_assets=ours",)
    yield _refused("draft before upload_assets", what, "pushed", fault, choose=choose)
    yield Row("draft (drafted)", "deleted", "drafted", "world:draft-deleted", codes=(0,), leaves=("releases made",))
    yield Row("draft (drafted)", "published by hand", "drafted", "world:draft-published", codes=(0,))
    early, fault = "published by hand before its assets", "world:draft-published=before:upload_assets"
    yield Row("draft before upload_assets", early, "pushed", fault, codes=(0,))
    for rung in ("pushed", "drafted"):
        yield Row(
            f"draft ({rung})",
            "another draft by hand",
            rung,
            "world:another-draft",
            codes=(1, 3),
            refused=True,
            again="refused",
        )
    for rung in ("pushed", "published"):
        yield Row(f"milestone ({rung})", "closed by hand", rung, "world:milestone-closed", codes=(0,))
