"""Examine everything that a release needs: what failed before, this machine, the project, every service."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from releaser.config.project import INDEX_TITLES
from releaser.core.step import Conflict, Done, Failed, Outcome, Skipped, Step, Warned, part_of, said
from releaser.errors import ReleaserError, ServiceError
from releaser.inspection.doctor import credentials, machine, past, workflows
from releaser.inspection.findings import Finding, Findings
from releaser.inspection.questions import Question, ask
from releaser.inspection.setup.environments import look_at_environments
from releaser.plan import plan_of
from releaser.release import Release

_GROUPS = {
    "releases before": ("trust_journal",),
    "this machine": ("find_tools", "trust_clock"),
    "clone": (
        *("find_identity", "sign_something", "know_hooks", "be_on_branch", "be_clean", "be_level", "write_to_git"),
        "have_sources",
    ),
    "project": (
        *("agree_on_version", "raise_version", "have_changes", "fit_notes", "know_backend", "have_workflows"),
        *("meet_index_rules", "render_readme"),
    ),
    "rules": (
        *("push_where_asked", "log_in_remote", "follow_rules", "have_environments", "have_no_blockers"),
        "have_passed_tests",
    ),
}
"""Where the preflight steps are shown; the others are about credentials."""


def examine(release: Release) -> list[Finding]:
    """Return what was found, what failed before first.

    Args:
        release: The release that could come next.
    """
    before = past.look_at_past(release.store.path.parent)
    (preflight,) = part_of(plan_of(release.config), "preflight")
    checks = {step: Question(step.title, partial(_outcome, step, release)) for step in preflight.steps}
    services = _services(release)
    local = [
        Question("programs", machine.look_at_programs),
        Question("containers", lambda: machine.look_at_containers(release)),
        Question("clone", lambda: [_clone(release)]),
        Question("workflows", lambda: workflows.look_at_workflows(release)),
        *(Question(name, partial(credentials.look_at_index_token, release, name)) for name in INDEX_TITLES),
    ]
    tokens = credentials.tokens_for_forge(release)
    asked = {
        where: Question(f"token {where}", partial(credentials.look_at_forge_token, release, where, token))
        for where, token in tokens.items()
    }
    tags = Question("the remote's tags", lambda: release.git.remote_tags(release.config.git.remote))
    immutable = Question("immutable releases", lambda: _immutable(release))
    environments = Question("environments", lambda: look_at_environments(release))
    ask([*checks.values(), *services.values(), *local, *asked.values(), tags, immutable, environments])

    sides = [
        *before,
        *machine.look_at_name(release),
        *machine.look_at_network_settings(),
        *credentials.look_at_chosen(release, tokens),
    ]
    for question in local:
        sides += _sides(question, "this machine", question.what)
    sides += [_step(step, question) for step, question in checks.items()]
    for where, question in asked.items():
        sides += _sides(question, "credentials", where)
    on_tags = Findings("tags")
    if tags.answered(on_tags, "form"):
        sides += workflows.look_at_tags(release, tags.answer or {})
    sides += [on_tags, *_sides(immutable, "rules", "immutable releases")]
    sides += [*_sides(environments, "environments", "environments"), _network(services)]
    found = [one for side in sides for one in side.found]
    order = list(dict.fromkeys(one.about for one in found))
    return sorted(found, key=lambda one: order.index(one.about))


def _outcome(step: Step[Release], release: Release) -> Outcome:
    try:
        return step.check(release)
    except ReleaserError as error:
        return Failed(error)


def _step(step: Step[Release], question: Question[Outcome]) -> Findings:
    """Return a step's outcome as a finding."""
    notes = Findings(next((group for group, names in _GROUPS.items() if step.name in names), "credentials"))
    outcome = question.answer if question.answer is not None else Failed(question.error or ServiceError("no answer"))
    if isinstance(outcome, Conflict):
        notes.wrong(step.name, outcome.what, outcome.remedy)
    elif isinstance(outcome, Warned):
        notes.warning(step.name, outcome.reason, outcome.remedy)
    elif isinstance(outcome, Skipped):
        notes.none(step.name, outcome.reason)
    elif isinstance(outcome, Failed) and isinstance(outcome.error, ServiceError):
        notes.not_asked(step.name, outcome.error)
    elif isinstance(outcome, Failed):
        notes.wrong(step.name, outcome.error.message, outcome.error.remedy)
    elif isinstance(outcome, Done) and "unproven" in outcome.evidence:
        notes.unproven(step.name, outcome.evidence)
    else:
        notes.right(step.name, said(outcome))
    return notes


def _sides(question: Question[list[Findings]], about: str, name: str) -> Sequence[Findings]:
    notes = Findings(about)
    return question.answer or [] if question.answered(notes, name) else [notes]


def _services(release: Release) -> dict[str, Question[Any]]:
    """Return a small question to each service, to see whether it answers and how fast."""
    name, remote = release.config.distribution, release.config.git.remote
    found: dict[str, Question[Any]] = {
        index: Question(index, partial(release.index(index).all_files, name)) for index in INDEX_TITLES
    }
    found["forge"] = Question("the forge", lambda: release.forge.latest_release())
    found[f"git remote {remote}"] = Question("the git remote", partial(release.git.remote_branch, remote, "HEAD"))
    if release.config.images.targets:
        found["registry"] = Question("the registry", lambda: release.registry.tags())
    return found


def _network(services: dict[str, Question[Any]]) -> Findings:
    notes = Findings("network")
    for name, question in services.items():
        if question.answered(notes, name):
            notes.right(name, f"answers in {question.seconds:.1f} s")
    return notes


def _clone(release: Release) -> Findings:
    notes = Findings("clone")
    if release.git.line("rev-parse", "--is-shallow-repository", missing="false") == "true":
        notes.warning(
            "history", "the clone is shallow: versions before it are not seen", "Run `git fetch --unshallow`."
        )
    else:
        notes.right("history", "whole")
    return notes


def _immutable(release: Release) -> list[Findings]:
    notes = Findings("rules")
    told = release.forge.settings.immutable_releases()
    if told:
        notes.right(
            "immutable releases",
            "on: the assets of a published release cannot change, it keeps its tag until it is deleted, and no other "
            f"release can ever have that tag, so {release.version} can be published once",
        )
        if release.config.forge.attach_report:
            notes.warning(
                "attach-report",
                "a published release takes no more files: of its record only the last hash will be in the notes",
                "Hand the record on in another way (`invoke report`), or switch immutable releases off.",
            )
    elif told is None:
        notes.unproven("immutable releases", "off, or not told to this token")
    else:
        notes.right("immutable releases", "off")
    return [notes]
