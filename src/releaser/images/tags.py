"""Which tags an image has, and when a tag may move: by the rules of docker/metadata-action.

``X.Y.Z`` is one image for good. ``X.Y``, ``latest`` and what follows it float, but only upward: a 1.9.1 after 2.0.1
takes 1.9 and leaves latest. A pre-release has its own tag alone. Each tag has one owner, so every image has a suffix of
its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from releaser.config.images import ImageTargetConfig
from releaser.versions.version import Version


class Reach(IntEnum):
    """What a tag follows, in the order in which tags are pushed: no tag leads to an image that is incomplete."""

    VERSION = 0
    SERIES = 1
    LATEST = 2


@dataclass(frozen=True)
class Tag:
    """One tag of one image."""

    name: str
    target: str
    reach: Reach

    @property
    def floats(self) -> bool:
        """Whether it may point to another image tomorrow."""
        return self.reach is not Reach.VERSION


def tags_of(target: ImageTargetConfig, version: Version, released: Collection[Version]) -> tuple[Tag, ...]:
    """Return the tags that this version's image of `target` has to have, the most specific first.

    Args:
        target: The image.
        version: What is released.
        released: The final versions that are out, with or without `version`.
    """
    tags = [Tag(f"{version}{target.suffix}", target.name, Reach.VERSION)]
    if version.is_prerelease:
        return tuple(tags)
    if all(other <= version for other in released if (other.major, other.minor) == (version.major, version.minor)):
        tags.append(Tag(f"{version.major}.{version.minor}{target.suffix}", target.name, Reach.SERIES))
    if all(other <= version for other in released):
        names = (f"latest{target.suffix}", *target.aliases)
        tags += [Tag(name, target.name, Reach.LATEST) for name in names]
    return tuple(tags)


def in_push_order(
    targets: Iterable[ImageTargetConfig], version: Version, released: Collection[Version]
) -> tuple[Tag, ...]:
    """Return the tags of several images as they are pushed: all X.Y.Z, then all X.Y, then all latest."""
    tags = [tag for target in targets for tag in tags_of(target, version, released)]
    return tuple(sorted(tags, key=lambda tag: tag.reach))


def released_in(tags: Iterable[str], targets: Sequence[ImageTargetConfig]) -> set[Version]:
    """Return the final versions that a registry's tags name, with any target's suffix."""
    patterns = [f"{{version}}{target.suffix}" for target in targets]
    found = {Version.from_tag(tag, pattern) for tag in tags if tag[:1].isdigit() for pattern in patterns}
    return {version for version in found if version and not version.is_prerelease}
