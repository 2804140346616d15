"""The container engine, by the docker SDK: load or pull an image, run it, ask whether it is healthy, remove it again.

Containers run without a network of their own: whatever listens in one is asked from inside, and no port can be taken.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from releaser.adapters.docker import buildx
from releaser.adapters.docker.sdk import Login, connector
from releaser.core.activity import current
from releaser.errors import ServiceError, StepError

_LABEL = "releaser.trial"
_TRIALS = "localhost/releaser-trial"
_ANSWER_S = 120.0
_HEALTHY_S = 300.0
_PRINTED_S = 15.0
"""How long what a container printed may come after its end: an engine waits 2 s for it, and then says that it ended."""
_POLL_S = 0.2
_SECOND_NS = 1_000_000_000
_SHORTEST_NS = 1_000_000  # an engine refuses shorter periods
_FOREIGN = "exec format error"


class ForeignPlatformError(StepError):
    """This machine cannot run the image's platform, not even by emulation."""


@dataclass(frozen=True)
class Engine:
    """A container engine.

    Attributes:
        client: docker SDK's.
        address: Where it is.
        owner: Whose containers these are, so that what a killed run left is removed by the next.
    """

    client: Any
    address: str
    owner: str

    @classmethod
    def connect(cls, home: Path) -> Engine:
        """Return the engine that docker's command line would use.

        Args:
            home: A directory of the caller's own; what belongs to it is told from what belongs to others.

        Raises:
            ServiceError: It does not answer.
            UsageError: The docker SDK is not installed.
        """
        from_env, address = connector(), buildx.endpoint(home)
        known = {"DOCKER_HOST": address} if "://" in address else {}
        owner = hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:12]
        with _asking(address, "connecting"):
            return cls(from_env(environment={**os.environ, **known}), address, owner)

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

    def native(self) -> str:
        """Return the engine's own platform."""
        with _asking(self.address, "asking for its platform"):
            found = self.client.version()
        return f"{found['Os']}/{found['Arch']}"

    def holds(self, reference: str) -> bool:
        """Return whether the engine has the image."""
        from docker.errors import ImageNotFound

        with _asking(self.address, f"looking for {reference}"):
            try:
                self.client.images.get(reference)
            except ImageNotFound:
                return False
            return True

    def load(self, archive: Path) -> None:
        """Take the image in an archive, under the reference that the archive gives it."""
        with _asking(self.address, "loading an image"), archive.open("rb") as file:
            self.client.images.load(file)

    def pull(self, repository: str, digest: str, platform: str, login: Login | None) -> str:
        """Fetch an image from its registry by digest; returns the reference to run it by."""
        # Empty and not None, or the SDK would ask docker's credential helpers, with this process's whole environment.
        known = {"username": login.user, "password": login.password.reveal()} if login else {}
        if login and login.is_identity_token:
            known = {"identitytoken": login.password.reveal()}
        with _asking(self.address, f"pulling {repository}@{digest[:19]} for {platform}"):
            told = self.client.api.pull(
                repository, tag=digest, platform=platform, stream=True, decode=True, auth_config=known
            )
            for line in told:
                # A failure in the stream is a line like any other; the SDK raises nothing.
                if "error" in line:
                    raise ServiceError(
                        f"The engine could not pull {repository}@{digest[:19]} for {platform}: {line['error']}",
                        f"Run `docker pull --platform {platform} {repository}@{digest}` to see the same.",
                    )
        return f"{repository}@{digest}"

    def remove(self, reference: str) -> None:
        """Remove an image's reference, and the image with its last."""
        from docker.errors import ImageNotFound

        with _asking(self.address, f"removing {reference}"):
            try:
                self.client.images.remove(reference, force=True)
            except ImageNotFound:
                return

    def trial(self, name: str) -> str:
        """Return the reference under which an image is loaded to be tried."""
        return f"{_TRIALS}/{self.owner}:{name}"

    def sweep(self) -> None:
        """Remove the containers and images that a killed run left."""
        with _asking(self.address, "removing old containers"):
            for one in self.client.containers.list(all=True, filters={"label": f"{_LABEL}={self.owner}"}):
                one.remove(force=True, v=True)
        with _asking(self.address, "listing old images"):
            images = self.client.images.list(filters={"reference": f"{_TRIALS}/{self.owner}"})
        for reference in [tag for image in images for tag in image.tags if tag.startswith(f"{_TRIALS}/{self.owner}:")]:
            self.remove(reference)

    def says(self, reference: str, platform: str, words: list[str]) -> str:
        """Return what an image prints when it is run with `words`.

        Raises:
            ForeignPlatformError: Its platform cannot run here.
            StepError: It failed, or did not end.
        """
        with self._container(reference, platform, words) as container:
            deadline = time.monotonic() + _ANSWER_S
            while container.status not in ("exited", "dead"):
                if time.monotonic() > deadline:
                    raise StepError(
                        f"{reference} ({platform}) with {' '.join(words)} did not end in time",
                        f"Run `docker run --rm --platform {platform} {reference} {' '.join(words)}` to see why.",
                    )
                current().sleep(_POLL_S)
                container.reload()
            printed = _printed(container)
            status = container.attrs["State"]["ExitCode"]
            if status != 0:
                self._raise_if_foreign(printed, platform)
                raise StepError(
                    f"{reference} ({platform}) with {' '.join(words)} ended with {status}: {printed[-2000:]}",
                    f"Run `docker run --rm --platform {platform} {reference} {' '.join(words)}` to see the same.",
                )
            return printed

    def becomes_healthy(self, reference: str, platform: str) -> float:
        """Start an image as users do and wait until its HEALTHCHECK passes; returns the seconds that it took.

        Raises:
            StepError: It ended, is unhealthy, or has not become healthy in time; the message holds its last words.
        """
        begun = time.monotonic()
        # Within its start period an image is probed every 5 s, unless it says otherwise. End that period at once, and
        # let as many probes fail as there is time for.
        often = {"interval": _SECOND_NS, "start_period": _SHORTEST_NS, "retries": int(_HEALTHY_S)}
        with self._container(reference, platform, None, healthcheck=often) as container:
            while True:
                state = container.attrs["State"]
                health = state.get("Health", {})
                if health.get("Status") == "healthy":
                    return time.monotonic() - begun
                ended = not state["Running"] and state["Status"] != "created"
                if ended or health.get("Status") == "unhealthy" or time.monotonic() - begun > _HEALTHY_S:
                    words = container.logs().decode("utf-8", "replace").strip()[-1000:]
                    probes = " | ".join(str(one.get("Output", "")).strip() for one in health.get("Log", [])[-2:])
                    how = f"ended with {state['ExitCode']}" if ended else f"is {health.get('Status') or 'mute'}"
                    raise StepError(
                        f"{reference} ({platform}) {how} instead of becoming healthy. Its last output: {words}"
                        + (f"\nIts health check: {probes[-1000:]}" if probes else ""),
                        f"Run `docker run --rm --platform {platform} {reference}` to see what it does.",
                    )
                current().sleep(_POLL_S)
                container.reload()

    @contextmanager
    def _container(self, reference: str, platform: str, words: list[str] | None, **more: Any) -> Iterator[Any]:
        from docker.errors import APIError

        with _asking(self.address, f"running {reference} for {platform}"):
            container = self.client.containers.create(
                reference, words, platform=platform, network_mode="none", labels={_LABEL: self.owner}, **more
            )
            try:
                try:
                    container.start()
                except APIError as error:
                    self._raise_if_foreign(str(error), platform)
                    raise
                container.reload()
                yield container
            finally:
                container.remove(force=True, v=True)

    def _raise_if_foreign(self, text: str, platform: str) -> None:
        if _FOREIGN in text.lower() and platform != self.native():
            raise ForeignPlatformError(
                f"{platform} cannot run here", "Register an emulator, or use a machine of that platform."
            )


def _printed(container: Any) -> str:
    """Return what a container that ended has printed."""
    deadline = time.monotonic() + _PRINTED_S
    while not (printed := str(container.logs().decode("utf-8", "replace")).strip()) and time.monotonic() < deadline:
        current().sleep(_POLL_S)
    return printed


@contextmanager
def _asking(address: str, doing: str) -> Iterator[None]:
    """Turn the SDK's errors into ours."""
    from docker.errors import DockerException

    try:
        yield
    except (DockerException, requests.exceptions.RequestException) as error:
        said = getattr(error, "explanation", None) or error
        raise ServiceError(
            f"The container engine at {address} failed ({doing}): {said}", "Check whether it is running: `docker info`."
        ) from None
