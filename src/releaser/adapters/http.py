"""One base for every HTTP client: sessions, time limits, the rule for repeating, files, and what failures mean.

Proxies and CA bundles come from the environment, as `requests` reads it (``HTTPS_PROXY``, ``NO_PROXY``,
``REQUESTS_CA_BUNDLE``), and ``SSL_CERT_FILE`` as well, which Python and other tools know.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urljoin

import requests
from pydantic import TypeAdapter, ValidationError
from urllib3.exceptions import HTTPError

from releaser.adapters.connections import Exchange, WatchedAdapter
from releaser.adapters.environment import check_of_proxies
from releaser.adapters.failures import failure, innermost, misfit
from releaser.adapters.retries import RetryRule, is_limited, named_pause
from releaser.adapters.sessions import Session
from releaser.core.activity import current
from releaser.errors import ServiceError
from releaser.secret import Redactor, Secret

RERUN = "Rerun the command. Completed steps are not repeated."

_PIECE = 1 << 16
_Shape = TypeVar("_Shape")


@dataclass(frozen=True)
class Limits:
    """Time limits of one attempt, in seconds: to connect, between two pieces of the response, and altogether."""

    connect: float = 15.0
    read: float = 20.0
    whole: float = 120.0


DOCUMENT = Limits()
# A registry checks the digest of gigabytes before it responds; no CI job that could wait longer lasts longer.
FILE = Limits(read=120.0, whole=6 * 3600.0)


@dataclass(frozen=True)
class Received:
    """A file that arrived: its size in bytes, and its sha256 in hex."""

    size: int
    sha256: str


class Http:
    """A client of one service.

    Args:
        service: What messages call it.
        setting: What a person checks when something else responds at its address, such as "simple-url in ...".
        netrc: Whether passwords may come from ~/.netrc where a request has no authorization of its own.
    """

    def __init__(self, service: str, setting: str, *, netrc: bool = False) -> None:
        self.service = service
        self.setting = setting
        self._rule = RetryRule(service)
        self._session = Session(netrc=netrc)
        self._session.headers["User-Agent"] = "releaser"
        self._session.verify = os.environ.get("SSL_CERT_FILE") or True
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, WatchedAdapter(max_retries=self._rule))

    def close(self) -> None:
        """Close the connections; the next request opens them again."""
        self._session.close()

    # --- requests -------------------------------------------------------------------------------------------------

    def exchange(self, method: str, url: str, *, limits: Limits = DOCUMENT, **options: Any) -> requests.Response:
        """Send a request and read the response whole, by the time limits and the rule.

        Args:
            method: HTTP's verb.
            url: The whole address.
            limits: How long it may take.
            options: What else `requests.Session.request` takes.

        Raises:
            requests.RequestException: There was no response, or only a part of one; `reporting` says what that means.
            InterruptedRunError: The run was stopped.
        """
        timeout = _timeout(limits)
        with Exchange(limits.whole, whole=True):
            return self._session.request(method, url, timeout=timeout, **options)

    def send(
        self, method: str, url: str, doing: str, *, limits: Limits = DOCUMENT, **options: Any
    ) -> requests.Response:
        """Send a request, as `exchange` does.

        Args:
            method: HTTP's verb.
            url: The whole address.
            doing: What for, as it follows "asked to" in a message.
            limits: How long it may take.
            options: What else `requests.Session.request` takes.

        Raises:
            ServiceError: There was no response, or only a part of one.
            InterruptedRunError: The run was stopped.
        """
        with self.reporting(doing):
            return self.exchange(method, url, limits=limits, **options)

    @contextlib.contextmanager
    def reporting(self, doing: str) -> Iterator[None]:
        """Turn what goes wrong below HTTP into an error with a remedy.

        Raises:
            ServiceError: There was no response, or only a part of one.
        """
        try:
            yield
        except requests.exceptions.SSLError as error:
            raise ServiceError(
                f"No trusted TLS connection to {self.service}, which was asked to {doing}: {innermost(error)}",
                "Set REQUESTS_CA_BUNDLE to your organisation's CA bundle if its proxy replaces certificates; "
                "otherwise do not continue.",
            ) from None
        except requests.exceptions.ProxyError as error:
            raise ServiceError(
                f"The proxy between here and {self.service} {failure(error)} when asked to {doing}",
                f"{check_of_proxies()}, and NO_PROXY; then rerun the command.",
            ) from None
        except (requests.RequestException, HTTPError) as error:
            raise ServiceError(
                f"{self.service} {failure(error)} when asked to {doing}",
                f"Check the network and {self.setting}, then rerun the command. Completed steps are not repeated.",
            ) from None
        except (OSError, ValueError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise  # of a file that is written, not of the network
            raise ServiceError(
                f"Could not ask {self.service} to {doing}: {error}",
                f"Check {self.setting}, REQUESTS_CA_BUNDLE and SSL_CERT_FILE, then rerun the command.",
            ) from None

    # --- responses ------------------------------------------------------------------------------------------------

    def document(self, response: requests.Response, shape: TypeAdapter[_Shape], doing: str) -> _Shape:
        """Return the JSON document that a response holds.

        Raises:
            ServiceError: It holds something else, half of one, or a document of another shape.
        """
        return self.shaped(response.content, shape, doing, response.headers.get("Content-Type", ""))

    def shaped(self, content: bytes, shape: TypeAdapter[_Shape], doing: str, content_type: str = "") -> _Shape:
        """Return the JSON document that `content` is.

        Raises:
            ServiceError: It is something else, half of one, or a document of another shape.
        """
        try:
            return shape.validate_json(content, strict=True)
        except ValidationError as error:
            raise self.foreign(misfit(error, content, content_type), doing) from None

    def foreign(self, what: str, doing: str) -> ServiceError:
        """Return the error for a response that no such service gives."""
        return ServiceError(
            f"{self.service} sent {what} when asked to {doing}",
            f"Check {self.setting}, and whether a proxy or a login page is in between; then rerun the command.",
        )

    def refusal(self, response: requests.Response, doing: str, reason: str = "") -> ServiceError:
        """Return the error for a status that means no more to this service than to any other.

        Services repeat what they were sent: the request's authorization is hidden in the reason.
        """
        said = _hiding(response.request)(reason or response.reason or "")
        return self.refused(response.status_code, response.headers, doing, said)

    def refused(self, status: int, headers: Mapping[str, str], doing: str, reason: str = "") -> ServiceError:
        """Return the error for a status, with the service's own reason."""
        said = f"{doing} (HTTP {status})" + (f": {reason}" if reason else "")
        if is_limited(status, headers):
            return ServiceError(
                f"{self.service} limits requests and refused to {said}", f"Rerun the command {_when(headers)}."
            )
        if status >= 500:
            return ServiceError(f"{self.service} failed to {said}", RERUN)
        return ServiceError(f"{self.service} refused to {said}", "Fix the cause that it names, then rerun the command.")

    # --- files ----------------------------------------------------------------------------------------------------

    def download(
        self,
        url: str,
        target: Path,
        doing: str,
        *,
        headers: Mapping[str, str] | None = None,
        refusal: Callable[[requests.Response], ServiceError] | None = None,
    ) -> Received:
        """Stream a file to `target`, from its beginning again if it breaks off.

        Args:
            url: Where it is.
            target: Where to put it; half of it stays there if it cannot be had.
            doing: What for, as it follows "asked to" in a message.
            headers: Further headers for this address, such as a token: a redirect is followed without them.
            refusal: What to raise for another status than 200.

        Raises:
            ServiceError: There was no response, or only a part of the file, or another status.
            InterruptedRunError: The run was stopped.
        """
        plain = {"Accept": "*/*", "Accept-Encoding": "identity"}
        timeout, retries = _timeout(FILE), self._rule
        with self.reporting(doing), Exchange(FILE.whole, whole=False) as exchange:
            while True:
                response = self._session.get(
                    url, headers={**plain, **(headers or {})}, timeout=timeout, stream=True, allow_redirects=False
                )
                if response.is_redirect:
                    response.close()
                    elsewhere = urljoin(url, response.headers["Location"])
                    response = self._session.get(elsewhere, headers=plain, timeout=timeout, stream=True)
                with response:
                    if response.status_code != 200:
                        raise (refusal or partial(self.refusal, doing=doing))(response)
                    try:
                        with exchange.over():
                            return _written(response, target)
                    except (HTTPError, TimeoutError) as error:
                        retries = retries.increment("GET", url, error=error)
                retries.sleep()


