"""What the rehearsal's index holds, on disk, and the rules of PyPI that depend on it.

::

    DIR/index.json     one document, replaced whole: projects, releases, files, burned names, used JWT ids, tokens
    DIR/files/         <first 16 digits of sha256>/<filename>, and for a wheel also <filename>.metadata (PEP 658)
    DIR/uploads.log    "<filename> <sha256>" for each new file, "noop <filename>" for identical bytes sent again

A file is written, synced and renamed into place before the document that names it is: killed at any moment, the store
never shows half a file and never names a missing one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, parse
from pydantic import BaseModel, ConfigDict, JsonValue

from releaser.core.files import write_atomically
from releaser.rehearsal.index.distribution import Distribution, RefusedError, digests_of

OPEN_FOR = timedelta(days=14)


class StoredFile(BaseModel):
    """One file of a release; ``uploaded`` is when it was accepted, from which the lag counts."""

    model_config = ConfigDict(extra="forbid")

    filename: str
    packagetype: str
    requires_python: str
    size: int
    digests: dict[str, str]
    metadata_sha256: str | None
    uploaded: datetime
    provenance: JsonValue = None

    @property
    def path(self) -> str:
        """Where it is stored, below ``files/`` on disk."""
        return f"{self.digests['sha256'][:16]}/{self.filename}"

    @property
    def address(self) -> str:
        """Its address below ``/packages/``, made of its BLAKE2b-256 as at PyPI's file host."""
        digest = self.digests["blake2b_256"]
        return f"{digest[:2]}/{digest[2:4]}/{digest[4:]}/{self.filename}"


class IndexRelease(BaseModel):
    """One version: ``yanked`` is False, True or the reason (PEP 592), ``info`` the metadata of its first file."""

    model_config = ConfigDict(extra="forbid")

    created: datetime
    info: dict[str, JsonValue]
    yanked: bool | str = False
    files: dict[str, StoredFile] = {}


class Project(BaseModel):
    """One project, its releases by canonical version."""

    model_config = ConfigDict(extra="forbid")

    name: str
    created: datetime
    releases: dict[str, IndexRelease] = {}

    def spelling(self, version: str) -> str:
        """Return the stored spelling of an equal version (1.0 is 1.0.0 in PEP 440); itself if there is none."""
        try:
            wanted = parse(version)
        except InvalidVersion:
            return version
        return next((each for each in self.releases if parse(each) == wanted), version)


class MintedToken(BaseModel):
    """A trusted publisher's token: for which projects, until when, and for whom its attestations speak."""

    model_config = ConfigDict(extra="forbid")

    projects: list[str]
    expires: datetime
    publisher: dict[str, JsonValue]


class World(BaseModel):
    """The whole document. Tokens are kept as their sha256.

    Pending publishers that created their project are `reified`; those whose project came otherwise are `discarded`.
    """

    model_config = ConfigDict(extra="forbid")

    projects: dict[str, Project] = {}
    burned: list[str] = []
    used_jwt_ids: list[str] = []
    reified: list[str] = []
    discarded: list[str] = []
    tokens: dict[str, MintedToken] = {}


