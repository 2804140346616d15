"""Running images: whether each says the right version, and whether it becomes healthy."""

from __future__ import annotations

from pathlib import Path

from releaser.adapters.docker.engine import Engine, ForeignPlatformError
from releaser.adapters.registry.layout import OciLayout
from releaser.adapters.registry.oci import Image, images
from releaser.config.project import Config
from releaser.core.activity import current
from releaser.errors import StepError
from releaser.versions.version import Version


def version_inside(engine: Engine, reference: str, image: Image, config: Config, version: Version) -> str:
    """Return what `--version` prints inside an image.

    Raises:
        ForeignPlatformError: The image's platform cannot run here.
        StepError: It prints another version, or fails.
    """
    words = ["--version"] if image.settings.get("Entrypoint") else [config.command or config.package, "--version"]
    printed = engine.says(reference, image.platform, words)
    said = printed.split()[-1] if printed else ""
    if said not in (str(version), version.pep440):
        raise StepError(
            f"`--version` in the {image.platform} image printed {printed or 'nothing'!r}; expected {version}",
            "Check how the image installs the wheel.",
        )
    return printed


def tried(engine: Engine, reference: str, image: Image, config: Config, version: Version) -> str:
    """Run an image of a platform that this machine may or may not run, and tell what was seen.

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


def all_tried(engine: Engine, layout: OciLayout, scratch: Path, config: Config, version: Version) -> list[str]:
    """Load each image from the layout, platform by platform, runs it and remove it again; tells what was seen.

    Raises:
        StepError: One says another version, fails, or does not become healthy.
    """
    engine.sweep()
    seen = []
    tried_as: dict[str, str] = {}
    for name, root in layout.roots().items():
        for image in images(layout, root):
            same = tried_as.setdefault(image.manifest.digest, name)
            if same != name:
                seen.append(f"{name} {image.platform} is {same}'s, byte for byte")
                continue
            current().tell(f"{name} {image.platform}")
            reference = engine.trial(name)
            archive = scratch / "image.tar"
            layout.archive(image, reference, archive)
            engine.load(archive)
            try:
                seen.append(f"{name} {tried(engine, reference, image, config, version)}")
            finally:
                engine.remove(reference)
    return seen
