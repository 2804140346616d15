"""What failed requests and unexpected responses are, in words."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from http.client import BadStatusLine, IncompleteRead

from pydantic import ValidationError
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ReadTimeoutError

_ERRNO = re.compile(r"^\[Errno -?\d+\] ")
# The first that an error is, or has inside, counts.
_FAILURES: tuple[tuple[type[BaseException], str], ...] = (
    (ConnectionRefusedError, "refused the connection"),
    (socket.gaierror, "was not found (its host name has no address)"),
    (ReadTimeoutError, "did not respond in time"),
    (TimeoutError, "did not respond in time"),
    (IncompleteRead, "broke off its response"),
    (ConnectionError, "closed the connection"),
    (BadStatusLine, "sent something that is not HTTP"),
)


def failure(error: BaseException) -> str:
    """Return what a service did instead of responding, to follow its name."""
    chain = list(_chain(error))
    for kind, said in _FAILURES:
        if any(isinstance(one, kind) for one in chain):
            return said
    kinds = {type(one) for one in chain}
    if ConnectTimeoutError in kinds and NewConnectionError not in kinds:
        return "did not accept a connection in time"
    return f"could not be reached ({innermost(error)})"


def innermost(error: BaseException) -> str:
    """Return what the innermost error says: `requests` wraps urllib3, which wraps the socket's."""
    return _ERRNO.sub("", str(list(_chain(error))[-1]).rpartition(": ")[2])


def misfit(error: ValidationError, content: bytes, content_type: str) -> str:
    """Return what came instead of the expected JSON."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    if first["type"] != "json_invalid":
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        return f"JSON of an unexpected form ({where}: {first['msg']})"
    if not content.strip():
        return "nothing instead of JSON"
    if "html" in content_type.lower() or content.lstrip()[:1] == b"<":
        return "HTML instead of JSON"
    if content.lstrip()[:1] in (b"{", b"["):
        return f"broken or cut off JSON ({first['msg']})"
    return f"{content_type.partition(';')[0] or 'something else'} instead of JSON"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those inside it, the innermost last."""
    following: BaseException | None = error
    while following is not None:
        yield following
        inside = (getattr(following, "reason", None), *reversed(following.args))
        following = next((one for one in inside if isinstance(one, BaseException)), following.__cause__)
