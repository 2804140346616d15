"""The HTTP base against loopback servers that play what services, proxies and networks do."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path

import pytest
from playing_server import OK, Noting, Part, PlayingServer, answer, drop, hold, trickle
from pydantic import BaseModel, TypeAdapter
from unhurried_clock import UnhurriedClock

from releaser.adapters.http import Http, Limits
from releaser.core.activity import Activity, bound
from releaser.errors import InterruptedRunError, ServiceError

SHORT = Limits(connect=1, read=0.3, whole=30)


class Thing(BaseModel):
    name: str


THING = TypeAdapter(Thing)


@pytest.fixture
def server() -> Iterator[PlayingServer]:
    playing = PlayingServer()
    with playing.running():
        yield playing


@pytest.fixture
def http() -> Iterator[Http]:
    client = Http("The service", "address in [tool.releaser]")
    yield client
    client.close()


@pytest.fixture
def clock() -> Iterator[UnhurriedClock]:
    moved = UnhurriedClock()
    with bound(Activity(clock=moved)):
        yield moved


# --- the rule for repeating -------------------------------------------------------------------------------------------


FAILURES = [answer(500), answer(502), answer(503), answer(504), drop, OK[:-1]]


@pytest.mark.parametrize(
    ("method", "failure"),
    [
        *((method, failure) for method in ("GET", "PUT", "DELETE") for failure in FAILURES),
        ("HEAD", answer(500)),
        ("HEAD", drop),
    ],
)
def test_an_idempotent_request_is_repeated(
    server: PlayingServer, http: Http, clock: UnhurriedClock, method, failure
) -> None:
    server.plays(failure, failure, OK)

    assert http.send(method, server.url, "show it").status_code == 200
    assert clock.waits == [0.5, 1]
    assert server.asked == [f"{method} /thing HTTP/1.1"] * 3


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize("failure", [answer(500), answer(503, "Retry-After: 1"), drop, OK[:-1]])
def test_another_request_is_not(server, http, clock, method, failure) -> None:
    server.plays(failure, OK)

    if isinstance(failure, bytes) and failure != OK[:-1]:
        assert http.send(method, server.url, "create it").status_code in (500, 503)
    else:
        with pytest.raises(ServiceError, match=r"^The service (closed|broke off) .* when asked to create it"):
            http.send(method, server.url, "create it")
    assert clock.waits == []
    assert len(server.asked) == 1


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "PUT"])
@pytest.mark.parametrize("status", [429, 403])
def test_a_rate_limit_is_waited_for_by_every_request(server, http, clock, method, status) -> None:
    server.plays(answer(status, "Retry-After: 7"), OK)

    assert http.send(method, server.url, "do it", data=b"the body").status_code == 200
    assert clock.waits == [7]
    assert server.bodies == [b"the body"] * 2


@pytest.mark.parametrize("status", [429, 503])
def test_a_date_may_say_when(server: PlayingServer, http: Http, clock: UnhurriedClock, status) -> None:
    server.plays(answer(status, f"Retry-After: {formatdate(time.time() + 40, usegmt=True)}"), OK)

    assert http.send("GET", server.url, "show it").status_code == 200
    assert 30 < clock.waits[0] <= 40


def test_a_date_that_has_passed_takes_no_wait(server, http, clock) -> None:
    server.plays(answer(429, f"Retry-After: {formatdate(time.time() - 40, usegmt=True)}"), OK)

    assert http.send("GET", server.url, "show it").status_code == 200
    assert clock.waits == [0]


def test_githubs_primary_limit_names_the_second_of_its_reset(
    server: PlayingServer, http: Http, clock: UnhurriedClock
) -> None:
    reset = int(time.time()) + 40
    server.plays(answer(403, "X-RateLimit-Remaining: 0", f"X-RateLimit-Reset: {reset}"), OK)

    assert http.send("POST", server.url, "create it").status_code == 200
    assert 30 < clock.waits[0] <= 41


def test_githubs_secondary_limit_is_waited_for_a_minute(
    server: PlayingServer, http: Http, clock: UnhurriedClock
) -> None:
    server.plays(answer(403, body=b'{"message": "You have exceeded a secondary rate limit."}'), OK)

    assert http.send("POST", server.url, "create it").status_code == 200
    assert clock.waits == [60]


@pytest.mark.parametrize("unreadable", ["soon", "-5", "1e9999", "99999-12-31"])
def test_a_limit_that_names_no_time_is_waited_for_longer_and_longer(server, http, clock, unreadable) -> None:
    limit = answer(429, f"Retry-After: {unreadable}")
    server.plays(limit, limit, OK)

    assert http.send("GET", server.url, "show it").status_code == 200
    assert clock.waits == [2, 4]


def test_a_403_without_a_reason_is_asked_about_once_more(server, http, clock) -> None:
    server.plays(answer(403), OK)

    assert http.send("GET", server.url, "show it").status_code == 200
    assert clock.waits == [0.5]


def test_a_403_that_stays_is_an_answer(server, http, clock) -> None:
    server.plays(answer(403), answer(403), OK)

    assert http.send("GET", server.url, "show it").status_code == 403
    assert clock.waits == [0.5]


def test_a_403_is_no_reason_to_change_something_twice(server, http, clock) -> None:
    server.plays(answer(403), OK)

    assert http.send("POST", server.url, "create it").status_code == 403
    assert clock.waits == []


@pytest.mark.parametrize("status", [400, 401, 404, 409, 422])
def test_a_refusal_is_not_repeated(server: PlayingServer, http: Http, clock: UnhurriedClock, status) -> None:
    server.plays(answer(status), OK)

    assert http.send("GET", server.url, "show it").status_code == status
    assert clock.waits == []


def test_what_keeps_failing_is_an_error_in_the_end(server, http, clock) -> None:
    server.plays(answer(502))

    response = http.send("GET", server.url, "show it")

    error = http.refusal(response, "show it")
    assert clock.waits == [0.5, 1, 2, 4, 8]
    assert str(error) == (
        "The service failed to show it (HTTP 502): Told\nRerun the command. Completed steps are not repeated."
    )


def test_a_wait_that_is_too_long_is_left_to_a_person(server, http, clock) -> None:
    server.plays(answer(429, "Retry-After: 3000"))

    error = http.refusal(http.send("GET", server.url, "show it"), "show it")

    assert clock.waits == []
    assert error.message == "The service limits requests and refused to show it (HTTP 429): Told"
    assert error.remedy.startswith("Rerun the command in 3000 s, at ")


def test_the_waits_of_a_request_are_bounded_together(server, http, clock) -> None:
    server.plays(answer(429, "Retry-After: 120"))

    assert http.send("GET", server.url, "show it").status_code == 429
    assert clock.waits == [120, 120]


def test_the_display_is_told_of_each_wait(server: PlayingServer, http: Http) -> None:
    told: list[str] = []
    server.plays(answer(429, "Retry-After: 7"), answer(502), drop, OK)

    with bound(Activity(told.append, clock=UnhurriedClock())):
        http.send("GET", server.url, "show it")

    assert told == [
        "The service limits requests (HTTP 429); retrying in 7 s",
        "The service failed (HTTP 502); retrying in 1 s",
        "The service broke off; retrying in 2 s",
    ]


def test_a_stop_ends_the_wait(server: PlayingServer, http: Http) -> None:
    server.plays(answer(429, "Retry-After: 250"))
    activity = Activity()
    waiting = threading.Event()
    stopping = threading.Thread(target=lambda: (waiting.wait(60), activity.cancelled.set()))
    stopping.start()

    begun = time.monotonic()
    with bound(Activity(lambda _: waiting.set(), activity.cancelled)), pytest.raises(InterruptedRunError):
        http.send("GET", server.url, "show it")

    stopping.join()
    assert time.monotonic() - begun < 200


# --- time limits ------------------------------------------------------------------------------------------------------


def test_a_server_that_accepts_and_never_responds_is_asked_twice(
    server: PlayingServer, http: Http, clock: UnhurriedClock
) -> None:
    server.plays(hold)

    with pytest.raises(ServiceError, match="The service did not respond in time when asked to show it") as caught:
        http.send("GET", server.url, "show it", limits=SHORT)

    assert "address in [tool.releaser]" in caught.value.remedy
    assert clock.waits == [0.5]


def test_a_server_that_sends_a_byte_now_and_then_is_not_listened_to_for_ever(server, http, clock) -> None:
    server.plays(trickle)

    with pytest.raises(ServiceError, match="The service did not respond in time"):
        http.send("GET", server.url, "show it", limits=Limits(connect=1, read=5, whole=0.5))


@pytest.mark.parametrize("part", [hold, trickle])
def test_a_stop_ends_a_request(server: PlayingServer, http: Http, part: Part) -> None:
    activity = Activity()

    def stop(connection: socket.socket) -> None:
        activity.cancelled.set()
        part(connection)

    server.plays(stop)
    begun = time.monotonic()
    with bound(activity), pytest.raises(InterruptedRunError):
        http.send("GET", server.url, "show it", limits=Limits(connect=600, read=600, whole=600))
    assert time.monotonic() - begun < 60


# --- what is no response ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (drop, "The service closed the connection when asked to show it"),
        (lambda _: None, "The service closed the connection when asked to show it"),
        (OK[:-1], "The service broke off its response when asked to show it"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{", "The service broke off its response"),
        (b"\x00\x01 what\r\n\r\n", "The service sent something that is not HTTP"),
    ],
)
def test_what_is_no_response_is_an_error_with_a_remedy(server, http, clock, part, said) -> None:
    server.plays(part)

    with pytest.raises(ServiceError) as caught:
        http.send("GET", server.url, "show it")

    assert caught.value.message.startswith(said)
    assert caught.value.remedy == (
        "Check the network and address in [tool.releaser], then rerun the command. Completed steps are not repeated."
    )


def test_a_port_where_nothing_listens_is_named(http: Http, clock: UnhurriedClock, unused_tcp_port: int) -> None:
    with pytest.raises(ServiceError, match=r"^The service refused the connection when asked to create it"):
        http.send("POST", f"http://127.0.0.1:{unused_tcp_port}/", "create it")

    assert clock.waits == [0.5, 1]  # nothing was sent, so a POST is repeated as well


def test_a_name_without_an_address_is_told(http: Http, clock: UnhurriedClock) -> None:
    with pytest.raises(ServiceError, match=r"^The service was not found \(its host name has no address\)"):
        http.send("GET", "http://no-such-host.invalid/", "show it")


@pytest.mark.parametrize("url", ["http://[::1/", "foo://x/", "http:///x", "nothing", "http://a b/"])
def test_an_address_that_is_none_is_an_error_with_a_remedy(http: Http, clock: UnhurriedClock, url: str) -> None:
    with pytest.raises(ServiceError) as caught:
        http.send("GET", url, "show it")

    assert "address in [tool.releaser]" in caught.value.remedy


def test_tls_that_is_none_is_final(server, http, clock) -> None:
    server.plays(b"\x00\x01 what\r\n\r\n")
    server.hasty = True

    with pytest.raises(ServiceError, match=r"^No trusted TLS connection to The service") as caught:
        http.send("GET", server.url.replace("http:", "https:"), "show it")

    assert "REQUESTS_CA_BUNDLE" in caught.value.remedy


# --- documents --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        (b"<html>Please log in</html>", "text/html", "HTML instead of JSON"),
        (b"<!doctype html>", "application/json", "HTML instead of JSON"),
        (b"", "application/json", "nothing instead of JSON"),
        (b"Service Unavailable", "text/plain; charset=utf-8", "text/plain instead of JSON"),
        (b'{"name": "ab', "application/json", "broken or cut off JSON"),
        (b"[]", "application/json", "JSON of an unexpected form (the whole: "),
        (b'{"nom": "ab"}', "application/json", "JSON of an unexpected form (name: Field required)"),
        (b'{"name": 3}', "application/json", "JSON of an unexpected form (name: Input should be a valid string)"),
        pytest.param(b"[" * 100_000, "application/json", "broken or cut off JSON", id="nested deeply"),
        (b'{"name": "\xff"}', "application/json", "broken or cut off JSON"),
    ],
)
def test_a_document_of_another_form_is_an_error_with_a_remedy(server, http, body, kind, said) -> None:
    server.plays(answer(200, f"Content-Type: {kind}", body=body))
    response = http.send("GET", server.url, "show it")

    with pytest.raises(ServiceError) as caught:
        http.document(response, THING, "show it")

    assert caught.value.message.startswith(f"The service sent {said}")
    assert caught.value.message.endswith("when asked to show it")
    assert caught.value.remedy.startswith("Check address in [tool.releaser], and whether a proxy or a login page")


def test_a_document_is_read(server: PlayingServer, http: Http) -> None:
    server.plays(answer(200, body=b'{"name": "ab", "more": 1}'))

    assert http.document(http.send("GET", server.url, "show it"), THING, "show it") == Thing(name="ab")


# --- files ------------------------------------------------------------------------------------------------------------


def test_a_file_that_breaks_off_is_fetched_again_from_its_beginning(server, http, clock, tmp_path: Path) -> None:
    whole = answer(200, body=b"x" * 100_000)
    server.plays(whole[:-50_000], drop, whole)

    arrived = http.download(server.url, tmp_path / "file", "send it")

    assert arrived.size == 100_000
    assert (tmp_path / "file").read_bytes() == b"x" * 100_000
    assert len(clock.waits) == 2


def test_a_file_that_keeps_breaking_off_is_an_error(server, http, clock, tmp_path: Path) -> None:
    server.plays(answer(200, body=b"x" * 100_000)[:-1])

    with pytest.raises(ServiceError, match=r"^The service broke off its response when asked to send it") as caught:
        http.download(server.url, tmp_path / "file", "send it")

    assert "rerun the command" in caught.value.remedy
    assert len(server.asked) == 6


def test_a_stop_ends_a_download(server: PlayingServer, http: Http, tmp_path: Path) -> None:
    activity = Activity()

    def stop(connection: socket.socket) -> None:
        activity.cancelled.set()
        trickle(connection)

    server.plays(stop)
    with bound(activity), pytest.raises(InterruptedRunError):
        http.download(server.url, tmp_path / "file", "send it")


def test_a_file_that_is_refused_is_the_callers_error(server: PlayingServer, http: Http, tmp_path: Path) -> None:
    server.plays(answer(404))

    with pytest.raises(ServiceError, match="not there: 404"):
        http.download(
            server.url, tmp_path / "file", "send it", refusal=lambda it: ServiceError(f"not there: {it.status_code}")
        )


def test_a_redirect_is_followed_without_the_headers_of_the_first_address(server, http, tmp_path: Path) -> None:
    heads: list[bytes] = []
    server.plays(answer(302, "Location: /elsewhere"), answer(200, body=b"file"))
    read = server.attend
    server.attend = lambda connection, part: read(Noting(connection, heads), part)

    http.download(server.url, tmp_path / "file", "send it", headers={"Authorization": "Bearer secret"})

    assert [b"secret" in head for head in heads] == [True, False]


# --- the environment --------------------------------------------------------------------------------------------------


def test_no_proxy_leads_to_this_machine(server: PlayingServer, http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    server.plays(OK)

    assert http.send("GET", server.url, "show it").status_code == 200


def test_elsewhere_a_proxy_is_used_and_named(
    http: Http, server: PlayingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.port}")
    server.plays(OK)
    assert http.send("GET", "http://service.invalid/thing", "show it").status_code == 200
    assert server.asked == ["GET http://service.invalid/thing HTTP/1.1"]

    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with (
        bound(Activity(clock=UnhurriedClock())),
        pytest.raises(ServiceError, match=r"^The proxy between here and The service refused the connection") as caught,
    ):
        http.send("GET", "http://service.invalid/thing", "show it")
    assert "the proxy in http_proxy" in caught.value.remedy


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_ca_bundle_that_is_not_there_is_named(server, monkeypatch, tmp_path: Path, variable: str) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, str(tmp_path / "gone.pem"))

    with pytest.raises(ServiceError, match=r"gone\.pem") as caught:
        Http("The service", "address").send("GET", server.url.replace("http:", "https:"), "show it")

    assert variable in caught.value.remedy


def test_a_password_in_netrc_is_for_those_who_ask_for_it(server, monkeypatch, tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    heads: list[bytes] = []
    read = server.attend
    server.attend = lambda connection, part: read(Noting(connection, heads), part)
    server.plays(answer(200))

    Http("The service", "address").send("GET", server.url, "show it")
    Http("The service", "address", netrc=True).send("GET", server.url, "show it")

    assert [b"Authorization: Basic" in head for head in heads] == [False, True]


@pytest.mark.parametrize("entry", ["default login me password secret", "machine localhost login me password secret"])
def test_a_redirect_is_followed_without_a_password_that_netrc_has_for_another_host(
    server, monkeypatch, tmp_path: Path, entry: str
) -> None:
    (tmp_path / "netrc").write_text(f"{entry}\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    heads: list[bytes] = []
    read = server.attend
    server.attend = lambda connection, part: read(Noting(connection, heads), part)
    elsewhere = server.url.replace("127.0.0.1", "localhost")
    server.plays(answer(302, f"Location: {elsewhere}"), answer(200))

    Http("The service", "address").send("GET", server.url, "show it", headers={"Authorization": "Bearer own"})

    assert [line for head in heads for line in head.split(b"\r\n") if b"uthorization" in line] == [
        b"Authorization: Bearer own"
    ]


def test_what_netrc_has_for_any_host_goes_to_none(server, monkeypatch, tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text("default login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    heads: list[bytes] = []
    read = server.attend
    server.attend = lambda connection, part: read(Noting(connection, heads), part)
    server.plays(answer(200))

    Http("The service", "address", netrc=True).send("GET", server.url, "show it")

    assert b"Authorization" not in heads[0]
