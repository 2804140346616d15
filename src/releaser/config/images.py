"""[tool.releaser.images]: which images a project has, and where they go."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, field_validator, model_validator

from releaser.config.table import Table


class ImageTargetConfig(Table):
    """One image: a target of the bake file.

    Attributes:
        name: What the bake file calls it.
        suffix: What its tags end with, with its dash; empty for the one image that has the bare tags.
        platforms: What its index must hold, such as `linux/arm64`.
        aliases: Further names that follow its `latest`.
    """

    name: str
    suffix: str = ""
    platforms: tuple[str, ...] = ("linux/amd64",)
    aliases: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _suffix_fits_a_tag(self) -> ImageTargetConfig:
        if self.suffix and not re.fullmatch(r"-[a-z0-9][a-z0-9._-]*", self.suffix):
            raise ValueError(f"suffix must be a dash and lower-case letters, for example '-arm'; found {self.suffix!r}")
        for platform in self.platforms:
            if not re.fullmatch(r"[a-z0-9]+/[a-z0-9_]+(/[a-z0-9]+)?", platform):
                raise ValueError(f"a platform must be OS/ARCHITECTURE, for example linux/arm64; found {platform!r}")
        return self


class ImagesConfig(Table):
    """Container images; without `repository` the project has none.

    Attributes:
        repository: REGISTRY/NAME without a tag; lower-cased, as registries want it.
        bake_file: What `docker buildx bake` builds them from.
        token_env: The variable with a token for the registry, used where docker has no login for it.
        via: `push` from this machine, or `ci`: `workflow` builds and pushes them, and the engine waits for it.
        workflow: That workflow's file.
        start_script: What users start the images with, if the project has such a script; `docker.verify` drives it.
        start_script_env: What that script then has in its environment.
        targets: The images, in the order in which they are pushed.
    """

    repository: str | None = None
    bake_file: str = "docker/docker-bake.hcl"
    token_env: str | None = None
    via: Literal["push", "ci"] = "push"
    workflow: str = "docker-publish.yml"
    start_script: str | None = None
    start_script_env: dict[str, str] = Field(default_factory=dict)
    targets: tuple[ImageTargetConfig, ...] = ()

    @field_validator("repository")
    @classmethod
    def _registry_and_name(cls, repository: str | None) -> str | None:
        if repository is None:
            return None
        host, _, name = repository.lower().partition("/")
        if not name or not re.search(r"[.:]|^localhost$", host):
            raise ValueError(
                f"repository must be REGISTRY/NAME, for example registry.example.org/owner/name; found {repository!r}"
            )
        if not re.fullmatch(r"[a-z0-9]+([._/-]+[a-z0-9]+)*", name):
            raise ValueError(f"{name!r} is not a valid repository name")
        return f"{host}/{name}"

    @model_validator(mode="after")
    def _one_owner_a_tag(self) -> ImagesConfig:
        if (self.repository is None) != (not self.targets):
            raise ValueError("give both repository and targets, or neither")
        names = [target.name for target in self.targets]
        floating = [f"latest{target.suffix}" for target in self.targets]
        floating += [alias for target in self.targets for alias in target.aliases]
        for found in (names, floating):
            if twice := sorted({one for one in found if found.count(one) > 1}):
                raise ValueError(f"{', '.join(twice)} is claimed by two targets")
        return self
