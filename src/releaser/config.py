"""[tool.releaser] in pyproject.toml, read once into frozen models. Nothing here names a project."""

from __future__ import annotations

import difflib
import os
import re
import string
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, ValidationError, model_validator

from releaser.config_images import ImagesConfig
from releaser.config_table import Table
from releaser.errors import ConfigError

if sys.version_info >= (3, 11):
    import tomllib
else:  # pragma: no cover
    import tomli as tomllib


def _with_fields(*known: str) -> AfterValidator:
    """Accepts text whose `{fields}` are among `known`, so that no release stops at a misspelt one."""

    def check(text: str) -> str:
        for _, field, _, _ in string.Formatter().parse(text):
            if field is not None and field not in known:
                raise ValueError(
                    f"{{{field}}} stands for nothing here; there are {', '.join(f'{{{k}}}' for k in known)}"
                )
        return text

    return AfterValidator(check)


_VersionText = Annotated[str, _with_fields("version")]


class VersionFileConfig(Table):
    """A file that declares the version: a TOML key, or literal text in which `{version}` stands for it."""

    path: str
    key: str | None = None
    pattern: str | None = None
    scheme: Literal["semver", "pep440"] = "semver"

    @model_validator(mode="after")
    def _one_place(self) -> VersionFileConfig:
        if (self.key is None) == (self.pattern is None):
            raise ValueError("give either key (a TOML key) or pattern (text with {version} in it)")
        if self.pattern is not None and self.pattern.count("{version}") != 1:
            raise ValueError("pattern must hold {version} exactly once")
        return self


class GitConfig(Table):
    """Where releases are made from and pushed to, and the words git keeps."""

    remote: str = "origin"
    branch: str = "main"
    tag: _VersionText = "v{version}"
    tag_message: _VersionText = "Release version {version}"
    commit_message: _VersionText = "chore: bump version to {version}"

    @model_validator(mode="after")
    def _one_tag_a_version(self) -> GitConfig:
        if self.tag.count("{version}") != 1:
            raise ValueError("tag must hold {version} exactly once")
        return self


class BuildConfig(Table):
    """What the built files must and must not hold, as glob patterns over paths inside the package or the sdist."""

    require: tuple[str, ...] = ()
    forbid: tuple[str, ...] = ("test*/*", "docs/*", ".github/*", "*.pem", "*.key", ".env*", "*/__pycache__/*", "*.pyc")
    max_size_mib: float = Field(default=100.0, gt=0)


class QualifyConfig(Table):
    """Nox sessions.

    Attributes:
        sessions: These must pass with the built wheel.
        where_possible: These must pass where the machine can run anything in them.
        checks: `invoke check` runs these besides `sessions`.
    """

    sessions: tuple[str, ...] = ()
    where_possible: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _each_once(self) -> QualifyConfig:
        names = [name.replace("-", "_") for name in (*self.sessions, *self.where_possible)]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"{', '.join(twice)} stands twice in sessions and where-possible")
        return self


class IndexConfig(Table):
    """A package index.

    Attributes:
        repository: twine's name for it; addresses are given only for an index that twine cannot name.
        via: `upload` from this machine, or `ci`: a workflow uploads by trusted publishing, and the engine waits for it.
    """

    repository: str = "pypi"
    upload_url: str | None = None
    simple_url: str | None = None
    web_url: str | None = None
    token_env: str = "PYPI_TOKEN"  # noqa: S105  the name of a variable, not a token
    via: Literal["upload", "ci"] = "upload"
    workflow: str = "release.yml"


class ForgeConfig(Table):
    """The repository on GitHub or on a server that speaks its API."""

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

    @model_validator(mode="after")
    def _owner_and_name(self) -> ForgeConfig:
        if self.repository is not None and not re.fullmatch(r"[^/\s]+/[^/\s]+", self.repository):
            raise ValueError(f"repository is OWNER/NAME, not {self.repository!r}")
        return self


