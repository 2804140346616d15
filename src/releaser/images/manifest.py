"""What the job that builds images tells the jobs that start and push them: a line of JSON in its outputs.

The images themselves travel as an artifact, which is data: each byte of it is compared with these digests.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from releaser.adapters.registry.oci import Descriptor
from releaser.errors import UsageError
from releaser.versions.version import Version

IMAGES = "IMAGES"
"""The variable that a job gets it in."""


class ImagesManifest(BaseModel):
    """The images of one version.

    Attributes:
        version: Which version, in SemVer form.
        commit: What they were built from.
        images: The digest of each image's index, by target.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True)

    schema_: Literal[1] = Field(alias="schema")
    version: str
    commit: str = Field(pattern=r"^[0-9a-f]{40}$")
    images: dict[str, str] = Field(min_length=1)

    @field_validator("images")
    @classmethod
    def _digests(cls, images: dict[str, str]) -> dict[str, str]:
        for name, digest in images.items():
            if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
                raise ValueError(f"{digest!r} of {name} is not a digest")
        return images

    @classmethod
    def of(cls, version: Version, commit: str, roots: Mapping[str, Descriptor]) -> ImagesManifest:
        """Return the manifest of built images, given the index of each."""
        images = {name: root.digest for name, root in roots.items()}
        return cls(schema=1, version=str(version), commit=commit, images=images)

    @classmethod
    def read(cls, text: str, version: Version, commit: str, targets: Sequence[str]) -> ImagesManifest:
        """Return what another job's output says.

        Raises:
            UsageError: It is no such line, or is about other images.
        """
        remedy = f"Pass the output `images` of the job that built them, unchanged, as {IMAGES}."
        try:
            found = cls.model_validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            where = "".join(f"{one}: " for one in first["loc"][:1])
            said = str(first["msg"]).removeprefix("Value error, ")
            raise UsageError(f"{IMAGES} does not say which images were built: {where}{said}", remedy) from None
        if (found.version, found.commit) != (str(version), commit):
            raise UsageError(
                f"{IMAGES} is about {found.version} at {found.commit[:12]}, not {version} at {commit[:12]}", remedy
            )
        if sorted(found.images) != sorted(targets):
            raise UsageError(f"{IMAGES} lists {', '.join(found.images)}; expected {', '.join(targets)}", remedy)
        return found

    def line(self) -> str:
        """Return the line of JSON."""
        return self.model_dump_json(by_alias=True)