class IndexStore:
    """The index's state on disk; every public method leaves it complete.

    Args:
        root: The directory, created if missing.
        clock: The time now, with its zone.
    """

    def __init__(self, root: Path, clock: Callable[[], datetime] = lambda: datetime.now(timezone.utc)) -> None:
        self.root = root
        self.clock = clock
        self._document = root / "index.json"
        self._log = root / "uploads.log"
        root.mkdir(parents=True, exist_ok=True)
        self.world = World()
        if self._document.exists():
            self.world = World.model_validate_json(self._document.read_bytes())
        self._complete_log()

    def project(self, name: str) -> Project | None:
        """Return the project of that name, however it is spelt."""
        return self.world.projects.get(canonicalize_name(name))

    def release(self, name: str, version: str) -> IndexRelease:
        """One release.

        Raises:
            RefusedError: 404, there is none.
        """
        project = self.project(name)
        release = project and project.releases.get(project.spelling(version))
        if not release:
            raise RefusedError("Not Found", 404)
        return release

    def files(self) -> Iterator[StoredFile]:
        """Yield every file held."""
        for project in self.world.projects.values():
            for release in project.releases.values():
                yield from release.files.values()

    def add(self, distribution: Distribution, provenance: JsonValue = None) -> bool:
        """Take in one file.

        Returns:
            True if it is new, False if the same bytes were there under the same name.

        Raises:
            RefusedError: The name is taken or burned, the release closed, or it has its sdist.
        """
        digests = distribution.digests
        if self._is_there(distribution.filename, digests):
            self._append(f"noop {distribution.filename}")
            return False
        now = self.clock()
        project = self.world.projects.get(distribution.project) or Project(name=distribution.display_name, created=now)
        version = project.spelling(str(distribution.version))
        release = project.releases.get(version) or IndexRelease(created=now, info=distribution.info)
        self._check_room(distribution, release, now)
        metadata = distribution.metadata
        file = StoredFile(
            filename=distribution.filename,
            packagetype=distribution.packagetype,
            requires_python=distribution.requires_python,
            size=len(distribution.content),
            digests=digests,
            metadata_sha256=digests_of(metadata)["sha256"] if metadata is not None else None,
            uploaded=now,
            provenance=provenance,
        )
        path = self.root / "files" / file.path
        if metadata is not None:
            write_atomically(path.with_name(f"{path.name}.metadata"), metadata)
        write_atomically(path, distribution.content)
        release.files[file.filename] = file
        project.releases[version] = release
        self.world.projects[distribution.project] = project
        self.save()
        self._append(_log_line(file))
        return True

    def create(self, name: str) -> None:
        """Create a project without releases, as a pending publisher's first token does."""
        self.world.projects[canonicalize_name(name)] = Project(name=name, created=self.clock())
        self.save()

    def yank(self, name: str, version: str, yanked: bool | str) -> None:
        """Yank a release (True or the reason) or take that back (False)."""
        self.release(name, version).yanked = yanked
        self.save()

    def delete(self, name: str, version: str, filename: str = "") -> None:
        """Delete one file, or the release with all its files; their names can never be used again."""
        release = self.release(name, version)
        doomed = [filename] if filename else list(release.files)
        if not set(doomed) <= set(release.files):
            raise RefusedError("Not Found", 404)
        paths = [self.root / "files" / release.files.pop(each).path for each in doomed]
        self.world.burned += doomed
        if not filename:
            project = self.world.projects[canonicalize_name(name)]
            del project.releases[project.spelling(version)]
        self.save()
        for path in paths:
            path.unlink()
            path.with_name(f"{path.name}.metadata").unlink(missing_ok=True)

    def save(self) -> None:
        """Replace the document by what is in memory."""
        write_atomically(self._document, self.world.model_dump_json(indent=1))

    def _is_there(self, filename: str, digests: dict[str, str]) -> bool:
        for file in self.files():
            if file.filename == filename and file.digests == digests:
                return True
            # PyPI compares both ways: nor may the same bytes come again under another name.
            if file.filename == filename or file.digests == digests:
                known = file.digests["blake2b_256"]
                raise RefusedError(f"File already exists ({filename!r}, with blake2_256 hash {known!r}).")
        return False

    def _check_room(self, distribution: Distribution, release: IndexRelease, now: datetime) -> None:
        if distribution.filename in self.world.burned:
            raise RefusedError("This filename has already been used, use a different version.")
        if now - release.created > OPEN_FOR:
            raise RefusedError(
                f"New files cannot be added to {distribution.version}, a release older than {OPEN_FOR.days} days."
            )
        if distribution.packagetype == "sdist" and any(f.packagetype == "sdist" for f in release.files.values()):
            raise RefusedError("Only one sdist may be uploaded per release.")

    def _complete_log(self) -> None:
        """Log the upload that a kill between the document and its line left out."""
        logged = set(self._log.read_text().splitlines()) if self._log.exists() else set()
        for file in self.files():
            if _log_line(file) not in logged:
                self._append(_log_line(file))

    def _append(self, line: str) -> None:
        with self._log.open("a") as log:
            log.write(f"{line}\n")


def _log_line(file: StoredFile) -> str:
    return f"{file.filename} {file.digests['sha256']}"
