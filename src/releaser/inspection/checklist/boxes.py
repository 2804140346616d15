"""The boxes of the checklists, and what ticks each."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from functools import partial

from releaser.adapters.forge.records import Issue
from releaser.core import asking
from releaser.core.results import Result
from releaser.core.runner import Runner
from releaser.core.step import Done, Failed, Skipped, first_line
from releaser.errors import UsageError
from releaser.inspection.questions import Question, ask
from releaser.plan import plan_of
from releaser.release import Release
from releaser.steps.ci import runs, taking_part
from releaser.steps.ci.runs import Seen

TICK = "ticked"
"""The journal's event for a box that a person ticks."""

_STEPS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "before": {
        "changelog is up to date": ("have_changes",),
        "version files agree": ("agree_on_version",),
        "the version follows SemVer and increases": ("raise_version",),
        "no open issue or pull request blocks the release": ("have_no_blockers",),
        "images build and start here": ("build_images", "start_images"),
        "the installed --version is right": ("try_wheel",),
    },
    "release": {
        "release commit made": ("commit_release",),
        "annotated tag created": ("create_tag",),
        "branch and tag pushed": ("push_tag",),
        "release published": ("publish_release",),
        "PyPI serves the files": ("upload_pypi",),
        "images published": ("push_images",),
    },
    "after": {
        # What was installed once, and is served as it was then: whether it is yanked or gone is asked now.
        "installation from PyPI": ("install_from_pypi", "upgrade_from_pypi", "verify_index_files"),
        "the wheel is the one that was built": ("verify_index_files",),
        "the release's assets are the built files": ("verify_release",),
        "images tested": ("verify_images",),
        "milestone closed": ("close_milestone",),
    },
}
_BY_CI = {
    "try_wheel": "follow_release",
    "build_images": "push_images",
    "start_images": "push_images",
    "commit_release": "fetch_tag",
    "create_tag": "fetch_tag",
    "push_tag": "fetch_tag",
    "publish_release": "follow_release",
}
"""What shows, of a release that a workflow carries out, that it did what a step does here."""
_PEOPLE = {
    "features": "planned features and fixes are merged",
    "documentation": "documentation is up to date",
    "announce": "announced where users read it",
    "downstream": "downstream projects updated",
    "roadmap": "completed items marked in the roadmap",
    "next": "next milestones planned",
    "watch": "issues watched, installation and upgrade problems answered",
}


@dataclass(frozen=True)
class Box:
    """One box of a checklist.

    Attributes:
        part: before, release, after or people.
        name: What `--tick` takes; the title for boxes that evidence ticks.
        title: What is to be so.
        state: ticked, open, not asked, or does not apply.
        evidence: What shows it, or what is open.
        source: Who said so: steps, which ask services, a receipt of what was tried, or a person.
        at: When, in UTC.
    """

    part: str
    name: str
    title: str
    state: str
    evidence: str
    source: str
    at: str


def tick(release: Release, texts: Iterable[str]) -> None:
    """Note in the journal that a person has ticked boxes.

    Args:
        release: The release.
        texts: NAME=NOTE for each box.

    Raises:
        UsageError: There is no such box for people, or a note is missing; no box was ticked.
    """
    notes = []
    for text in texts:
        name, _, note = text.partition("=")
        if name not in _PEOPLE:
            raise UsageError(
                f"No person can tick {name or 'a box without a name'}", f"Choose from {', '.join(_PEOPLE)}."
            )
        if not note.strip():
            raise UsageError(f"A tick of {name} needs a note", f'Give one: `--tick {name}="what was done"`.')
        notes.append((name, note.strip()))
    if not notes:
        return
    by = release.git_settings.identity("committer") or "a person"
    with release.store.locked():
        for name, note in notes:
            release.journal.write(TICK, box=name, note=note, by=by)


