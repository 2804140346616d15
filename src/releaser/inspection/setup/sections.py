"""What must be set up once by hand: at the indexes and in the repository's settings, with the exact values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from releaser.adapters.forge.workflow_file import WorkflowFile, read_workflows
from releaser.config.project import INDEX_TITLES
from releaser.inspection.setup.environments import wanted_environments
from releaser.inspection.setup.publishers import possible_publisher, publisher
from releaser.release import Release

_CHECKOUT = "actions/checkout@"
_USUAL = "ubuntu-latest"
"""The machines that every repository has."""


@dataclass
class Section:
    """One page to open, and what to enter there.

    Attributes:
        title: What it is for.
        pages: Where that is, with a word on when where there are several.
        values: Names of fields, and what they get.
        notes: What to know about them.
        problems: What is wrong in the repository itself, each with its remedy.
    """

    title: str
    pages: list[str] = field(default_factory=list)
    values: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)


def sections(release: Release) -> list[Section]:
    """Return what to set up for releases from a terminal and from CI, as the checkout's files say.

    Raises:
        UsageError: A workflow file cannot be read.
    """
    files = read_workflows(release.git.root)
    site = f"{release.config.forge.web_url.rstrip('/')}/{release.repository}/settings"
    found = [*_indexes(release, files), *_environments(release, files, site), *_rules(release, files, site)]
    return [*found, *_actions(files, site), *_images(release, files), _tokens(release)]


def _indexes(release: Release, files: Mapping[str, WorkflowFile]) -> Iterable[Section]:
    for name, title in INDEX_TITLES.items():
        config = release.config.index(name)
        required = publisher(release, name, files)
        known = required or possible_publisher(release, name, files)
        if known is None:
            continue
        section = Section(f"{title}: trusted publisher (GitHub)")
        section.pages = [
            f"{known.pending_page} before the project's first upload (a pending publisher, which then creates it)",
            f"{known.page} afterwards",
        ]
        section.values = [
            (f"{title} project name", known.project),
            ("Owner", known.owner),
            ("Repository name", known.repository),
            ("Workflow name", known.file),
            ("Environment name", known.environment),
        ]
        if required is None:
            section.notes.append(f"For releases from CI alone: from a terminal, {config.token_env} is used.")
        if problem := known.problem():
            section.problems.append(problem)
        yield section


def _environments(release: Release, files: Mapping[str, WorkflowFile], site: str) -> Iterable[Section]:
    for one in wanted_environments(release, files):
        section = Section(f"GitHub: environment {one.name}", [f"{site}/environments"])
        section.values = [
            ("Name", one.name),
            ("Deployment branches and tags", f"Selected branches and tags: {one.limits}"),
            ("Required reviewers", "those who may release"),
            ("Prevent self-review", "on; off only where one person alone may release"),
            ("Allow administrators to bypass", "off"),
            ("Environment secrets", "none"),
        ]
        section.notes = [f"Protects: {', '.join(one.jobs)}. An index looks at the environment, and not at the branch."]
        if one.tag:
            section.notes.append(
                "A workflow that is altered in the commit of such a tag is let in, too: look at a run's commit before "
                "you approve it, and have a second person do so."
            )
        yield section


def _rules(release: Release, files: Mapping[str, WorkflowFile], site: str) -> Iterable[Section]:
    config, tags = release.config, _any_tag(release)
    pushing = files.get(config.release_workflow)
    jobs = [job.name for job in pushing.jobs if job.may_write("contents")] if pushing else []
    workflow = f"the workflow's own token, in {', '.join(jobs)} ({config.release_workflow})" if jobs else ""
    by_ci = config.run == "ci"
    branch = Section(f"GitHub: rules for the branch {config.git.branch}", [f"{site}/rules"])
    branch.values = [
        ("Restrict deletions", "on"),
        ("Block force pushes", "on"),
        ("Require a pull request", "off" if by_ci else "on or off; those who release must be able to bypass it"),
        ("Require status checks", f"off: a release itself waits for {config.forge.tests_workflow or 'its own tests'}"),
    ]
    tag = Section(f"GitHub: rules for the tags {tags}", [f"{site}/rules"])
    tag.values = [
        ("Restrict creations", "off" if by_ci else "on; those who release bypass it"),
        ("Restrict updates", "on"),
        ("Restrict deletions", "on; a rollback then needs an administrator"),
        ("Block force pushes", "on"),
    ]
    if workflow:
        who = "Branch and tag are" if by_ci else "For releases from CI, branch and tag are"
        branch.notes.append(
            f"{who} pushed by {workflow}. GitHub cannot name that token as one that bypasses a rule: a rule that it "
            "does not meet refuses the release."
        )
    immutable = Section("GitHub: releases", [site])
    immutable.values = [("Enable release immutability", "on")]
    immutable.notes = [
        "Files are attached before a release is published, so nothing is lost by it; a published release that was made "
        "by hand then keeps the files that it has, and its tag's name is used up even after a deletion."
    ]
    return [branch, tag, immutable]


def _actions(files: Mapping[str, WorkflowFile], site: str) -> Iterable[Section]:
    if not files:
        return
    jobs = [job for file in files.values() for job in file.jobs]
    used = sorted({action.partition("@")[0] for job in jobs for action in job.actions})
    section = Section("GitHub: Actions", [f"{site}/actions"])
    section.values = [
        ("Workflow permissions", "Read repository contents and packages permissions"),
        ("May create and approve pull requests", "off"),
        ("Allowed actions", _allowed(used)),
        ("Require a full-length commit SHA", "on"),
    ]
    runners = sorted({runner for job in jobs for runner in job.runners} - {_USUAL})
    if runners:
        section.values.append(("Runners", ", ".join(runners)))
    if any("arm" in runner for runner in runners):
        section.notes.append("arm64 runners are hosted by GitHub; a private repository may not have them.")
    limited = (["required reviewers"] if any(job.environment for job in jobs) else []) + (
        ["attestations"] if any(job.may_write("attestations") for job in jobs) else []
    )
    if limited:
        section.notes.append(f"A private repository needs GitHub Enterprise for {' and for '.join(limited)}.")
    blind = [
        f"{job.name} ({file.name})"
        for file in files.values()
        for job in file.jobs
        if any(action.startswith(_CHECKOUT) for action in job.actions)
        and not {"contents", "*"} & job.permissions.keys()
    ]
    if blind:
        section.notes.append(
            f"In a private repository, give `contents: read` to what checks it out: {', '.join(blind)}."
        )
    undone = sorted(f"{job.name} ({file.name})" for file in files.values() for job in file.jobs if job.may_write("*"))
    if undone:
        section.problems.append((f"{', '.join(undone)} may write everything", "Give it `permissions`."))
    yield section


def _allowed(used: Sequence[str]) -> str:
    """Return the narrowest of GitHub's choices; an action may use others of its owner."""
    others = [action for action in used if not action.startswith("actions/")]
    return ", ".join(["those created by GitHub", *(f"{action}@*" for action in others)])


