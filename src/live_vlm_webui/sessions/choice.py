"""Choose and open the model of a session, from its settings."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from live_vlm_webui.errors import ModelError, RequestError
from live_vlm_webui.models.model import BUILT_IN, ModelLabel, VisionModel
from live_vlm_webui.models.offer import Offer, best_first
from live_vlm_webui.sessions.settings import SessionSettings

if TYPE_CHECKING:
    from live_vlm_webui.models.endpoint import Endpoint, Keyring

CLOSE_SECONDS = 1.0
READY_SECONDS = 2.0
"""How long the first question waits for the first search for servers."""

logger = logging.getLogger(__name__)


class Models(Protocol):
    """The interface of ``models.catalog.Catalog``."""

    @property
    def keyring(self) -> Keyring:
        """The server's keys."""
        ...

    @property
    def offers(self) -> tuple[Offer, ...]:
        """The models that were found."""
        ...

    async def ready(self, seconds: float) -> None:
        """Wait for the end of the first search, at most ``seconds``."""
        ...

    def default(self) -> ModelLabel:
        """Return the model to ask if none is chosen."""
        ...

    async def models(self, endpoint: Endpoint) -> tuple[Offer, ...]:
        """Return the models of the API at ``endpoint``.

        Raises:
            ModelError: It does not list its models.
            RequestError: The address is not allowed.
        """
        ...

    def open(self, label: ModelLabel, keyring: Keyring) -> VisionModel:
        """Open the model ``label`` for a session.

        Raises:
            ModelError: It cannot be used.
            RequestError: The address is not allowed.
        """
        ...


class ModelChoice:
    """The model of a session, opened when it is first needed.

    Args:
        models: The catalog.
        keyring: The session's keys.
    """

    def __init__(self, models: Models, keyring: Keyring) -> None:
        self._models = models
        self._keyring = keyring
        self._wanted: tuple[str, str] | None = None
        self._model: VisionModel | None = None
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def label(self) -> ModelLabel | None:
        """The label of the open model; None if none is open."""
        return self._model.label if self._model else None

    async def get(self, settings: SessionSettings) -> VisionModel:
        """Return the model chosen in ``settings``; open it if it is not open.

        Raises:
            ModelError: No such model can be used.
        """
        wanted = (settings.api_base, settings.model)
        if self._model is None or wanted != self._wanted or self._is_superseded(wanted):
            self.forget()
            try:
                self._model = self._models.open(await self._label(*wanted), self._keyring)
            except RequestError as error:
                raise ModelError("refused", error.message, error.remedy) from error
            self._wanted = wanted
        return self._model

    def forget(self) -> None:
        """Close the open model, because another model or key was chosen."""
        if self._model is not None:
            task = asyncio.ensure_future(_close(self._model))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
            self._model = None

    async def close(self) -> None:
        """Close all opened models."""
        self.forget()
        if self._closing:
            await asyncio.wait(self._closing)

    def _is_superseded(self, wanted: tuple[str, str]) -> bool:
        """Return whether no model is chosen, and a server was found after the describer was opened."""
        if wanted != ("", "") or self.label is None or self.label.api_base != BUILT_IN:
            return False
        return self._models.default().api_base != BUILT_IN

    async def _label(self, api_base: str, name: str) -> ModelLabel:
        if not api_base:
            await self._models.ready(READY_SECONDS)
            return self._found(name) if name else self._models.default()
        known = (offer.label for offer in self._models.offers if offer.label.api_base == api_base)
        if api_base == BUILT_IN:
            return next(known, ModelLabel(BUILT_IN, name))
        if name:
            return next((label for label in known if label.name == name), ModelLabel(api_base, name))
        return _first_with_vision(await self._models.models(self._keyring.endpoint(api_base)), api_base)

    def _found(self, name: str) -> ModelLabel:
        for offer in self._models.offers:
            if offer.label.name == name:
                return offer.label
        default = self._models.default()
        if default.api_base == BUILT_IN:
            raise ModelError(
                "model-missing",
                f"No model server with the model {name} was found",
                "Start its server, set the API address together with the model, or choose a model from the list.",
            )
        return ModelLabel(default.api_base, name, default.server)


def _first_with_vision(offers: Iterable[Offer], api_base: str) -> ModelLabel:
    best = best_first(offers)
    if not best:
        raise ModelError(
            "model-missing", f"{api_base} has no model", "Load a model there, then choose it from the list."
        )
    if best[0].vision is False:
        raise ModelError(
            "not-vision", f"No model at {api_base} accepts pictures", "Load a vision model there, then choose it."
        )
    return best[0].label


async def _close(model: VisionModel) -> None:
    try:
        await asyncio.wait_for(model.close(), CLOSE_SECONDS)
    except Exception:
        logger.exception("closing a model failed")