def boxes(release: Release, beside: Question[list[Seen]] | None = None) -> list[Box]:
    """Return every box, ticked from what is asked now; ask a further question at the same time."""
    plan = plan_of(release.config)
    planned = Question("the milestone", partial(_planned, release))
    since = Question("new issues", partial(_since, release))
    tests = Question("the tests of the commit", partial(_tests, release))
    survey = Question("the steps", lambda: Runner(plan, release).survey(within=asking.LIMIT_S - 1))
    ask([planned, since, tests, survey, *([beside] if beside else [])])
    results = {one.step: one for one in survey.answer or ()}
    at = _at(survey.at)
    sessions = {f"session {name} passes": (name,) for name in results if name.startswith("pass_")}
    if release.config.run == "ci":
        results |= {step: results[shows] for step, shows in _BY_CI.items() if shows in results}
        sessions = {"every session passes in the workflow": ("follow_release",)}
    title = "tests of the commit passed on the forge"
    state, said = tests.answer or ("not asked", tests.error.message if tests.error else "")
    found = [
        Box("before", title, title, state, said, f"runs of {release.config.forge.tests_workflow}", _at(tests.at)),
    ]
    found += [
        _of_steps(part, title, [results[name] for name in names if name in results], at)
        for part, titles in _STEPS.items()
        for title, names in {**(sessions if part == "before" else {}), **titles}.items()
    ]
    listed = ", ".join(release.config.after.downstream) or "none is configured"
    details = {
        "features": (_listed(planned, "the milestone has nothing open"), "the milestone", _at(planned.at)),
        "documentation": (_old_names(release), "this checkout", at),
        "downstream": (listed, "[tool.releaser.after]", at),
        "watch": (_listed(since, "no issue was opened since the release"), "the issues", _at(since.at)),
    }
    ticks = {str(one["box"]): one for one in release.store.chain.entries if one.get("event") == TICK}
    for name, title in _PEOPLE.items():
        detail, source, asked = details.get(name, ("", "", ""))
        if name in ticks:
            one = ticks[name]
            said = f"{one.get('note')}" + (f" (now: {detail})" if detail else "")
            found.append(Box("people", name, title, "ticked", said, str(one.get("by")), _utc(str(one.get("at")))))
        else:
            found.append(Box("people", name, title, "open", detail, source, asked))
    return found


def newest_runs(release: Release) -> Question[list[Seen]]:
    """Return the question for what GitHub runs for this version, no matter who started it."""
    return Question("the newest runs", partial(taking_part.newest_runs, release))


def as_json(release: Release, found: Sequence[Box], newest: Question[list[Seen]] | None = None) -> str:
    """Return the boxes as a JSON document, and the newest runs if they were asked for.

    `run` is that of the workflow that releases (null: there is none), `runs` are those of all workflows.
    """
    facts = {"schema": 1, "distribution": release.config.distribution, "version": str(release.version)}
    told: dict[str, object] = {}
    if newest is not None and newest.error:
        unasked = {"not_asked": newest.error.message}
        told = {"run": unasked, "runs": unasked}
    elif newest is not None:
        known = [runs.facts(one) for one in newest.answer or ()]
        carried = (one for one in known if one["workflow"] == release.config.release_workflow)
        told = {"run": next(carried, None), "runs": known}
    return json.dumps({**facts, **told, "boxes": [asdict(box) for box in found]}, indent=2, ensure_ascii=False)


def as_text(found: Sequence[Box]) -> str:
    """Return the boxes as lines."""
    marks = {"ticked": "[x]", "open": "[ ]", "not asked": "[?]", "does not apply": "[-]"}
    lines = []
    for part in dict.fromkeys(box.part for box in found):
        lines.append(part)
        for box in (one for one in found if one.part == part):
            name = f"{box.name}: " if part == "people" else ""
            lines.append(f"  {marks[box.state]} {name}{box.title}")
            source = f" ({box.source}, {box.at})" if box.source else ""
            if box.evidence:
                lines.append(f"      {box.evidence}{source}")
    ticked = sum(box.state == "ticked" for box in found)
    counted = sum(box.state != "does not apply" for box in found)
    return "\n".join([*lines, "", f"{ticked} of {counted} ticked"])