def _timeout(limits: Limits) -> tuple[float, float]:
    """Return the seconds to connect and between two pieces, as `requests` takes them."""
    activity = current()
    return activity.at_most(limits.connect), activity.at_most(limits.read)


def _hiding(request: requests.PreparedRequest) -> Redactor:
    """Return what hides the authorization of a request; of `Basic`, the password alone too."""
    scheme, _, sent = str(request.headers.get("Authorization", "")).partition(" ")
    redact = Redactor()
    redact.learn([Secret(sent)])
    if scheme.lower() == "basic":
        with contextlib.suppress(ValueError):
            redact.learn([Secret(base64.b64decode(sent).decode("latin-1").partition(":")[2])])
    return redact


def _written(response: requests.Response, target: Path) -> Received:
    digest, size = hashlib.sha256(), 0
    with target.open("wb") as sink:
        for piece in response.raw.stream(_PIECE, decode_content=False):
            digest.update(piece)
            size += len(piece)
            sink.write(piece)
    return Received(size, digest.hexdigest())


def _when(headers: Mapping[str, str]) -> str:
    seconds = named_pause(headers)
    if seconds is None:
        return "in a few minutes"
    then = datetime.now(timezone.utc) + timedelta(seconds=min(seconds, 10**7))
    return f"in {seconds:.0f} s, at {then:%H:%M:%S} UTC"
