"""The catalog of models, which opens one for a session."""

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
    """The part of ``Settings`` that concerns models."""

    @property
    def api_base(self) -> str | None:
        """The model server's API; None searches for one."""
        ...

    @property
    def model(self) -> str | None:
        """The model's name on its server; None chooses one."""
        ...

    @property
    def api_key(self) -> Secret | None:
        """The key of ``api_base``, sent to no other server."""
        ...


class Catalog:
    """The models of the configured server and of servers on this machine, and the built-in describer.

    ``start`` searches in the background, and again every ``interval`` seconds; a configured server on another machine
    is asked again only until it has answered, or on request.

    Args:
        settings: The configured server, model and key.
        http: A client from ``connections.open_client``, closed by the caller.
        describer_factory: Creates the built-in describer's model for a session, when it is first needed.
        ports: The ports of this machine to search.
        foreign_endpoints: Whether sessions may use servers other than the configured one and those on ``ports``.
        interval: Seconds between two searches.
        limits: The limits of each answer.

    Raises:
        WrongValueError: The configured address or key is invalid.
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
        """The server's keys; each session has its own ``Keyring(catalog.keyring)``."""
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
        """The known models, best first; the built-in describer is always the last."""
        return self._offers

    @property
    def trouble(self) -> ModelError | None:
        """Why the configured server did not list its models the last time; None if it did."""
        return self._trouble

    def start(self) -> None:
        """Start searching for models in the background."""
        if self._background is None:
            self._background = asyncio.create_task(self._refresh_for_ever(), name="catalog")

    async def close(self) -> None:
        """Stop searching."""
        tasks = [task for task in (self._background, self._look) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._background = self._look = None

    async def ready(self, seconds: float) -> None:
        """Wait for the end of the first search, at most ``seconds``."""
        waiting = asyncio.create_task(self._looked.wait())
        try:
            await asyncio.wait({waiting}, timeout=seconds)
        finally:
            waiting.cancel()

    async def refresh(self) -> None:
        """Search now; concurrent calls wait for the same search."""
        look = self._look
        if look is not None and not look.done() and not self._look_is_whole:
            await asyncio.wait({look})
        await asyncio.shield(self._begin_look(whole=True))

    def default(self) -> ModelLabel:
        """Return the default model of new sessions.

        The configured model; else the best of the configured server; without one, the first found that surely accepts
        pictures; else the built-in describer. A text model is never chosen: it cannot answer questions about pictures.
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
        """Return the models of another server, best first.

        Raises:
            ForbiddenError: Only known servers are allowed.
            ModelError: The server does not list its models.
        """
        self._check(endpoint)
        return (await self._lister.list_models(endpoint)).offers

    def open(self, label: ModelLabel, keyring: Keyring) -> VisionModel:
        """Open a model for a session without connecting; the caller closes it.

        Args:
            label: The model; ``server`` may be empty.
            keyring: The session's keys.

        Raises:
            InputError: The address or name is invalid.
            ForbiddenError: Only known servers are allowed.
        """
        if label.api_base == BUILT_IN:
            return self._describer_factory()
        endpoint = keyring.endpoint(label.api_base)
        self._check(endpoint)
        if not (0 < len(label.name) <= LONGEST_NAME and label.name.isprintable()):
            raise InputError(
                "The model's name is empty, too long or contains control characters",
                "Use the name that the model server lists, such as qwen2.5vl:7b.",
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
                f"This server may not use models at {endpoint.api_base}",
                "Choose a model from the list, or ask the server's operator to allow other servers.",
            )

    async def _refresh_for_ever(self) -> None:
        whole = True
        while True:
            await asyncio.wait({self._begin_look(whole=whole)})
            whole = self._trouble is not None or (self._configured is not None and self._configured.is_local)
            await asyncio.sleep(self._interval)

    def _begin_look(self, *, whole: bool) -> asyncio.Task[None]:
        """Start a search, unless one is running; a ``whole`` one includes a configured server on another machine."""
        if self._look is None or self._look.done():
            self._look_is_whole = whole
            self._look = asyncio.create_task(self._look_around(whole=whole), name="catalog-look")
        return self._look

    async def _look_around(self, *, whole: bool) -> None:
        try:
            configured = self._configured
            others = () if configured is None else (configured,)
            finding = asyncio.create_task(self._discovery.find(self._found, others))
            try:
                if configured is not None and whole:
                    await self._ask_configured(configured)
                self._found = await finding
            finally:
                finding.cancel()
            self._combine()
        except Exception:  # sessions continue with the known models, and the next search may succeed
            logger.exception("searching for models failed")
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
                logger.warning("%s", error.sentences)

    def _combine(self) -> None:
        listings = [*([self._listing] if self._listing else []), *self._found.values()]
        offers = (*best_first(offer for listing in listings for offer in listing.offers), self._built_in)
        if offers != self._offers:
            self._offers = offers
            for listing in listings:
                sees = sum(offer.vision is True for offer in listing.offers)
                where = listing.offers[0].label.api_base if listing.offers else "a server"
                logger.info(
                    "%s at %s: %d models, %d accept pictures",
                    listing.server or "models",
                    where,
                    len(listing.offers),
                    sees,
                )


def _configured(settings: ModelSettings) -> Endpoint | None:
    if settings.api_base is None:
        return None
    try:
        return Endpoint(settings.api_base, settings.api_key)
    except RequestError as error:
        raise WrongValueError("api_base", error.message, error.remedy) from None


def _is_called(label: ModelLabel, name: str) -> bool:
    """Return whether ``name`` means this model: Ollama lists models with a tag, which people omit."""
    return label.name in {name, f"{name}:latest"}