def _of_steps(part: str, title: str, results: Sequence[Result], at: str) -> Box:
    """Tick a box if all its steps are done; the first that is not says what is open."""
    source = ", ".join(dict.fromkeys(one.step for one in results)) or "no step"
    applies = [one for one in results if type(one.outcome) is not Skipped]
    source = ", ".join(dict.fromkeys(_told(one) for one in applies)) or source
    if not applies:
        reason = first_line(results[0].outcome) if results else "could not be asked"
        return Box(part, title, title, "does not apply" if results else "not asked", reason, source, at)
    lacking = [one for one in applies if not isinstance(one.outcome, Done)]
    if not lacking:
        said = "; ".join(first_line(one.outcome) for one in applies)
        state = "not asked" if "unproven" in said else "ticked"
        return Box(part, title, title, state, said, source, at)
    unasked = any(isinstance(one.outcome, Failed) for one in lacking)
    return Box(part, title, title, "not asked" if unasked else "open", first_line(lacking[0].outcome), source, at)


def _told(result: Result) -> str:
    """Return a step's name; of one whose receipt counts, when what it says was seen."""
    seen = result.outcome.seen if isinstance(result.outcome, Done) else ""
    return f"receipt of {result.step} of {_utc(seen)}" if seen else result.step


def _at(moment: datetime | None) -> str:
    return f"{moment or datetime.now(timezone.utc):%Y-%m-%d %H:%M:%S} UTC"


def _utc(text: str) -> str:
    return f"{text[:19].replace('T', ' ')} UTC"


def _tests(release: Release) -> tuple[str, str]:
    """Ask the forge for the run of the tests: of the release commit, else of what it was made from."""
    workflow, commit = release.config.forge.tests_workflow, release.commit()
    if not workflow:
        return "does not apply", "[tool.releaser.forge] names no tests-workflow"
    asked = [commit, release.git.parent(commit)] if commit else [release.git.head()]
    for one in filter(None, asked):
        run = release.forge.tests_run(workflow, one)
        if run and run.conclusion == "success":
            return "ticked", f"{workflow} passed for {one[:12]} ({run.url})"
        if run:
            return "open", f"{workflow} is {run.conclusion or run.status} for {one[:12]} ({run.url})"
    return "open", f"{workflow} has no run for {' or '.join(one[:12] for one in asked if one)}"


def _planned(release: Release) -> list[Issue] | str:
    title = release.config.forge.milestone.format(version=release.version)
    milestone = release.forge.find_milestone(title)
    return release.forge.issues.of_milestone(milestone.number) if milestone else f"there is no milestone {title}"


def _since(release: Release) -> list[Issue] | str:
    found = release.forge.find_release(release.tag)
    return release.forge.issues.since_release(found.id) if found and not found.draft else "it is not released yet"


def _listed(question: Question[list[Issue] | str], nothing: str) -> str:
    if question.error:
        return f"not asked: {question.error.message}"
    answer = question.answer or []
    if isinstance(answer, str):
        return answer
    return f"{len(answer)} open: {_titles(answer)}" if answer else nothing


def _titles(issues: Iterable[Issue]) -> str:
    listed = list(issues)
    return ", ".join(f"#{one.number} {one.title}" for one in listed[:6]) + (", ..." if len(listed) > 6 else "")


def _old_names(release: Release) -> str:
    """Return the documents of the checkout that name the version before this one; the changelog must."""
    before = release.release_commit.version_before() or release.history.highest_here(release.git.head())
    if before is None or before == release.version:
        return ""
    root = release.git.root
    named = re.compile(rf"(?<![\d.]){re.escape(str(before))}(?![\d]|\.\d)")
    patterns = ("*.md", "*.rst", "docs/**/*.md", "docs/**/*.rst")
    documents = sorted({path for pattern in patterns for path in root.glob(pattern)})
    found = [
        f"{path.relative_to(root)} ({count})"
        for path in documents
        if path.name != release.config.changelog and (count := len(named.findall(path.read_text("utf-8", "replace"))))
    ]
    return f"these name {before}: {', '.join(found)}" if found else f"no document names {before}"
