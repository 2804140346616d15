from __future__ import annotations

from pathlib import Path

import pytest

from live_vlm_webui.doctor.redaction import Redactor, secrets_in, shown_address, shown_environment
from live_vlm_webui.secret import Secret


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://127.0.0.1:11434/v1", "http://127.0.0.1:11434/v1"),
        ("https://api.example/v1/", "https://api.example/v1/"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1"),
        ("https://user:planted@api.example/v1", "https://***@api.example/v1"),
        ("https://planted@api.example/v1", "https://***@api.example/v1"),
        ("https://api.example/v1?api-key=planted", "https://api.example/v1?***"),
        ("https://api.example/v1#planted", "https://api.example/v1?***"),
        ("https://api.example/planted-key-0123456789abcdef/v1", "https://api.example/***/v1"),
        ("https://api.example/planted%20key/v1", "https://api.example/***/v1"),
        ("planted", "not an address"),
        ("planted://planted@planted", "not an address"),
        ("http://[planted", "not an address"),
        ("http://host:planted/v1", "not an address"),
    ],
)
def test_an_address_is_shown_without_what_may_be_a_key(address, shown):
    assert shown_address(address) == shown


def test_the_environment_is_shown_by_name_and_only_what_is_no_secret_by_value():
    environ = {
        "LIVE_VLM_API_BASE": "https://planted@api.example/v1",
        "LIVE_VLM_API_KEY": "planted",
        "LIVE_VLM_TOKEN": "@/run/secrets/planted",
        "LIVE_VLM_APIKEY": "planted",
        "LIVE_VLM_DEFAULT_MODEL": "a-model",
        "LIVE_VLM_PROCESS_EVERY": "",
        "LIVE_VLM_NOTHING": "",
        "https_proxy": "http://user:planted@proxy",
        "OPENAI_API_KEY": "planted",
        "PATH": "/bin",
    }
    assert shown_environment(environ) == {
        "LIVE_VLM_API_BASE": "https://***@api.example/v1",
        "LIVE_VLM_API_KEY": "set",
        "LIVE_VLM_APIKEY": "set",
        "LIVE_VLM_DEFAULT_MODEL": "a-model",
        "LIVE_VLM_NOTHING": "empty",
        "LIVE_VLM_PROCESS_EVERY": "",
        "LIVE_VLM_TOKEN": "from a file",
        "https_proxy": "set",
    }


def test_secrets_are_found_in_the_environment_in_files_and_in_addresses(tmp_path: Path):
    (tmp_path / "key").write_text("planted-key\n")
    (tmp_path / "token").write_text("planted-kept-token\n")
    environ = {
        "LIVE_VLM_TOKEN": "planted-token",
        "LIVE_VLM_API_KEY": f"@{tmp_path}/key",
        "LIVE_VLM_API_BASE": "https://user:planted-word@host/v1",
        "https_proxy": "http://me:planted-proxy@proxy:3128/",
        "LIVE_VLM_DEFAULT_MODEL": "a-model",
    }
    found = {secret.reveal() for secret in secrets_in(environ, [tmp_path / "token", tmp_path / "gone"])}
    assert found == {
        "planted-token",
        "planted-key",
        "planted-kept-token",
        "planted-word",
        "user:planted-word",
        "planted-proxy",
        "me:planted-proxy",
    }


def test_secrets_are_taken_out_of_whatever_they_are_part_of():
    redactor = Redactor([Secret("planted"), Secret("planted-long")], Path("/home/u"))
    found = {
        "planted": ["x planted-long y", ("planted",), {"a": "/home/u/planted"}],
        "numbers": [1, 2.5, True, None],
    }
    assert redactor.clean(found) == {
        "***": ["x *** y", ["***"], {"a": "~/***"}],
        "numbers": [1, 2.5, True, None],
    }


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/home/ann", "~"),
        ("in /home/ann.", "in ~."),
        ("/home/ann/a:/home/ann/b", "~/a:~/b"),
        ("/home/anna/a", "/home/anna/a"),
        ("/home/ann-old/a", "/home/ann-old/a"),
        ("/home/ann.old/a", "/home/ann.old/a"),
    ],
)
def test_the_home_directory_is_shortened_and_not_one_whose_name_begins_like_it(text, shown):
    assert Redactor([], Path("/home/ann")).clean(text) == shown


@pytest.mark.parametrize("home", [None, Path("/")])
def test_without_a_home_directory_paths_stay_as_they_are(home):
    assert Redactor([], home).clean("/usr/share") == "/usr/share"


def test_a_secret_in_a_home_directory_that_there_is_not_is_none():
    assert secrets_in({"LIVE_VLM_TOKEN": "@~nobody-there/token"}, []) == []
