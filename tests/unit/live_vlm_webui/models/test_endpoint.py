from __future__ import annotations

import pytest

from live_vlm_webui.errors import ForbiddenError, InputError
from live_vlm_webui.models.endpoint import MOST_KEYS, Endpoint, Keyring, normalise
from live_vlm_webui.secret import Secret

KEY = Secret("sk-server")
OWN = Secret("sk-session")


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("http://127.0.0.1:11434", "http://127.0.0.1:11434/v1"),
        ("http://127.0.0.1:11434/", "http://127.0.0.1:11434/v1"),
        ("  http://127.0.0.1:11434/v1/ ", "http://127.0.0.1:11434/v1"),
        ("HTTP://LocalHost:8000/v1", "http://localhost:8000/v1"),
        ("https://api.openai.com:443/v1", "https://api.openai.com/v1"),
        ("http://box:80/v1", "http://box/v1"),
        ("https://box:80/v1", "https://box:80/v1"),
        ("http://[::1]:8080", "http://[::1]:8080/v1"),
        ("http://[0:0:0:0:0:0:0:1]:8080", "http://[::1]:8080/v1"),
        ("http://bücher.example/v1", "http://xn--bcher-kva.example/v1"),
        ("http://box/a/../v1", "http://box/v1"),
        ("http://box//llm//", "http://box/llm/v1"),
        ("http://box:8000/v1/chat/completions", "http://box:8000/v1"),
        ("http://box:8000/v1/models/", "http://box:8000/v1"),
        ("https://openrouter.ai/api/v1", "https://openrouter.ai/api/v1"),
        (
            "https://generativelanguage.googleapis.com/v1beta/openai",
            "https://generativelanguage.googleapis.com/v1beta/openai",
        ),
    ],
)
def test_an_address_has_one_form(given, normal):
    assert normalise(given) == normal
    assert normalise(normal) == normal


@pytest.mark.parametrize(
    "given",
    [
        "",
        "localhost:8000",
        "//box/v1",
        "file:///etc/passwd",
        "ftp://box/v1",
        "gopher://box/v1",
        "unix:///run/docker.sock",
        "http://",
        "http:///v1",
        "http://:8000/v1",
        "http://user:SECRET@box/v1",
        "http://SECRET@box/v1",
        "http://box/v1?key=SECRET",
        "http://box/v1#SECRET",
        "http://2852039166/v1",
        "http://169.254.43518/v1",
        "http://0251.0376.0251.0376/v1",
        "http://0xA9FEA9FE/v1",
        "http://127.1/v1",
        "http://box:0/v1",
        "http://box:65536/v1",
        "http://box:SECRET/v1",
        "http://box/v1\r\nX-Injected: 1",
        "http://box/v1 SECRET",
        "http://box\\@evil.example/v1",
        "http://[fe80::1%25eth0]/v1",
        "http://[::1/v1",
        "http://a..b%00/v1",
        "http://" + "a" * 300 + "/v1",
        "http://box/" + "a" * 3000,
    ],
)
def test_what_is_no_address_of_an_api_is_refused_and_not_repeated(given):
    with pytest.raises(InputError) as caught:
        normalise(given)
    assert "SECRET" not in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "169.254.169.254.",
        "[::ffff:169.254.169.254]",
        "[::a9fe:a9fe]",
        "[64:ff9b::a9fe:a9fe]",
        "[fd00:ec2::254]",
        "100.100.100.200",
        "metadata.google.internal",
        "METADATA.google.internal.",
    ],
)
def test_the_addresses_at_which_clouds_hand_out_credentials_are_never_asked(host):
    with pytest.raises(ForbiddenError, match="credentials"):
        Endpoint(f"http://{host}/latest/meta-data")


def test_an_endpoint_is_the_same_however_its_address_was_written():
    assert Endpoint("http://LOCALHOST:80") == Endpoint("http://localhost/v1/")


def test_routes_are_below_the_address_or_next_to_its_version():
    endpoint = Endpoint("http://box:11434/llm/v1")
    assert str(endpoint.url("/models")) == "http://box:11434/llm/v1/models"
    assert str(endpoint.native_url("/api/show")) == "http://box:11434/llm/api/show"


@pytest.mark.parametrize(
    ("api_base", "local"),
    [("http://localhost", True), ("http://127.8.8.8", True), ("http://[::1]", True), ("http://10.0.0.1", False)],
)
def test_this_machine_is_known_by_all_its_names(api_base, local):
    assert Endpoint(api_base).is_local is local


def test_a_key_shows_itself_in_the_header_alone():
    endpoint = Endpoint("http://box", KEY)
    assert endpoint.headers == {"Authorization": "Bearer sk-server"}
    assert "sk-server" not in repr(endpoint)
    assert Endpoint("http://box").headers == {}


@pytest.mark.parametrize("key", ["", "two words", "line\nend", "schlüssel", "\x7f", "x" * 5000])
def test_a_key_that_cannot_be_sent_is_refused_and_not_repeated(key):
    with pytest.raises(InputError) as caught:
        Endpoint("http://box", Secret(key))
    assert not key or key not in str(caught.value)


@pytest.mark.parametrize(
    "foreign",
    [
        "https://evil.example/v1",
        "http://api.example/v1",  # not encrypted
        "https://api.example:8443/v1",
        "https://api.example/v2",
        "https://api.example/tenant/v1",
        "https://api.example.evil.example/v1",
        "https://api.example./v1",
        "https://127.0.0.1/v1",
    ],
)
def test_a_key_is_not_on_the_ring_for_another_address(foreign):
    ring = Keyring()
    ring.give("https://api.example/v1", KEY)
    assert ring.endpoint(foreign).key is None
    assert Keyring(ring).endpoint(foreign).key is None


def test_the_servers_key_opens_its_own_endpoint_for_sessions_too():
    ring = Keyring()
    ring.give("https://API.example:443", KEY)
    assert Keyring(ring).endpoint("https://api.example/v1/").key == KEY


def test_a_sessions_key_is_its_own():
    server = Keyring()
    server.give("http://a", KEY)
    one, other = Keyring(server), Keyring(server)
    one.give("http://a", OWN)
    one.give("http://b", OWN)
    assert (one.endpoint("http://a").key, one.endpoint("http://b").key) == (OWN, OWN)
    assert (other.endpoint("http://a").key, other.endpoint("http://b").key) == (KEY, None)
    assert server.endpoint("http://b").key is None


def test_a_key_can_be_taken_away():
    ring = Keyring()
    ring.give("http://a", KEY)
    ring.give("http://a", None)
    assert ring.endpoint("http://a").key is None


def test_a_ring_holds_a_limited_number_of_keys():
    ring = Keyring()
    for number in range(MOST_KEYS + 1):
        ring.give(f"http://box{number}", KEY)
    assert ring.endpoint("http://box0").key is None
    assert ring.endpoint("http://box1").key == KEY
    assert ring.endpoint(f"http://box{MOST_KEYS}").key == KEY
