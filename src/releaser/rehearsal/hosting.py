"""What a rehearsal needs whose workflows are carried out: publishers, environments, a key, and the jobs' addresses."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from releaser.adapters.docker import buildx
from releaser.adapters.git import Git
from releaser.config.project import Config, IndexName
from releaser.core.files import write_atomically
from releaser.errors import UsageError
from releaser.rehearsal.actions.python import find
from releaser.rehearsal.actions.reading.check import parsed
from releaser.rehearsal.actions.reading.workflow import Workflow
from releaser.rehearsal.actions.setting import parse_fault
from releaser.rehearsal.actions.sources import FOLDER
from releaser.rehearsal.registry import program
from releaser.release import Release

REVIEWER = "reviewer"
KEY, SERVICES = "oidc", "services.json"
_AGREES_AFTER_S = 0.5
_TESTPYPI_ENVIRONMENT, _RELEASE_ENVIRONMENT = "testpypi", "release"


@dataclass(frozen=True)
class Carried:
    """What a rehearsal carries out of a project's workflows.

    Attributes:
        names: The workflows; none leaves everything to the process that rehearses.
        left_out: Why others, which these start, are not carried out, by name.
        images: That of `names` which builds and pushes images.
        pythons: The version that runs instead of one that its jobs ask for: its images' base here has another.
        environments: Those that its jobs name.
    """

    names: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    images: str | None = None
    pythons: Mapping[str, str] = field(default_factory=dict)
    environments: tuple[str, ...] = ()


def carried(git: Git, config: Config, faults: Iterable[str] = (), *, quick: bool = False) -> Carried:
    """Return which workflows of HEAD a rehearsal carries out, after a look at what they use.

    Args:
        git: The checkout.
        config: The project's configuration.
        faults: What happens to jobs, such as `kill-before=JOB:STEP`.
        quick: Whether the sessions of tests are left out.

    Raises:
        WorkflowError: One uses what is not carried out.
        UsageError: There is none, or a fault names a step that there is not.
    """
    by_workflow = bool(config.images.targets) and config.images.via == "ci"
    names = dict.fromkeys((config.release_workflow, config.testpypi.workflow, config.pypi.workflow))
    names |= {config.images.workflow: None} if by_workflow else {}
    texts = {name: git.file(git.head(), f"{FOLDER}{name}") for name in names}
    found = [name for name, text in texts.items() if text is not None]
    if not found:
        raise UsageError(
            f"{FOLDER} has none of {', '.join(names)} at HEAD, so there is no workflow to rehearse",
            "Commit the workflows that release, or rehearse without --as.",
        )
    left_out = _tests(git, config, quick=quick)
    images = config.images.workflow if by_workflow and config.images.workflow in found else None
    pythons: dict[str, str] = {}
    if images:
        reason = _without_images(git)
        if not reason:
            pythons, reason = _pythons(git, parsed(images, texts[images] or ""))
        if reason:
            found.remove(images)
            left_out[images], images = reason, None
    jobs = [(file, *item) for file in found for item in parsed(file, texts[file] or "").jobs.items()]
    for text in faults:
        fault = parse_fault(text)
        if not any(fault.is_of(file, name) and 0 < fault.step <= len(job.steps) for file, name, job in jobs):
            known = ", ".join(dict.fromkeys(f"{name} (1 to {len(job.steps)})" for _, name, job in jobs))
            raise UsageError(
                f"--fault actions:{text}: {fault.job} has no step {fault.step} in the workflows that are carried out",
                f"Name a job and one of its steps: {known}.",
            )
    environments = tuple(dict.fromkeys(job.environment.name for _, _, job in jobs if job.environment))
    left_out = {name: why for name, why in left_out.items() if name not in found}
    return Carried(tuple(found), left_out, images, pythons, environments)


def _tests(git: Git, config: Config, *, quick: bool) -> dict[str, str]:
    """Return why the tests' workflow is not carried out: nothing waits for it, and it is meant for many machines."""
    name = config.forge.tests_workflow
    if not name or git.file(git.head(), f"{FOLDER}{name}") is None:
        return {}
    why = "it tests the pushed commit on several machines at once; run its sessions with nox instead"
    return {name: "--quick leaves out its sessions" if quick else why}


def _without_images(git: Git) -> str | None:
    """Return why no workflow can build, start and push images on this machine; None if it can."""
    _, reason = program.program(git.root)
    return reason or buildx.unavailable(git.root)


