"""[tool.releaser] in pyproject.toml, read once into frozen models. Nothing here names a project."""

from __future__ import annotations

import re
import string
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from releaser.config.images import ImagesConfig
from releaser.config.qualify import QualifyConfig
from releaser.config.table import Table


def _with_fields(*known: str) -> AfterValidator:
    """Accept text whose `{fields}` are among `known`, so that no release stops at a misspelt one."""

    def check(text: str) -> str:
        for _, field, spec, conversion in string.Formatter().parse(text):
            if spec or conversion:
                raise ValueError(f"{{{field}}} takes neither a format nor a conversion; write {{{field}}} alone")
            if field is not None and field not in known:
                raise ValueError(f"{{{field}}} is unknown here; known: {', '.join(f'{{{k}}}' for k in known)}")
        return text

    return AfterValidator(check)


_VersionText = Annotated[str, _with_fields("version")]
_TagText = Annotated[str, _with_fields("version", "machine")]


class VersionFileConfig(Table):
    """A file that declares the version: a TOML key, or literal text with `{version}` in place of the version."""

    path: str
    key: str | None = None
    pattern: str | None = None
    scheme: Literal["semver", "pep440"] = "semver"

    @model_validator(mode="after")
    def _one_place(self) -> VersionFileConfig:
        if (self.key is None) == (self.pattern is None):
            raise ValueError("give either key (a TOML key) or pattern (text with {version} in it)")
        if self.pattern is not None and self.pattern.count("{version}") != 1:
            raise ValueError("pattern must contain {version} exactly once")
        return self


class GitConfig(Table):
    """Where releases are made from and pushed to, the words git keeps, and the seconds that a push may take."""

    remote: str = "origin"
    branch: str = "main"
    tag: _VersionText = "v{version}"
    release_branch: _VersionText = "release/{version}"
    tag_message: _TagText = "Release version {version}\n\nReleased-on: {machine}"
    commit_message: _VersionText = "chore: bump version to {version}"
    timeout: float = Field(default=1800.0, gt=0)

    @model_validator(mode="after")
    def _one_tag_a_version(self) -> GitConfig:
        if self.tag.count("{version}") != 1:
            raise ValueError("tag must contain {version} exactly once")
        return self


class BuildConfig(Table):
    """What the built files must and must not hold, as glob patterns over paths inside the package or the sdist.

    Attributes:
        require: What both must hold.
        generated: What the build makes, so that no file of the commit has its content.
        left_out: Files of the package that the wheel need not hold.
        forbid: What neither may hold.
        max_size_mib: The size that neither may exceed.
        lock: A file of requirements with hashes: the versions of the tools that build. None takes the newest of each.
    """

    require: tuple[str, ...] = ()
    generated: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    forbid: tuple[str, ...] = ("test*/*", "docs/*", ".github/*", "*.pem", "*.key", ".env*", "*/__pycache__/*", "*.pyc")
    max_size_mib: float = Field(default=100.0, gt=0)
    lock: str | None = None


IndexName = Literal["testpypi", "pypi"]
INDEX_TITLES: dict[IndexName, str] = {"testpypi": "TestPyPI", "pypi": "PyPI"}


class IndexConfig(Table):
    """A package index.

    Attributes:
        repository: twine's name for it; addresses are given only for an index that twine cannot name.
        via: `upload` from this machine, or `ci`: a workflow uploads by trusted publishing, and the engine waits for it.
        workflow: That workflow's file name, as it is registered at the index.
        environment: The environment that is registered with it; empty where none is.
        attestations: Whether its uploads, by trusted publishing, come with attestations (PEP 740).
    """

    repository: str = "pypi"
    upload_url: str | None = None
    simple_url: str | None = None
    web_url: str | None = None
    token_env: str = "PYPI_TOKEN"  # noqa: S105  the name of a variable, not a token
    via: Literal["upload", "ci"] = "upload"
    workflow: str = "release.yml"
    environment: str = ""
    attestations: bool = False

    @property
    def names_workflow(self) -> bool:
        """Whether the table names the workflow: a default says nothing of what is registered at the index."""
        return "workflow" in self.model_fields_set


class ForgeConfig(Table):
    """The repository on GitHub or on a server that speaks its API.

    Attributes:
        tests_workflow: The workflow that must have passed for the commit to be released; an empty name asks for none.
        tests_required: Whether a commit that it did not run for is refused.
        attach_report: Whether the release gets its record as assets, and the record's last hash in its notes.
    """

    repository: str | None = None
    api_url: str | None = None
    web_url: str = "https://github.com"
    token_env: str = "GITHUB_TOKEN"  # noqa: S105  the name of a variable, not a token
    title: Annotated[str, _with_fields("version", "description")] = "v{version} - {description}"
    install: Annotated[str, _with_fields("distribution", "version")] = (
        "## Installation\n\n```bash\npip install {distribution}=={version}\n```"
    )
    full_changes: Annotated[str, _with_fields("changelog", "changelog_url")] = (
        "See [{changelog}]({changelog_url}) for full details."
    )
    discussion_category: str | None = None
    blocker_label: str = "release-blocker"
    milestone: _VersionText = "v{version}"
    tests_workflow: str = "tests.yml"
    tests_required: bool = False
    attach_report: bool = False

    @model_validator(mode="after")
    def _owner_and_name(self) -> ForgeConfig:
        if self.repository is not None and not re.fullmatch(r"[^/\s]+/[^/\s]+", self.repository):
            raise ValueError(f"repository must be OWNER/NAME; found {self.repository!r}")
        return self


