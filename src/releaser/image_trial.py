"""Running images: whether each says the right version, and whether it becomes healthy."""

from __future__ import annotations

from releaser.adapters.containers import Engine, ForeignPlatformError
from releaser.adapters.oci import Image
from releaser.config import Config
from releaser.errors import StepError
from releaser.version import Version


def version_inside(engine: Engine, reference: str, image: Image, config: Config, version: Version) -> str:
    """What `--version` prints inside an image.

    Raises:
        ForeignPlatformError: The image's platform cannot run here.
        StepError: It prints another version, or fails.
    """
    words = ["--version"] if image.settings.get("Entrypoint") else [config.command or config.package, "--version"]
    printed = engine.says(reference, image.platform, words)
    said = printed.split()[-1] if printed else ""
    if said not in (str(version), version.pep440):
        raise StepError(
            f"`--version` inside it ({image.platform}) prints {printed or 'nothing'!r}, and this is {version}.",
            "Look at how the image installs the wheel.",
        )
    return printed


def tried(engine: Engine, reference: str, image: Image, config: Config, version: Version) -> str:
    """Runs an image of a platform that this machine may or may not run, and tells what was seen.

    Raises:
        StepError: It says another version, fails, or does not become healthy.
    """
    try:
        printed = version_inside(engine, reference, image, config, version)
    except ForeignPlatformError:
        return f"{image.platform} cannot run here"
    if not image.settings.get("Healthcheck"):
        return f"{image.platform} prints {printed!r}, has no health check"
    seconds = engine.becomes_healthy(reference, image.platform)
    return f"{image.platform} prints {printed!r}, healthy after {seconds:.0f} s"
