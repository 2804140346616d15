"""What programs get of this process's environment, and what is hidden wherever it is shown."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from releaser.adapters import environment
from releaser.secret import Redactor, Secret

Having = Callable[..., dict[str, str]]
VALUE = "qX7-remote+S3cret/Zz"


@pytest.fixture
def having(monkeypatch: pytest.MonkeyPatch) -> Iterator[Having]:
    """`having(NAME="value")`: what a program gets where these are all the variables that there are."""

    def having(**variables: str) -> dict[str, str]:
        monkeypatch.setattr(os, "environ", variables)
        return environment.for_program()

    yield having
    environment.configure((), ())


@pytest.mark.parametrize(
    "name",
    [
        *("TESTPYPI_TOKEN", "PYPI_TOKEN", "GITHUB_TOKEN", "GH_TOKEN", "GH_ENTERPRISE_TOKEN", "PYPI", "PYPI_USER"),
        *("TWINE_PASSWORD", "TWINE_USERNAME", "UV_PUBLISH_TOKEN", "UV_PUBLISH_URL", "UV_INDEX_OWN_PASSWORD"),
        *("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_RUNTIME_TOKEN", "CI_JOB_JWT"),
        *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_WEB_IDENTITY_TOKEN_FILE"),
        *("NPM_TOKEN", "NODE_AUTH_TOKEN", "NPM_CONFIG__AUTH", "npm_config__authToken", "HATCH_INDEX_AUTH"),
        *("DOCKER_PASSWORD", "DOCKER_AUTH_CONFIG", "REGISTRY_PASS", "GOOGLE_APPLICATION_CREDENTIALS", "GITLAB_PAT"),
        *("OPENAI_API_KEY", "OPENAI_KEY", "SSH_PRIVATE_KEY", "GPG_PASSPHRASE", "PGPASSWORD", "MYSQL_PWD", "SSHPASS"),
        *("TOKEN", "some_token", "SECRET", "SECRET_KEY", "POETRY_PYPI_TOKEN_PYPI", "SERVICE_TOKENS"),
    ],
)
def test_a_variable_that_is_named_like_a_credential_is_not_passed(having: Having, name: str) -> None:
    assert having(**{name: VALUE, "OTHER": "yes"}) == {"OTHER": "yes"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("PATH", "/usr/bin:/bin"), ("PWD", "/home/me"), ("OLDPWD", "/"), ("HOME", "/home/me"), ("LANG", "C.UTF-8")),
        *(("SSH_AUTH_SOCK", "/run/agent"), ("GIT_ASKPASS", "/usr/bin/ask"), ("SSH_ASKPASS", "/usr/bin/ask")),
        *(("GNUPGHOME", "/home/me/keys"), ("XAUTHORITY", "/home/me/.Xauthority"), ("GIT_AUTHOR_NAME", "Me")),
        *(("DOCKER_CONFIG", "/home/me/docker"), ("DOCKER_HOST", "ssh://me@builder.invalid"), ("AWS_PROFILE", "work")),
        *(
            ("PIP_INDEX_URL", "https://index.invalid/simple"),
            ("UV_INDEX_OWN_USERNAME", "me"),
            ("NO_PROXY", "localhost"),
        ),
        *(("GIT_CONFIG_KEY_0", "user.name"), ("GIT_CONFIG_VALUE_0", "Me"), ("KEYMAP", "de"), ("MONKEY", "1")),
        *(("MAX_TOKENS", "100"), ("TOKENIZERS_PARALLELISM", "false"), ("KRB5CCNAME", "FILE:/tmp/x"), ("CI", "true")),
        *(("REMOTE", "git@git.invalid:me/project"), ("MAIL", "me@mail.invalid"), ("SUM", "sha256:" + "a1" * 32)),
    ],
)
def test_other_variables_are_passed_as_they_are(having: Having, name: str, value: str) -> None:
    assert having(**{name: value}) == {name: value}


@pytest.mark.parametrize("value", ["ghp_" + "a1B2" * 9, "login pypi-" + "AgEI" * 9, "Authorization: Bearer abcdef"])
def test_a_value_that_looks_like_a_credential_is_not_passed_whatever_its_name(having: Having, value: str) -> None:
    assert having(INNOCENT=value) == {}


@pytest.mark.parametrize(
    ("name", "value", "passed"),
    [
        ("PIP_INDEX_URL", "https://me:pa%2Fss@index.invalid/simple", "https://index.invalid/simple"),
        ("PIP_INDEX_URL", "https://a-token@index.invalid/simple", "https://index.invalid/simple"),
        (
            "PIP_EXTRA_INDEX_URL",
            "https://a.invalid/s https://m:p@b.invalid/s",
            "https://a.invalid/s https://b.invalid/s",
        ),
        ("HTTPS_PROXY", "http://me:p@ss@proxy.invalid:3128", "http://proxy.invalid:3128"),
        ("http_proxy", "me:pass@proxy.invalid:3128", "proxy.invalid:3128"),
        ("DATABASE_URL", "postgres://me:pass@db.invalid/x", "postgres://db.invalid/x"),
        ("CACHE", "redis://:pass@cache.invalid", "redis://cache.invalid"),
        ("GIT_CONFIG_KEY_0", "url.https://x:pass@git.invalid/.insteadOf", "url.https://git.invalid/.insteadOf"),
    ],
)
def test_an_address_is_passed_without_the_password_in_it(having: Having, name: str, value: str, passed: str) -> None:
    assert having(**{name: value}) == {name: passed}
    assert environment.without_passwords() == [name]


def test_git_is_left_with_as_many_values_as_it_is_told_of(having: Having) -> None:
    count = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "http.extraHeader"}

    assert having(**count, GIT_CONFIG_VALUE_0="Authorization: basic abc") == {**count, "GIT_CONFIG_VALUE_0": ""}


def test_what_the_configuration_names_is_a_credential_whatever_it_is_called(having: Having) -> None:
    environment.configure(["SHIP_WITH"], [])

    assert having(SHIP_WITH="it", OTHER="yes") == {"OTHER": "yes"}


def test_what_the_project_passes_is_passed_as_it_is(having: Having) -> None:
    environment.configure(["PYPI_TOKEN"], ["GH_TOKEN", "PYPI_TOKEN", "HTTPS_PROXY"])
    variables = {"GH_TOKEN": VALUE, "PYPI_TOKEN": "it", "HTTPS_PROXY": "http://me:pass@proxy.invalid"}

    assert having(**variables, NPM_TOKEN=VALUE) == variables
    assert environment.without_passwords() == []


def test_a_call_hands_a_program_what_it_needs(having: Having) -> None:
    having(PYPI_TOKEN=VALUE, PYTHONPATH="/here")

    changes = {"TWINE_PASSWORD": Secret(VALUE), "PYTHONPATH": None, "NO_COLOR": "1"}
    given = environment.for_program(changes)

    assert (given["TWINE_PASSWORD"], given["NO_COLOR"]) == (VALUE, "1")
    assert given.keys().isdisjoint({"PYTHONPATH", "PYPI_TOKEN"})
    assert os.environ["PYTHONPATH"] == "/here"


def test_a_library_that_only_takes_overrides_gets_empty_values(having: Having) -> None:
    having(PYPI_TOKEN=VALUE, HTTPS_PROXY="http://me:pass@proxy.invalid", OTHER="yes")

    assert environment.overrides() == {"PYPI_TOKEN": "", "HTTPS_PROXY": "http://proxy.invalid"}


class TestHidden:
    @pytest.fixture
    def hide(self, having: Having) -> Callable[..., str]:
        """`hide("text", NAME="value")`: the text, redacted where there are these variables."""

        def hide(text: str, **variables: str) -> str:
            having(**variables)
            redact = Redactor()
            redact.learn(environment.secrets())
            return redact(text)

        return hide

    def test_the_values_of_credentials_are_hidden_whether_they_are_passed_or_not(
        self, hide: Callable[..., str]
    ) -> None:
        environment.configure(["SHIP_WITH"], ["GH_TOKEN"])

        assert hide(f"{VALUE}, sesame", GH_TOKEN=VALUE, SHIP_WITH="sesame") == "[hidden], [hidden]"

    def test_a_password_in_an_address_is_hidden_alone_too(self, hide: Callable[..., str]) -> None:
        assert (
            hide("refused: me, pass-4711", HTTPS_PROXY="http://me:pass-4711@proxy.invalid") == "refused: me, [hidden]"
        )

    @pytest.mark.parametrize("value", ["postgres", "changeme", "1234", "", "unsecured"])
    def test_a_password_that_is_a_word_hides_no_words(self, hide: Callable[..., str], value: str) -> None:
        assert hide(f"a {value} b", SOME_PASSWORD=value) == f"a {value} b"

    def test_the_name_of_a_file_with_a_secret_in_it_is_not_hidden(
        self, hide: Callable[..., str], tmp_path: Path
    ) -> None:
        assert hide(f"{tmp_path}/report.md", SECRETS_DIR=str(tmp_path)) == f"{tmp_path}/report.md"

    def test_settings_for_logging_in_that_are_no_secret_are_not_hidden(self, hide: Callable[..., str]) -> None:
        text = "https://index.invalid/legacy/ as __token__"

        assert hide(text, TWINE_USERNAME="__token__", TWINE_REPOSITORY_URL="https://index.invalid/legacy/") == text


def test_a_proxy_is_named_where_a_program_speaks_of_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    refused = "fatal: unable to access 'https://forge.invalid/': Failed to connect to proxy.invalid port 3128"

    assert environment.proxy_hint(refused) == ""
    monkeypatch.setenv("https_proxy", "http://proxy.invalid:3128")
    assert environment.proxy_hint(refused) == " Check the proxy in https_proxy, if that cannot be reached."
    assert environment.proxy_hint("error: 3 tests failed") == ""
