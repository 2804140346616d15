"""The addresses of a rehearsal's stand-ins, for a job that the rehearsal carries out.

A job starts from a fresh clone whose configuration leads to the real services. `RELEASER_SERVICES` names a file that
leads elsewhere; every address in it must be on loopback, so that it can lead no release astray.
"""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from releaser.config.project import Config, IndexConfig
from releaser.config.qualify import QualifyConfig
from releaser.errors import ConfigError

VARIABLE = "RELEASER_SERVICES"


def _on_loopback(address: str) -> str:
    """Accept an address, or an image repository, of this machine alone."""
    split = urlsplit(address if "://" in address else f"//{address}")
    host = split.hostname or ""
    try:
        local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local or split.username or split.password:
        raise ValueError(f"{host or address} is not this machine's loopback address")
    return address


_Address = Annotated[str, AfterValidator(_on_loopback)]


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class IndexAddresses(_Document):
    """Where an index is."""

    upload_url: _Address
    simple_url: _Address
    web_url: _Address


class ForgeAddresses(_Document):
    """Where the forge is, and which repository is rehearsed."""

    api_url: _Address
    web_url: _Address
    repository: str


class ImageAddresses(_Document):
    """Where images go, and who pushes them in this rehearsal; None leaves that as it is configured."""

    repository: _Address
    via: Literal["push", "ci"] | None = None


class Services(_Document):
    """What the file holds; `quick` leaves out the sessions of tests."""

    testpypi: IndexAddresses
    pypi: IndexAddresses
    forge: ForgeAddresses
    images: ImageAddresses | None = None
    quick: bool = False

    def laid_over(self, config: Config) -> Config:
        """Return the configuration with these addresses."""

        def index(table: IndexConfig, addresses: IndexAddresses) -> IndexConfig:
            return table.model_copy(update=addresses.model_dump())

        changes: dict[str, object] = {
            "testpypi": index(config.testpypi, self.testpypi),
            "pypi": index(config.pypi, self.pypi),
            "forge": config.forge.model_copy(update=self.forge.model_dump()),
        }
        if self.images and config.images.repository:
            changes["images"] = config.images.model_copy(update=self.images.model_dump(exclude_none=True))
        if self.quick:
            changes["qualify"] = QualifyConfig()
        return config.model_copy(update=changes)


def rehearsed(config: Config) -> Config:
    """Return the configuration with the addresses of the rehearsal that this process is part of, if it is of one.

    Raises:
        ConfigError: The file cannot be read, or an address in it is not on loopback.
    """
    path = os.environ.get(VARIABLE)
    if not path:
        return config
    try:
        services = Services.model_validate_json(Path(path).read_bytes())
    except OSError as error:
        raise ConfigError(f"{VARIABLE} names {path}, which cannot be read: {error.strerror}", _REMEDY) from None
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, one['loc']))}: {one['msg'].removeprefix('Value error, ')}" for one in error.errors()
        )
        raise ConfigError(f"{VARIABLE} names {path}, which is refused: {problems}", _REMEDY) from None
    return services.laid_over(config)


_REMEDY = f"Unset {VARIABLE}: only the rehearsal of a workflow sets it."
