"""The models that can be chosen, and how one is opened for a session."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from aiohttp import ClientSession

from live_vlm_webui.errors import ForbiddenError, InputError, ModelError, RequestError, WrongValueError
from live_vlm_webui.models.dialect import Dialects
from live_vlm_webui.models.discovery import USUAL_PORTS, Discovery
from live_vlm_webui.models.endpoint import Endpoint, Keyring
from live_vlm_webui.models.listing import LONGEST_NAME, Lister, Listing
from live_vlm_webui.models.model import BUILT_IN, DESCRIBER, ModelLabel, VisionModel
from live_vlm_webui.models.offer import Offer, best_first
from live_vlm_webui.models.openai import Limits, OpenAIModel
from live_vlm_webui.secret import Secret

LOCAL_SECONDS = 1.0
REMOTE_SECONDS = 10.0
REFRESH_SECONDS = 30.0

logger = logging.getLogger(__name__)


class ModelSettings(Protocol):
    """What of ``settings.Settings`` is about models."""

    @property
    def api_base(self) -> str | None:
        """Of the server of models to use; None looks for one."""
        ...

    @property
    def model(self) -> str | None:
        """What to ask, as its server calls it; None chooses."""
        ...

    @property
    def api_key(self) -> Secret | None:
        """Belongs to ``api_base``, and to no other server."""
        ...


class Catalog:
    """The models that can be chosen: of the server in the settings, of those on this machine, and the describer.

    ``start`` looks for them in the background, and again every ``interval`` seconds; a server elsewhere is asked again
    only until it has answered, or on request.

    Args:
        settings: The server, model and key to use, if they were given.
        http: As ``connections.open_client`` makes it; closed by who made it.
        describer_factory: Makes the built-in describer's model for a session. Not called before one asks for it.
        ports: Of this machine, to look at.
        foreign_endpoints: Whether sessions may name servers besides that of the settings and those on ``ports``.
        interval: Between two looks, in seconds.
        limits: Of each answer.

    Raises:
        WrongValueError: The settings' address or key cannot be used.
    """

    def __init__(
        self,
        settings: ModelSettings,
        http: ClientSession,
        describer_factory: Callable[[], VisionModel],
        *,
        ports: Sequence[int] = USUAL_PORTS,
        foreign_endpoints: bool = True,
        interval: float = REFRESH_SECONDS,
        limits: Limits | None = None,
    ) -> None:
        self.keyring = Keyring()
        """The server's keys: give each session a ring of its own, ``Keyring(catalog.keyring)``."""
        self._configured = _configured(settings)
        if self._configured is not None:
            self.keyring.give(self._configured.api_base, self._configured.key)
        self._wanted = settings.model
        self._http = http
        self._describer_factory = describer_factory
        self._lister = Lister(http, REMOTE_SECONDS)
        self._discovery = Discovery(Lister(http, LOCAL_SECONDS), self.keyring, ports)
        self._foreign_endpoints = foreign_endpoints
        self._interval = interval
        self._limits = limits
        self._built_in = Offer(DESCRIBER, vision=True)
        self._dialects = Dialects()
        self._listing: Listing | None = None
        self._found: dict[str, Listing] = {}
        self._trouble: ModelError | None = None
        self._offers: tuple[Offer, ...] = (self._built_in,)
        self._looked = asyncio.Event()
        self._look: asyncio.Task[None] | None = None
        self._look_is_whole = False
        self._background: asyncio.Task[None] | None = None

    @property
    def offers(self) -> tuple[Offer, ...]:
        """What can be chosen, best first; the built-in describer always, and last."""
        return self._offers

    @property
    def trouble(self) -> ModelError | None:
        """Why the server of the settings did not list its models when it was last asked; None if it did."""
        return self._trouble

    def start(self) -> None:
        """Look for models from now on, in the background."""
        if self._background is None:
            self._background = asyncio.create_task(self._refresh_for_ever(), name="catalog")

    async def close(self) -> None:
        """Stop looking."""
        tasks = [task for task in (self._background, self._look) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._background = self._look = None

    async def ready(self, seconds: float) -> None:
        """Wait until the first look is over, but no longer than ``seconds``."""
        waiting = asyncio.create_task(self._looked.wait())
        try:
            await asyncio.wait({waiting}, timeout=seconds)
        finally:
            waiting.cancel()

    async def refresh(self) -> None:
        """Look now; who asks while that is under way waits for the same look."""
        look = self._look
        if look is not None and not look.done() and not self._look_is_whole:
            await asyncio.wait({look})
        await asyncio.shield(self._begin_look(whole=True))

    def default(self) -> ModelLabel:
        """The model that new sessions start with.

        That of the settings; else the best of the settings' server; without one, the first found that surely sees; else
        the built-in describer. A text model is never chosen unasked: it would answer no question about a picture.
        """
        built_in = self._built_in.label
        if self._wanted in {BUILT_IN, built_in.name} and self._configured is None:
            return built_in
        if self._wanted is not None:
            named = [offer.label for offer in self._offers if _is_called(offer.label, self._wanted)]
            if self._configured is not None:
                here = [label for label in named if label.api_base == self._configured.api_base]
                return here[0] if here else ModelLabel(self._configured.api_base, self._wanted)
            if named:
                return named[0]
        if self._configured is not None:
            listed = self._listing.offers if self._listing is not None else ()
            return next((offer.label for offer in listed if offer.vision is not False), built_in)
        return next((offer.label for offer in self._offers if offer.vision), built_in)

    async def models(self, endpoint: Endpoint) -> tuple[Offer, ...]:
        """What another server offers, best first.

        Raises:
            ForbiddenError: Only known servers may be asked.
            ModelError: It does not say; the error says why and what to do.
        """
        self._check(endpoint)
        return (await self._lister.list_models(endpoint)).offers

    def open(self, label: ModelLabel, keyring: Keyring) -> VisionModel:
        """Open a model for one session; nothing is asked yet. Who opens it closes it.

        Args:
            label: Which one; ``server`` may be empty.
            keyring: The session's, which is asked for the key of the label's address.

        Raises:
            InputError: The address or the name cannot be used.
            ForbiddenError: Only known servers may be asked.
        """
        if label.api_base == BUILT_IN:
            return self._describer_factory()
        endpoint = keyring.endpoint(label.api_base)
        self._check(endpoint)
        if not (0 < len(label.name) <= LONGEST_NAME and label.name.isprintable()):
            raise InputError(
                "The name of the model is empty, too long, or holds control characters.",
                "Give it as its server lists it, such as qwen2.5vl:7b.",
            )
        server = label.server or next(
            (offer.label.server for offer in self._offers if offer.label.api_base == endpoint.api_base), ""
        )
        return OpenAIModel(
            ModelLabel(endpoint.api_base, label.name, server),
            endpoint,
            self._http,
            limits=self._limits,
            dialects=self._dialects,
        )

    def _check(self, endpoint: Endpoint) -> None:
        if self._foreign_endpoints or endpoint.api_base in self._discovery.addresses:
            return
        if self._configured is None or endpoint.api_base != self._configured.api_base:
            raise ForbiddenError(
                f"This server asks no models at {endpoint.api_base}.",
                "Choose one of the models in the list; who runs the server can allow others.",
            )

    async def _refresh_for_ever(self) -> None:
        whole = True
        while True:
            await asyncio.wait({self._begin_look(whole=whole)})
            whole = self._trouble is not None or (self._configured is not None and self._configured.is_local)
            await asyncio.sleep(self._interval)

    def _begin_look(self, *, whole: bool) -> asyncio.Task[None]:
        """Begin a look, unless one is under way; a ``whole`` one asks a server elsewhere, too."""
        if self._look is None or self._look.done():
            self._look_is_whole = whole
            self._look = asyncio.create_task(self._look_around(whole=whole), name="catalog-look")
        return self._look

    async def _look_around(self, *, whole: bool) -> None:
        try:
            configured = self._configured
            besides = () if configured is None else (configured,)
            finding = asyncio.create_task(self._discovery.find(self._found, besides))
            try:
                if configured is not None and whole:
                    await self._ask_configured(configured)
                self._found = await finding
            finally:
                finding.cancel()
            self._combine()
        except Exception:  # the next look may fare better, and sessions go on with what is known
            logger.exception("the look for models failed")
        finally:
            self._looked.set()

    async def _ask_configured(self, endpoint: Endpoint) -> None:
        before = self._trouble
        try:
            self._listing = await self._lister.list_models(endpoint)
            self._trouble = None
        except ModelError as error:
            self._trouble = error
            if error.code != "timeout":
                self._listing = None
            if before is None or before.message != error.message:
                logger.warning("%s %s", error.message, error.remedy)

    def _combine(self) -> None:
        listings = [*([self._listing] if self._listing else []), *self._found.values()]
        offers = (*best_first(offer for listing in listings for offer in listing.offers), self._built_in)
        if offers != self._offers:
            self._offers = offers
            for listing in listings:
                sees = sum(offer.vision is True for offer in listing.offers)
                where = listing.offers[0].label.api_base if listing.offers else "a server"
                logger.info("%s at %s: %d models, %d see", listing.server or "models", where, len(listing.offers), sees)


def _configured(settings: ModelSettings) -> Endpoint | None:
    if settings.api_base is None:
        return None
    try:
        return Endpoint(settings.api_base, settings.api_key)
    except RequestError as error:
        raise WrongValueError("api_base", error.message, error.remedy) from None


def _is_called(label: ModelLabel, name: str) -> bool:
    """Whether a model is meant by ``name``: Ollama's are listed with a tag, which people leave out."""
    return label.name in {name, f"{name}:latest"}
