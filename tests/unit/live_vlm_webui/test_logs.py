from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from aiohttp.http_exceptions import BadStatusLine
from aiohttp.test_utils import make_mocked_request

from live_vlm_webui.config.settings import Settings
from live_vlm_webui.logs import (
    FORMAT,
    MOST_GIVEN,
    RedactingFormatter,
    hide,
    shorten_bad_requests,
    shown_id,
    shown_path,
)
from live_vlm_webui.models.endpoint import Keyring
from live_vlm_webui.secret import Secret
from live_vlm_webui.security.login import Login


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


@pytest.fixture
def formatter() -> Iterator[RedactingFormatter]:
    handler = logging.NullHandler()
    handler.setFormatter(formatter := RedactingFormatter("%(message)s", [Secret("planted-token")]))
    logging.getLogger().addHandler(handler)
    yield formatter
    logging.getLogger().removeHandler(handler)


def test_the_kept_token_and_the_keys_that_sessions_give_are_taken_out_too(formatter, tmp_path):
    token = Login(Settings(data_dir=tmp_path, host="0.0.0.0")).token.reveal()
    Keyring().give("http://127.0.0.1:11434/v1", Secret("sk-of-a-session"))
    assert formatter.format(record("%s, %s, planted-token", token, "sk-of-a-session")) == "***, ***, ***"


def test_of_two_secrets_one_in_the_other_nothing_is_left(formatter):
    for value in ("sk-of-a-session", "sk-of-a-session-and-more"):
        hide(Secret(value))
    assert formatter.format(record("sk-of-a-session-and-more")) == "***"


def test_given_keys_are_bounded_and_push_out_none_of_the_servers_own(formatter):
    hide(Secret("kept-token"), for_good=True)
    for number in range(MOST_GIVEN + 1):
        hide(Secret(f"sk-of-session-{number:04}"))
    told = formatter.format(record("planted-token kept-token sk-of-session-0001 sk-of-session-0000"))
    assert told == "*** *** *** sk-of-session-0000"


def test_a_session_cannot_blot_out_ordinary_words(formatter):
    hide(Secret("Traceback"))
    assert formatter.format(record("Traceback")) == "Traceback"


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/api/sessions/abcdefghijkl?token=x", "/api/sessions/abcdef..."),
        ("/api/sessions/abcdefghijkl/picture", "/api/sessions/abcdef.../picture"),
        ("/api/sessions/abcdefghijkl/answers/12/picture", "/api/sessions/abcdef.../answers/12/picture"),
        ("/api/sessions", "/api/sessions"),
        ("/static/app.js?x=y", "/static/app.js"),
    ],
)
def test_a_path_is_shown_without_the_query_and_the_sessions_whole_id(path, shown):
    assert shown_path(make_mocked_request("GET", path)) == shown


def test_a_session_is_shown_by_the_beginning_of_its_id():
    assert shown_id("abcdefghijkl") == "abcdef..."


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
