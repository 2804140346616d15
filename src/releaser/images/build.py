"""Building images from a built wheel, never from source, and looking at what came out before it goes anywhere."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from releaser.adapters.docker.buildx import Bake
from releaser.adapters.registry.layout import OciLayout, joined
from releaser.adapters.registry.oci import images, wrong_labels
from releaser.config.images import ImagesConfig, ImageTargetConfig
from releaser.errors import StepError
from releaser.versions.version import Version


@dataclass(frozen=True)
class ImageBuild:
    """What images are built from.

    Attributes:
        config: Which images there are.
        tree: The working tree with the bake file.
        version: What they are labelled with.
        revision: The commit that the wheel was built from.
        epoch: The time that everything in them gets, in seconds since 1970.
        files: The wheel, and its bill of materials if there is one.
    """

    config: ImagesConfig
    tree: Path
    version: Version
    revision: str
    epoch: int
    files: Sequence[Path] = ()

    def bake(
        self,
        targets: Sequence[ImageTargetConfig],
        room: Path,
        settings: Sequence[str] = (),
        options: Sequence[str] = (),
        variables: Mapping[str, str] | None = None,
    ) -> Bake:
        """Return the call of bake that builds `targets`, with the wheel in a directory of its own under `room`."""
        wheel_dir = room / "wheel"
        wheel_dir.mkdir(exist_ok=True)
        for path in self.files:
            shutil.copyfile(path, wheel_dir / path.name)
        known = {
            "VERSION": str(self.version),
            "REVISION": self.revision,
            "CREATED": datetime.fromtimestamp(self.epoch, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "SOURCE_DATE_EPOCH": str(self.epoch),
            "REGISTRY_IMAGE": str(self.config.repository),
            **({"WHEEL_DIR": str(wheel_dir)} if self.files else {}),
            **(variables or {}),
        }
        names = [target.name for target in targets]
        return Bake(self.tree, self.config.bake_file, names, known, settings, options)

    def into_layout(
        self,
        targets: Sequence[ImageTargetConfig],
        room: Path,
        log: Path | None = None,
        options: Sequence[str] = (),
        variables: Mapping[str, str] | None = None,
    ) -> OciLayout:
        """Build images into one layout under `room`, an empty directory.

        Raises:
            CommandError: The build failed.
            StepError: An image lacks a platform, or its labels are wrong.
        """
        parts = {target.name: room / "parts" / target.name for target in targets}
        self.bake(targets, room, layout_outputs(parts), options, variables).run(log)
        layout = joined(parts, room / "layout")
        if wrong := self.problems(layout, targets):
            raise StepError(
                "The built images are wrong: " + "; ".join(wrong),
                f"Fix {self.config.bake_file}, or [tool.releaser.images]. Nothing is public.",
            )
        return layout

    def problems(self, layout: OciLayout, targets: Sequence[ImageTargetConfig]) -> list[str]:
        """Return what is wrong with built images, in words; empty if nothing is."""
        wrong = []
        for target in targets:
            found = {image.platform: image for image in images(layout, layout.roots()[target.name])}
            wrong += platform_problems(target, found, target.name)
            for platform, image in found.items():
                labels = wrong_labels(image, str(self.version), self.revision)
                wrong += [f"{target.name} ({platform}): {one}" for one in labels]
        return wrong


def layout_outputs(parts: Mapping[str, Path]) -> list[str]:
    """`--set` values that put each target into an OCI layout of its own, and rewrite the times of all in it."""
    return [f"{name}.output=type=oci,tar=false,rewrite-timestamp=true,dest={path}" for name, path in parts.items()]


def cache_outputs(targets: Sequence[ImageTargetConfig]) -> list[str]:
    """Return `--set` values that keep nothing of each target but the builder's cache."""
    return [f"{target.name}.output=type=cacheonly" for target in targets]


def engine_outputs(targets: Sequence[ImageTargetConfig], references: Mapping[str, str], native: str) -> list[str]:
    """Return `--set` values that load each target into the local engine.

    Args:
        targets: Which images.
        references: What each is called there, by target.
        native: The engine's own platform: the one that is loaded where a target has several.
    """
    settings = []
    for target in targets:
        settings += [f"{target.name}.output=type=docker", f"{target.name}.tags={references[target.name]}"]
        # An engine without the containerd store holds one platform of an image, and no attestations.
        settings.append(f"{target.name}.attest=type=provenance,disabled=true")
        if len(target.platforms) > 1:
            settings.append(f"{target.name}.platform={native if native in target.platforms else target.platforms[0]}")
    return settings


def platform_problems(target: ImageTargetConfig, found: Mapping[str, object], name: str) -> list[str]:
    """Return how the platforms of an index differ from those that it should have, in words."""
    missing = [f"{name} lacks {one}" for one in target.platforms if one not in found]
    return missing + [
        f"{name} is also for {one}, which was not asked for" for one in found if one not in target.platforms
    ]