def _pythons(git: Git, workflow: Workflow) -> tuple[dict[str, str], str | None]:
    """Return the Pythons to run a workflow of images with.

    The jobs' Python chooses the versions for the images, which a base with another Python may have no wheels of.

    Returns:
        The base's version by those that the jobs ask for; and why the workflow cannot be carried out, or None.
    """
    base = buildx.python_of_base(git.root)
    steps = [step for job in workflow.jobs.values() for step in job.steps]
    asked = {str(step.with_["python-version"]) for step in steps if step.with_.get("python-version")}
    pythons = {one: base for one in asked if base and one != base}
    if base and pythons and not find(base):
        return (
            {},
            f"the base {os.environ[buildx.BASE]} has Python {base}, and this machine has none to run its jobs with",
        )
    return pythons, None


def register(path: Path, release: Release) -> None:
    """Register the publishers, as docs/releasing.md has it: pending where the index does not know the project yet."""
    config = release.config
    on_release, on_testpypi = _environments(config)
    publishers: tuple[tuple[IndexName, str, str], ...] = (
        ("testpypi", config.release_workflow, on_testpypi),
        ("pypi", config.pypi.workflow, on_release),
    )
    for index, workflow, environment in publishers:
        publisher = {
            "project": config.distribution,
            "repository": release.repository,
            "workflow": workflow,
            "environment": environment,
            "pending": not release.index(index).all_files(config.distribution),
        }
        write_atomically(path / index / "publishers.json", json.dumps([publisher]))


def lay_out(path: Path, config: Config, named: Iterable[str] = ()) -> None:
    """Write what the forge knows of the workflows, as docs/releasing.md has it set up, and the key of identities.

    Args:
        path: The rehearsal's directory.
        config: The project's configuration.
        named: The environments that the workflows name; preflight refuses one that does not exist.
    """
    key = path / "tokens" / KEY
    if not key.exists():
        key.touch(mode=0o600)
        key.write_text(secrets.token_urlsafe(48), "utf-8")
    release, testpypi = _environments(config)
    settings = path / "forge" / "settings.json"
    known = json.loads(settings.read_text("utf-8")) if settings.exists() else {}
    reviewed = {
        "branches": [config.git.branch],
        "tags": [config.git.tag.format(version="*")],
        "reviewers": [REVIEWER],
        "approve_after": _AGREES_AFTER_S,
    }
    others = dict.fromkeys(named, reviewed)
    known.setdefault("environments", {**others, release: reviewed, testpypi: {**reviewed, "tags": []}})
    write_atomically(settings, json.dumps(known))


def _environments(config: Config) -> tuple[str, str]:
    """Return the environments of the jobs that publish: the release's and TestPyPI's."""
    return config.pypi.environment or _RELEASE_ENVIRONMENT, config.testpypi.environment or _TESTPYPI_ENVIRONMENT


def forge_options(path: Path, config: Config, hosted: Carried, faults: Iterable[str]) -> list[str | Path]:
    """Return what the forge's stand-in is told, so that it carries workflows out."""
    words: list[str | Path] = ["--services", path / SERVICES, "--branch", config.git.branch]
    words += ["--oidc-secret-file", path / "tokens" / KEY]
    for name in hosted.names:
        words += ["--carry", name]
    for name, reason in hosted.left_out.items():
        words += ["--leave-out", name, reason]
    if hosted.images:
        words += ["--engine-for", hosted.images]
    for asked, version in hosted.pythons.items():
        words += ["--python-of-images", asked, version]
    for fault in faults:
        words += ["--fault-in-job", fault]
    return words


def write_services(path: Path, pointed: Config, images_via: str, *, quick: bool) -> None:
    """Write the file that leads jobs to the stand-ins.

    Args:
        path: The rehearsal's directory.
        pointed: The configuration with the addresses of the stand-ins.
        images_via: Who pushes images; jobs start the workflow that does, even one that is not carried out here.
        quick: Whether the sessions of tests are left out.
    """

    def index(name: str) -> dict[str, str | None]:
        table = pointed.testpypi if name == "testpypi" else pointed.pypi
        return {"upload_url": table.upload_url, "simple_url": table.simple_url, "web_url": table.web_url}

    forge, repository = pointed.forge, pointed.images.repository
    document = {
        "testpypi": index("testpypi"),
        "pypi": index("pypi"),
        "forge": {"api_url": forge.api_url, "web_url": forge.web_url, "repository": forge.repository},
        **({"images": {"repository": repository, "via": images_via}} if repository else {}),
        "quick": quick,
    }
    write_atomically(path / SERVICES, json.dumps(document, indent=1))
