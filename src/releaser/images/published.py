"""The proof that a registry gives users the right images: every tag, digest, platform and label, the version inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from releaser.adapters.connections import is_loopback
from releaser.adapters.docker.engine import Engine, ForeignPlatformError
from releaser.adapters.registry.client import Registry
from releaser.adapters.registry.oci import Descriptor, Image, images, wrong_labels
from releaser.config.images import ImageTargetConfig
from releaser.config.project import Config
from releaser.errors import ServiceError, StepError
from releaser.images.build import platform_problems
from releaser.images.tags import Reach, Tag
from releaser.images.trial import version_inside
from releaser.versions.version import Version


@dataclass
class Proof:
    """What was found.

    Attributes:
        wrong: What is not as it should be, each with its tag.
        seen: What is.
        notes: What could not be looked at, and why.
        printed: What `--version` printed, by the digest of the one platform's image that was run.
    """

    wrong: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    printed: dict[str, str] = field(default_factory=dict)

    def must_hold(self, repository: str) -> None:
        """Fail if anything is wrong.

        Raises:
            StepError: Something is; all of it is named.
        """
        if self.wrong:
            raise StepError(
                f"{repository} has wrong images:\n" + "\n".join(f"- {one}" for one in self.wrong),
                "Push again to correct a floating tag. If an X.Y.Z tag is wrong, release the next version.",
            )


@dataclass(frozen=True)
class ImageProof:
    """Looks at one version in a registry.

    Attributes:
        registry: Where.
        config: What should be there.
        version: Of which version.
        tags: Which tags it should have.
        built: Digests by target, of what was built here; where it was built elsewhere, X.Y.Z itself is what counts.
        revision: The release commit; None if it is not known here.
        engine: What to run images with; None leaves that out.
    """

    registry: Registry
    config: Config
    version: Version
    tags: Sequence[Tag]
    built: Mapping[str, str]
    revision: str | None
    engine: Engine | None

    def given(self) -> Proof:
        """Look at every image.

        Raises:
            ServiceError: The registry or the engine did not answer.
        """
        proof = Proof()
        for target in self.config.images.targets:
            own = [tag for tag in self.tags if tag.target == target.name]
            root = self._tags(proof, own)
            if root:
                self._content(proof, target, own[0].name, root)
        return proof

    def _tags(self, proof: Proof, tags: Sequence[Tag]) -> Descriptor | None:
        """Compare where tags point; returns what X.Y.Z points at."""
        found = {tag: self.registry.find(tag.name) for tag in tags}
        root = next(found[tag] for tag in tags if tag.reach is Reach.VERSION)
        expected = self.built.get(tags[0].target) or (root.digest if root else None)
        for tag, descriptor in found.items():
            if descriptor is None:
                proof.wrong.append(f"the tag {tag.name} is missing")
            elif expected is None:
                proof.wrong.append(f"the tag {tag.name} exists, but {tags[0].name}, which it follows, is missing")
            elif descriptor.digest != expected:
                right = "the image that was built" if self.built else f"the image of {tags[0].name}"
                proof.wrong.append(
                    f"the tag {tag.name} points at {descriptor.digest[:19]}; expected {expected[:19]}, {right}"
                )
        return root

    def _content(self, proof: Proof, target: ImageTargetConfig, tag: str, root: Descriptor) -> None:
        found = {image.platform: image for image in images(self.registry, root)}
        proof.wrong += [f"the tag {one}" for one in platform_problems(target, found, tag)]
        said = []
        for platform, image in found.items():
            revision = self.revision or image.labels.get("org.opencontainers.image.revision", "")
            proof.wrong += [
                f"the tag {tag} ({platform}): {one}" for one in wrong_labels(image, str(self.version), revision)
            ]
            if printed := self._printed(proof, tag, root, image):
                said.append(printed)
        names = [one.name for one in self.tags if one.target == target.name]
        prints = f", prints {said[0]!r} on {len(said)} of {len(found)}" if said else ""
        proof.seen.append(f"{', '.join(names)} at {root.digest[:19]} ({', '.join(found)}{prints})")

    def _printed(self, proof: Proof, tag: str, root: Descriptor, image: Image) -> str | None:
        """Return what the image prints when it is pulled by digest and asked for its version."""
        if self.engine is None:
            return None
        reference = f"{self.registry.repository}@{root.digest}"
        was_here = self.engine.holds(reference)
        try:
            self.engine.pull(self.registry.repository, root.digest, image.platform, self.registry.http.login())
            # Targets may differ in their attestations alone; what they share is pulled for each, and run once.
            if image.manifest.digest not in proof.printed:
                printed = version_inside(self.engine, reference, image, self.config, self.version)
                proof.printed[image.manifest.digest] = printed
            return proof.printed[image.manifest.digest]
        except ForeignPlatformError:
            proof.notes.append(f"{tag}: {image.platform} cannot run here")
        except ServiceError as error:
            if not (is_loopback(self.registry.http.host) and "refused" in error.message):
                raise
            proof.notes.append("the engine does not reach this machine's loopback, so nothing was pulled")
        except StepError as error:
            proof.wrong.append(f"the tag {tag}: {error.message}")
        finally:
            if not was_here:
                self.engine.remove(reference)
        return None