class AfterConfig(Table):
    """What follows a release: the text to announce it with, and what people still have to do."""

    announcement: Annotated[str, _with_fields("distribution", "version", "notes", "release_url")] = (
        "{distribution} {version} is out.\n\n{notes}\n\n"
        "pip install --upgrade {distribution}=={version}\n{release_url}\n"
    )
    reminders: tuple[str, ...] = ()


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
    """

    distribution: str
    package: str
    command: str | None = None
    version_files: tuple[VersionFileConfig, ...] = Field(min_length=1)
    changelog: str = "CHANGELOG.md"
    git: GitConfig = GitConfig()
    build: BuildConfig = BuildConfig()
    qualify: QualifyConfig = QualifyConfig()
    testpypi: IndexConfig = IndexConfig(repository="testpypi", token_env="TESTPYPI_TOKEN")  # noqa: S106
    pypi: IndexConfig = IndexConfig()
    forge: ForgeConfig = ForgeConfig()
    images: ImagesConfig = ImagesConfig()
    after: AfterConfig = AfterConfig()
    wait: WaitConfig = WaitConfig()


def load(root: Path) -> Config:
    """Reads the configuration of the project at `root`.

    Raises:
        ConfigError: There is no pyproject.toml, it is not TOML, or [tool.releaser] has a wrong key or value.
    """
    path = root / "pyproject.toml"
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"There is no pyproject.toml in {root}.", "Run this in the root of a checkout.") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.", "Mend that; nothing was changed.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}.", "Mend the file; nothing was changed.") from None
    tools, project = document.get("tool"), document.get("project")
    table = tools.get("releaser") if isinstance(tools, dict) else None
    if not isinstance(table, dict):
        raise ConfigError(
            f"{path} has no [tool.releaser] table.",
            "Add one; docs/releaser.md shows the smallest that works (version-files is its one required key).",
        )
    return parse(table, project if isinstance(project, dict) else {})


def parse(table: dict[str, Any], project: dict[str, Any]) -> Config:
    """The configuration that `table` ([tool.releaser]) and `project` ([project]) make together.

    Raises:
        ConfigError: A key is unknown (the nearest known one is named), missing, or its value is of the wrong kind.
    """
    table = dict(table)
    table.setdefault("distribution", project.get("name"))
    if table["distribution"] is None:
        raise ConfigError(
            "[tool.releaser] knows no distribution.", "Give [project] name, or distribution in [tool.releaser]."
        )
    table.setdefault("package", str(table["distribution"]).replace("-", "_").replace(".", "_").lower())
    scripts = project.get("scripts")
    table.setdefault("command", next(iter(scripts), None) if isinstance(scripts, dict) else None)
    testpypi = table.get("testpypi", {})
    if isinstance(testpypi, dict):
        table["testpypi"] = {"repository": "testpypi", "token-env": "TESTPYPI_TOKEN", **testpypi}
    try:
        return Config.model_validate(table)
    except ValidationError as error:
        problems = [_problem(dict(one)) for one in error.errors()]
        raise ConfigError(
            "[tool.releaser] in pyproject.toml: " + "; ".join(problems) + ".", "Mend it; nothing was changed."
        ) from None


def _problem(error: dict[str, Any]) -> str:
    *parents, last = error["loc"] or ("",)
    where = ".".join(str(part) for part in error["loc"])
    if error["type"] != "extra_forbidden":
        return f"{where}: {str(error['msg']).removeprefix('Value error, ')}" if where else str(error["msg"])
    known = [name.replace("_", "-") for name in _model_at(tuple(parents)).model_fields]
    near = difflib.get_close_matches(str(last), known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"known here: {', '.join(sorted(known))}"
    return f"unknown key {where} ({hint})"


def _model_at(parents: tuple[str | int, ...]) -> type[BaseModel]:
    model: type[BaseModel] = Config
    for part in parents:
        if isinstance(part, int):
            continue
        annotation = model.model_fields[str(part).replace("-", "_")].annotation
        candidates = [annotation, *getattr(annotation, "__args__", ())]
        model = next(c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel))
    return model


def state_root() -> Path:
    """The directory outside any checkout in which releases keep their state; `RELEASER_STATE_DIR` overrides it."""
    if override := os.environ.get("RELEASER_STATE_DIR"):
        return Path(override).resolve()
    import platformdirs

    return platformdirs.user_state_path("releaser")
