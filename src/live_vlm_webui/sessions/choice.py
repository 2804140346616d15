"""Which model a session asks: from what its settings say to the open model."""

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
"""How long the first question waits for the first look at what servers there are."""

logger = logging.getLogger(__name__)


class Models(Protocol):
    """What can be chosen: ``models.catalog.Catalog``."""

    @property
    def keyring(self) -> Keyring:
        """The server's keys, which sessions use for the addresses that they were given for."""
        ...

    @property
    def offers(self) -> tuple[Offer, ...]:
        """What was found without being asked for."""
        ...

    async def ready(self, seconds: float) -> None:
        """Wait until it was looked for what can be chosen, but no longer than ``seconds``."""
        ...

    def default(self) -> ModelLabel:
        """What to ask where nothing is chosen."""
        ...

    async def models(self, endpoint: Endpoint) -> tuple[Offer, ...]:
        """What the API at ``endpoint`` has.

        Raises:
            ModelError: It cannot be asked.
            RequestError: It may not be asked.
        """
        ...

    def open(self, label: ModelLabel, keyring: Keyring) -> VisionModel:
        """The model behind ``label``, for one session.

        Raises:
            ModelError: It cannot be asked.
            RequestError: It may not be asked.
        """
        ...


class ModelChoice:
    """The model of one session, opened when it is first needed.

    Args:
        models: What can be chosen.
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
        """Of the open model; None if none is."""
        return self._model.label if self._model else None

    async def get(self, settings: SessionSettings) -> VisionModel:
        """The model that ``settings`` choose, opened if another or none was.

        Raises:
            ModelError: There is none; the error says why and what to do.
        """
        wanted = (settings.api_base, settings.model)
        if self._model is None or wanted != self._wanted or self._is_outdone(wanted):
            self.forget()
            try:
                self._model = self._models.open(await self._label(*wanted), self._keyring)
            except RequestError as error:
                raise ModelError("refused", error.message, error.remedy) from error
            self._wanted = wanted
        return self._model

    def forget(self) -> None:
        """Close the open model: another was chosen, or its key is another."""
        if self._model is not None:
            task = asyncio.ensure_future(_close(self._model))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
            self._model = None

    async def close(self) -> None:
        """Free what all models hold that were opened."""
        self.forget()
        if self._closing:
            await asyncio.wait(self._closing)

    def _is_outdone(self, wanted: tuple[str, str]) -> bool:
        """Whether nothing is chosen, and a server was found after the describer had stepped in."""
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
        return _first_that_sees(await self._models.models(self._keyring.endpoint(api_base)), api_base)

    def _found(self, name: str) -> ModelLabel:
        for offer in self._models.offers:
            if offer.label.name == name:
                return offer.label
        default = self._models.default()
        if default.api_base == BUILT_IN:
            raise ModelError(
                "model-missing",
                f"No server of models was found that has {name}.",
                "Start its server, or give the API's address together with the model; or choose one of the list.",
            )
        return ModelLabel(default.api_base, name, default.server)


def _first_that_sees(offers: Iterable[Offer], api_base: str) -> ModelLabel:
    best = best_first(offers)
    if not best:
        raise ModelError("model-missing", f"{api_base} has no model.", "Load one there, then choose it in the list.")
    if best[0].vision is False:
        raise ModelError(
            "not-vision", f"No model at {api_base} sees pictures.", "Load a vision model there, then choose it."
        )
    return best[0].label


async def _close(model: VisionModel) -> None:
    try:
        await asyncio.wait_for(model.close(), CLOSE_SECONDS)
    except Exception:
        logger.exception("a model could not be closed")
