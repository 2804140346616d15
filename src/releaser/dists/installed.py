"""Installing a distribution the way its users do, and asking it who it is."""

from __future__ import annotations

from releaser.adapters.index.client import Index
from releaser.adapters.installers.pip import until_pip_finds
from releaser.adapters.installers.venv import Venv
from releaser.adapters.waiting import WaitLimits
from releaser.config.project import Config
from releaser.errors import StepError
from releaser.versions.version import Version

_ASK_VERSION = "import importlib, sys; print(getattr(importlib.import_module(sys.argv[1]), '__version__', ''))"
_ASK_METADATA = "import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))"


def from_index(venv: Venv, index: Index, config: Config, version: Version, limits: WaitLimits, *options: str) -> str:
    """Install by name from an index; return the sha256 of the file that pip took, empty if pip does not say.

    Raises:
        CommandError: pip failed.
        WaitTimeoutError: pip did not find the version in time.
    """
    name, requirement = config.distribution, f"{config.distribution}=={version.pep440}"
    words = (*options, "--index-url", index.simple_url, requirement)
    return until_pip_finds(index.name, requirement, lambda: venv.install(*words, distribution=name), limits) or ""


def check(venv: Venv, config: Config, version: Version) -> str:
    """Import the package and run its command; returns what was seen.

    Raises:
        StepError: The metadata, `__version__` or `--version` says another version, or `--help` is empty.
        CommandError: The package does not import, or its command fails.
    """
    seen = []
    metadata = venv.run("python", "-I", "-c", _ASK_METADATA, config.distribution)
    _expect(metadata, version, f"the metadata of {config.distribution}")
    attribute = venv.run("python", "-I", "-c", _ASK_VERSION, config.package)
    if attribute:
        _expect(attribute, version, f"{config.package}.__version__")
        seen.append(f"__version__ {attribute}")
    if config.command:
        answer = venv.run(config.command, "--version")
        _expect(answer.split()[-1] if answer else "", version, f"`{config.command} --version`")
        seen.append(f"`{config.command} --version` prints {answer!r}")
        if not venv.run(config.command, "--help"):
            raise StepError(f"`{config.command} --help` printed nothing", "Fix the command.")
    return ", ".join(seen) or f"metadata {metadata}"


def _expect(found: str, version: Version, where: str) -> None:
    if found not in (str(version), version.pep440):
        raise StepError(
            f"{where} is {found or 'empty'}; expected {version}",
            "List every file that declares the version under version-files in [tool.releaser].",
        )
