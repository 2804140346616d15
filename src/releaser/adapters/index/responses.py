"""What an index's responses must hold, as far as a release reads them."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter


class _Response(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)


class _FileResponse(_Response):
    filename: str = Field(pattern=r"^([^/\\]*[^/\\.][^/\\]*)?$")  # it becomes a file's name
    url: str
    hashes: dict[str, str]
    yanked: bool | str | None = None
    uploaded: str | None = Field(default=None, alias="upload-time")


class _ProjectResponse(_Response):
    files: list[_FileResponse]


class ReleasePage(_Response):
    """What the release's page shows (PyPI's JSON API)."""

    version: str = ""
    summary: str | None = None
    requires_python: str | None = None
    description: str | None = None
    description_content_type: str | None = None
    project_urls: dict[str, str] | None = None


class _PageResponse(_Response):
    info: ReleasePage


PROJECT = TypeAdapter(_ProjectResponse)
PAGE = TypeAdapter(_PageResponse)