class RehearsalConfig(Table):
    """What a rehearsal says before it has been timed on a machine.

    Attributes:
        usual_time: How long a whole rehearsal usually takes, in words.
        usual_quick_time: The same with `--quick`.
    """

    usual_time: str | None = None
    usual_quick_time: str | None = None


class AfterConfig(Table):
    """What follows a release: the text to announce it with, what people still have to do, and who depends on it."""

    announcement: Annotated[str, _with_fields("distribution", "version", "notes", "release_url")] = (
        "{distribution} {version} is out.\n\n{notes}\n\n"
        "pip install --upgrade {distribution}=={version}\n{release_url}\n"
    )
    reminders: tuple[str, ...] = ()
    downstream: tuple[str, ...] = ()


class WaitConfig(Table):
    """How long to wait for what was published to become visible, and how often to look; in seconds."""

    timeout: float = Field(default=1800.0, ge=0)
    first_delay: float = Field(default=0.2, gt=0)
    longest_delay: float = Field(default=15.0, gt=0)


class Config(Table):
    """Everything a release needs to know about a project.

    Attributes:
        distribution: The name on the index; by default [project] name.
        package: The import name; by default the distribution's with `_` for `-`.
        command: The installed program whose `--version` must print the version; None when the project installs none.
        pass_env: Credentials that programs get all the same, by the names of their variables.
        run: Where a release is carried out: `here`, on this machine, or `ci`, in the workflow `release_workflow`.
        release_workflow: That workflow's file.
    """

    distribution: str
    package: str
    command: str | None = None
    version_files: tuple[VersionFileConfig, ...] = Field(min_length=1)
    changelog: str = "CHANGELOG.md"
    pass_env: tuple[str, ...] = ()
    run: Literal["here", "ci"] = "here"
    release_workflow: str = "release.yml"
    git: GitConfig = GitConfig()
    build: BuildConfig = BuildConfig()
    qualify: QualifyConfig = QualifyConfig()
    testpypi: IndexConfig = IndexConfig(repository="testpypi", token_env="TESTPYPI_TOKEN")  # noqa: S106
    pypi: IndexConfig = IndexConfig()
    forge: ForgeConfig = ForgeConfig()
    images: ImagesConfig = ImagesConfig()
    rehearsal: RehearsalConfig = RehearsalConfig()
    after: AfterConfig = AfterConfig()
    wait: WaitConfig = WaitConfig()

    @field_validator("pypi")
    @classmethod
    def _attested_by_a_workflow(cls, pypi: IndexConfig) -> IndexConfig:
        if pypi.attestations and pypi.via != "ci":
            raise ValueError('attestations need via = "ci": an index takes them from a trusted publisher alone')
        return pypi

    def index(self, name: IndexName) -> IndexConfig:
        """Return the configuration of the index of that name."""
        return self.testpypi if name == "testpypi" else self.pypi

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_tables(cls, table: Any) -> Any:
        """Give TestPyPI's table its own defaults, and leave to CI what the table does not name another owner for."""
        if not isinstance(table, dict):
            return table
        filled: dict[str, dict[str, str]] = {"testpypi": {"repository": "testpypi", "token-env": "TESTPYPI_TOKEN"}}
        if table.get("run") == "ci":
            filled["testpypi"] |= {"via": "ci", "workflow": str(table.get("release-workflow", "release.yml"))}
            filled |= {"pypi": {"via": "ci"}, "images": {"via": "ci"}}
        given = {name: table.get(name, {}) for name in filled}
        return {**table, **{name: {**filled[name], **one} for name, one in given.items() if isinstance(one, dict)}}

    @model_validator(mode="after")
    def _one_owner_each(self) -> Config:
        ways: dict[str, str] = {"testpypi": self.testpypi.via, "pypi": self.pypi.via}
        if self.images.targets:
            ways["images"] = self.images.via
        for name, via in ways.items():
            if self.run == "ci" and via != "ci":
                raise ValueError(
                    f'run = "ci" and {name}.via = "{via}" would publish twice: {self.release_workflow} leads to the '
                    f'workflow that does, and this machine would too; remove {name}.via, or set run = "here"'
                )
        if self.run == "here" and self.testpypi.via == "ci":
            raise ValueError(
                'testpypi.via = "ci" needs run = "ci": here TestPyPI is tried before the commit is pushed, so no '
                "workflow can have it"
            )
        return self

    @field_validator("pass_env")
    @classmethod
    def _names_each_once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if not re.fullmatch(r"[^\s=*]+", name):
                raise ValueError(f"it lists names of environment variables, and {name!r} is none")
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"{', '.join(twice)} is listed twice")
        return names

    @property
    def publishing_workflows(self) -> tuple[str, ...]:
        """The workflows that publish what is released, each once: to PyPI, and the images."""
        images = self.images
        named = [self.pypi.workflow] if self.pypi.via == "ci" else []
        named += [images.workflow] if images.targets and images.via == "ci" else []
        return tuple(dict.fromkeys(named))

    @property
    def token_variables(self) -> tuple[str, ...]:
        """The variables that hold the release's tokens."""
        named = (self.testpypi.token_env, self.pypi.token_env, self.forge.token_env, self.images.token_env)
        return tuple(dict.fromkeys(name for name in named if name))