def _images(release: Release, files: Mapping[str, WorkflowFile]) -> Iterable[Section]:
    images = release.config.images
    file = files.get(images.workflow)
    pushing = [job.name for job in file.jobs if job.may_write("packages")] if file else []
    if images.repository and pushing:
        section = Section(f"Registry: {images.repository}")
        section.values = [("May push", f"{release.repository} ({', '.join(pushing)} in {images.workflow})")]
        section.notes = [
            "At GitHub's registry: after the first push, in the package's settings, under Manage Actions access, role "
            "Write; there is nothing to set before. Make the package public there."
        ]
        yield section


def _tokens(release: Release) -> Section:
    config = release.config
    what = "to start and follow releases in CI" if config.run == "ci" else "for a release from a terminal"
    section = Section(f"This machine: tokens in the environment, {what}")
    follows = config.run == "ci" or "ci" in (config.pypi.via, config.testpypi.via)
    scopes = ("contents", "issues", *(("actions",) if follows else ()))
    section.values = [
        (config.forge.token_env, f"{', '.join(f'{one}: write' for one in scopes)} in {release.repository}")
    ]
    for name, title in INDEX_TITLES.items():
        if config.index(name).via == "upload":
            section.values.append((config.index(name).token_env, f"uploads to {title}"))
    if config.images.repository and config.images.token_env and config.images.token_env != config.forge.token_env:
        section.values.append((config.images.token_env, f"pushes to {config.images.repository}"))
    return section


def _any_tag(release: Release) -> str:
    return release.config.git.tag.replace("{version}", "*")


def as_text(found: Iterable[Section]) -> str:
    """Return the sections for people."""
    blocks = []
    for section in found:
        width = max(len(name) for name, _ in section.values)
        lines = [section.title, *(f"  at {page}" for page in section.pages)]
        lines += [f"    {name:<{width}}  {value}" for name, value in section.values]
        lines += [f"  {note}" for note in section.notes]
        for what, remedy in section.problems:
            lines += [f"  WRONG HERE: {what}", f"    -> {remedy}"]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)
