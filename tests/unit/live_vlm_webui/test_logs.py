from __future__ import annotations

import logging

import pytest
from aiohttp.http_exceptions import BadStatusLine

from live_vlm_webui.logs import FORMAT, RedactingFormatter, shorten_bad_requests
from live_vlm_webui.secret import Secret


def record(message: str, *arguments: object, error: BaseException | None = None) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord("aiohttp.server", logging.ERROR, __file__, 1, message, arguments, info)


def test_secrets_are_taken_out_of_messages_arguments_and_tracebacks():
    formatter = RedactingFormatter(FORMAT, [Secret("planted-token"), Secret("planted-key")])
    error = ValueError("planted-key in an error")
    text = formatter.format(record("planted-token and %s", "planted-key", error=error))
    assert "planted" not in text
    assert "*** and ***" in text
    assert "ValueError: *** in an error" in text


def test_a_short_secret_does_not_blot_out_ordinary_words():
    assert "in an order" in RedactingFormatter("%(message)s", [Secret("or")]).format(record("in an order"))


@pytest.mark.parametrize(("level", "told"), [(logging.INFO, False), (logging.DEBUG, True)])
def test_what_is_no_http_is_told_at_debug_alone_and_without_its_bytes(level, told):
    sent = record("Error handling request from %s", "192.0.2.1", error=BadStatusLine("planted"))
    root = logging.getLogger()
    before = root.level
    root.setLevel(level)
    try:
        assert shorten_bad_requests(sent) is told
    finally:
        root.setLevel(before)
    text = logging.Formatter("%(levelname)s %(message)s").format(sent)
    assert text == "DEBUG Error handling request from 192.0.2.1: BadStatusLine"


def test_our_own_mistakes_keep_their_traceback():
    mistake = record("Error handling request from %s", "192.0.2.1", error=KeyError("x"))
    assert shorten_bad_requests(mistake)
    assert mistake.exc_info is not None
