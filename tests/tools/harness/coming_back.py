"""Any interleaving of release, kill, rollback, release again and yank, and what must hold after each."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from requests import HTTPError

from releaser import engine
from releaser.commands import rollback as command
from releaser.core.step import Outcome, part_of
from releaser.errors import ReleaserError, StaysError
from releaser.plan import release_plan

from .projects import Project
from .scene import Scene
from .stand_ins import StandIn

PUBLIC = ("create_tag", "push_tag", "draft_release", "upload_assets", "publish_release", "upload_pypi")
BACK = ("delete_immutable", "delete_tag", "delete_release", "warn_on_release", "revert_bump", "discard_state")
LATE = 3600.0


class Killed(BaseException):
    """The process ends here."""


class KillAt:
    """An observer that ends the run before or after a step."""

    def __init__(self, before: str | None, after: str | None) -> None:
        self.before, self.after = before, after

    def phase(self, name: str, title: str, /) -> None:
        """Phases are not struck."""

    def noted(self, step: str, text: str, /) -> None:
        """What is noted is not struck."""

    def progress(self, step: str, text: str, done: int | None = None, total: int | None = None, /) -> None:
        """Progress is not struck."""

    def started(self, step: str, _title: str, /) -> None:
        """Strike before the step does anything."""
        if step == self.before:
            raise Killed

    def finished(self, step: str, _title: str, _outcome: Outcome, _seconds: float, /) -> None:
        """Strike when its fact holds."""
        if step == self.after:
            raise Killed


class Promise(RuleBasedStateMachine):
    """One version, and everything that a person may do about it."""

    def __init__(self, scene: Scene) -> None:
        super().__init__()
        self.scene = scene
        self.seen: dict[str, str] = {}

    @initialize(late=st.booleans(), immutable=st.booleans())
    def begin(self, late: bool, immutable: bool) -> None:
        """Begin with an index that shows late what it takes, or at once, and with immutable releases, or others."""
        self.lag(late)
        if immutable:
            make_immutable(self.scene)

    @rule(at=st.sampled_from([None, None, None, *PUBLIC]), after=st.booleans())
    def release(self, at: str | None, after: bool) -> None:
        """Release what the branch is at, killed somewhere or not; refusals are fine."""
        self.scene.git("fetch", "--quiet", "origin", "main")
        self.scene.git("reset", "--quiet", "--hard", "FETCH_HEAD")
        release = self.scene.release()
        if not release.store.dist.exists():
            release = self.scene.with_dists()
        plan = part_of(release_plan(release.config), *PUBLIC)
        killer = KillAt(None if after else at, at if after else None)
        with suppress(ReleaserError, Killed):
            engine.carry_out(release, plan, skip={}, confirm=engine.say_yes, observers=(killer,))

    @rule(at=st.sampled_from([None, None, None, *BACK]), revert=st.booleans())
    def rollback(self, at: str | None, revert: bool) -> None:
        """Take it back; where it says "all", nothing of it is left."""
        path, killer = self.scene.project.path, KillAt(at, None)
        try:
            command.rollback(path, "0.2.0", dry_run=False, yes=True, revert=revert, observers=(killer,))
        except (StaysError, ReleaserError, Killed):
            return
        assert self.scene.at_origin("tag", "--list", "v0.2.0") == ""
        assert 'version = "0.2.0"' not in self.scene.at_origin("show", "main:pyproject.toml")
        assert self.scene.forge.releases() == []
        assert self.held() == {}
        forge = json.loads((self.scene.forge.folder / "forge.json").read_bytes())
        assert forge["burned_tags"] == []

    @rule()
    def yank(self) -> None:
        """Yank it on the index's page, if the index has it."""
        if self.held():
            with suppress(HTTPError):  # the page that the form leads to may not show yet
                self.scene.pypi.manage("tiny-thing", "0.2.0", action="yank", reason="Broken")

    @rule(late=st.booleans())
    def change(self, late: bool) -> None:
        """Change how late the index shows what it takes."""
        self.lag(late)

    def lag(self, late: bool) -> None:
        """Have the index show late what it takes, or at once."""
        self.scene.pypi.late(LATE if late else 0.0)

    @invariant()
    def one_name_is_one_sequence_of_bytes(self) -> None:
        """What was ever on the index under a name is what is there, and what the release has under it."""
        for name, digest in self.held().items():
            assert self.seen.setdefault(name, digest) == digest
        for release in self.scene.forge.releases() if (self.scene.forge.folder / "forge.json").exists() else []:
            for asset in release["assets"]:
                content = (self.scene.forge.folder / "assets" / str(asset["id"])).read_bytes()
                digest = hashlib.sha256(content).hexdigest()
                assert self.seen.get(asset["name"], digest) == digest

    @invariant()
    def what_is_published_has_its_tag(self) -> None:
        """A version that users can have has a tag."""
        if self.held():
            assert self.scene.at_origin("tag", "--list", "v0.2.0") == "v0.2.0"

    def held(self) -> dict[str, str]:
        """Return what the index holds of 0.2.0, whether it shows it or not: sha256 by name."""
        document = self.scene.pypi.folder / "index.json"
        projects = json.loads(document.read_bytes())["projects"] if document.exists() else {}
        versions = projects.get("tiny-thing", {}).get("releases", {})
        files = versions.get("0.2.0", {}).get("files", {})
        return {name: one["digests"]["sha256"] for name, one in files.items()}

    def teardown(self) -> None:
        """Have the services serve nothing."""
        self.scene.stop()


def make_immutable(scene: Scene) -> None:
    """Have the forge make releases immutable, and the remote keep their tags as long as they exist, as GitHub does."""
    keep_immutable_tags(scene.forge.folder, scene.origin)


def keep_immutable_tags(forge: Path, origin: Path) -> None:
    """Do that for a forge that keeps its data in a directory, and a remote that is a bare repository."""
    (forge / "settings.json").write_text('{"immutable_releases": true}')
    hook, held = origin / "hooks" / "pre-receive", forge / "forge.json"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\nif grep -q '\"immutable\": true' {held}; then echo kept >&2; exit 1; fi\n")
    hook.chmod(0o755)


def keep_the_promise(
    template: Project, stand_ins: dict[str, StandIn], patch: pytest.MonkeyPatch, *, examples: int, steps: int
) -> None:
    """Look for an interleaving that breaks it."""

    def machine() -> Promise:
        folder = Path(tempfile.mkdtemp(prefix="promise-"))
        state = folder / "state"
        patch.setenv("RELEASER_STATE_DIR", str(state))
        scene = Scene(template.copied(folder / "tiny"), state, patch, stand_ins)
        scene.serve(folder / "services")
        scene.project.configure("timeout = 30", "timeout = 0")
        return Promise(scene)

    limits = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],  # an interleaving of eight commands can be read as it is, and shrinking takes minutes
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    made: Callable[[], RuleBasedStateMachine] = machine
    run_state_machine_as_test(made, settings=limits)
