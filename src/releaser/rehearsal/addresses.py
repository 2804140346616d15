"""A project's configuration with the addresses of stand-ins in the place of its own."""

from __future__ import annotations

from urllib.parse import urlsplit

from releaser.config.project import Config, IndexConfig
from releaser.rehearsal.services import Service

_UNUSED_PORT = 1


def released_by_workflow(config: Config) -> Config:
    """Return the configuration of a project that has a workflow release it, whatever it has now."""

    def index(table: IndexConfig, workflow: str) -> IndexConfig:
        return table.model_copy(update={"via": "ci", "workflow": workflow})

    return config.model_copy(
        update={
            "run": "ci",
            "testpypi": index(config.testpypi, config.release_workflow),
            "pypi": index(config.pypi, config.pypi.workflow),
            "images": config.images.model_copy(update={"via": "ci"} if config.images.targets else {}),
        }
    )


def pointed_at(config: Config, running: dict[str, Service], repository: str, *, hosted: bool) -> Config:
    """Return the project's own configuration with the addresses of the stand-ins.

    Args:
        config: The configuration.
        running: The stand-ins.
        repository: ``OWNER/NAME``.
        hosted: Whether workflows are carried out; without, there is no CI to wait for.
    """

    def index(name: str, table: IndexConfig) -> IndexConfig:
        url = running[name].url
        addresses = {"upload_url": f"{url}/legacy/", "simple_url": f"{url}/simple/", "web_url": url}
        return table.model_copy(update=addresses if hosted else {**addresses, "via": "upload"})

    forge_url = running["forge"].url
    forge = config.forge.model_copy(update={"api_url": forge_url, "web_url": forge_url, "repository": repository})
    images = config.images
    if images.repository:
        # By name, as container engines take a registry without TLS there for granted. Where no registry runs, at a port
        # where nothing listens: no rehearsal reaches the real one.
        port = urlsplit(running["registry"].url).port if "registry" in running else _UNUSED_PORT
        host = f"localhost:{port}"
        repository_here = f"{host}/{images.repository.partition('/')[2]}"
        by_workflow = hosted and "registry" in running
        via = images.via if by_workflow else "push"  # which without an engine or a registry pushes nothing
        images = images.model_copy(update={"repository": repository_here, "via": via})
    return config.model_copy(
        update={
            "run": config.run if hosted else "here",
            "testpypi": index("testpypi", config.testpypi),
            "pypi": index("pypi", config.pypi),
            "forge": forge,
            "images": images,
        }
    )
