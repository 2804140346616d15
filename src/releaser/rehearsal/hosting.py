"""What a rehearsal needs whose workflows are carried out: publishers, environments, a key, and the jobs' addresses."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from pathlib import Path

from releaser.adapters.git import Git
from releaser.config.project import Config, IndexName
from releaser.core.files import write_atomically
from releaser.errors import UsageError
from releaser.rehearsal.actions.reading.check import parsed
from releaser.rehearsal.actions.setting import parse_kill
from releaser.rehearsal.actions.sources import FOLDER
from releaser.release import Release

REVIEWER = "reviewer"
KEY, SERVICES = "oidc", "services.json"
_AGREES_AFTER_S = 0.5
_TESTPYPI_ENVIRONMENT, _RELEASE_ENVIRONMENT = "testpypi", "release"


def carried(git: Git, config: Config, kills: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the workflows of HEAD that a rehearsal carries out, after a look at what they use.

    Args:
        git: The checkout.
        config: The project's configuration.
        kills: The faults that end a job, `kill-before=JOB:STEP` or `kill-after=JOB:STEP`.

    Raises:
        WorkflowError: One uses what is not carried out.
        UsageError: There is none, or a fault names a step that there is not.
    """
    names = dict.fromkeys((config.release_workflow, config.testpypi.workflow, config.pypi.workflow))
    texts = {name: git.file(git.head(), f"{FOLDER}{name}") for name in names}
    found = tuple(name for name, text in texts.items() if text is not None)
    if not found:
        raise UsageError(
            f"{FOLDER} has none of {', '.join(names)} at HEAD, so there is no workflow to rehearse",
            "Commit the workflows that release, or rehearse without --as.",
        )
    jobs = [item for name in found for item in parsed(name, texts[name] or "").jobs.items()]
    for text in kills:
        kill = parse_kill(text)
        if not any(name == kill.job and 0 < kill.step <= len(job.steps) for name, job in jobs):
            known = ", ".join(dict.fromkeys(f"{name} (1 to {len(job.steps)})" for name, job in jobs))
            raise UsageError(
                f"--fault actions:{text}: {kill.job} has no step {kill.step} in the workflows that are carried out",
                f"Name a job and one of its steps: {known}.",
            )
    return found


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


def lay_out(path: Path, config: Config) -> None:
    """Write what the forge knows of the workflows, as docs/releasing.md has it set up, and the key of identities.

    Args:
        path: The rehearsal's directory.
        config: The project's configuration.
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
    known.setdefault("environments", {release: reviewed, testpypi: {**reviewed, "tags": []}})
    write_atomically(settings, json.dumps(known))


def _environments(config: Config) -> tuple[str, str]:
    """Return the environments of the jobs that publish: the release's and TestPyPI's."""
    return config.pypi.environment or _RELEASE_ENVIRONMENT, config.testpypi.environment or _TESTPYPI_ENVIRONMENT


def forge_options(path: Path, config: Config, workflows: Iterable[str], kills: Iterable[str]) -> list[str | Path]:
    """Return what the forge's stand-in is told, so that it carries workflows out."""
    words: list[str | Path] = ["--services", path / SERVICES, "--branch", config.git.branch]
    words += ["--oidc-secret-file", path / "tokens" / KEY]
    for name in workflows:
        words += ["--carry", name]
    for kill in kills:
        words += ["--kill-job", kill]
    return words


def write_services(path: Path, pointed: Config, *, quick: bool) -> None:
    """Write the file that leads jobs to the stand-ins."""

    def index(name: str) -> dict[str, str | None]:
        table = pointed.testpypi if name == "testpypi" else pointed.pypi
        return {"upload_url": table.upload_url, "simple_url": table.simple_url, "web_url": table.web_url}

    forge = pointed.forge
    document = {
        "testpypi": index("testpypi"),
        "pypi": index("pypi"),
        "forge": {"api_url": forge.api_url, "web_url": forge.web_url, "repository": forge.repository},
        **({"images": {"repository": pointed.images.repository}} if pointed.images.repository else {}),
        "quick": quick,
    }
    write_atomically(path / SERVICES, json.dumps(document, indent=1))
