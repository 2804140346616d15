"""Which settings of pip and uv are obeyed, and what is said of the rest."""

from __future__ import annotations

import configparser
import os
import re
import sys
from pathlib import Path

import pytest

from releaser.adapters.installers import settings
from releaser.errors import UsageError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FILE = """\
[global]
index-url = https://me:hunter2hunter2@index.example/50%/simple
timeout = 7
user = true
extra-index-url = https://more.example/simple
    https://even-more.example/simple

[install]
target = /somewhere
uploaded-prior-to = P3D
"""


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A user with one configuration file, and without variables."""
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_", "XDG_"))]:
        monkeypatch.delenv(name)
    (tmp_path / "own.conf").write_text(FILE)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "own.conf"))
    return monkeypatch


def test_the_files_say_how_to_reach_an_index_and_nothing_else(tmp_path: Path) -> None:
    changes = settings.to_reach_an_index(tmp_path / "new")

    path = Path(str(changes["PIP_CONFIG_FILE"]))
    parser = configparser.RawConfigParser()
    parser.read(path)
    assert parser["global"]["index-url"] == "https://me:hunter2hunter2@index.example/50%/simple"
    assert parser["global"]["timeout"] == "7"
    assert {parser[where][what] for where, what in (("global", "user"), ("install", "target"))} == {""}
    assert parser["global"]["extra-index-url"] == ""
    assert path.stat().st_mode & 0o077 == 0
    assert not any("hunter2" in str(value) for value in changes.values())


def test_variables_that_do_not_lead_to_an_index_are_dropped(own: pytest.MonkeyPatch, tmp_path: Path) -> None:
    dropped = ("PIP_USER", "PIP_TARGET", "PIP_UPLOADED_PRIOR_TO", "UV_EXCLUDE_NEWER", "UV_FIND_LINKS", "VIRTUALENV_PIP")
    kept = ("PIP_INDEX_URL", "PIP_PROXY", "PIP_CERT", "PIP_DEFAULT_TIMEOUT", "UV_SYSTEM_CERTS", "UV_CACHE_DIR")
    for name in (*dropped, *kept):
        own.setenv(name, "a value")
    own.delenv("SSL_CERT_FILE", raising=False)

    changes = settings.to_reach_an_index(tmp_path)

    assert [name for name in dropped if changes.get(name, "kept") is not None] == []
    assert [name for name in kept if name in changes] == []
    assert changes["SSL_CERT_FILE"] == "a value"
    assert settings.ignored()[: len(dropped) - 1] == sorted(dropped[:-1])


def test_an_index_that_is_given_is_the_only_one(own: pytest.MonkeyPatch, tmp_path: Path) -> None:
    own.setenv("PIP_INDEX_URL", "https://mirror.example/simple")
    own.setenv("UV_INDEX_URL", "https://mirror.example/simple")

    changes = settings.to_reach_an_index(tmp_path, "https://index.example/simple/")

    assert changes["PIP_INDEX_URL"] == changes["UV_DEFAULT_INDEX"] == "https://index.example/simple/"
    assert changes["UV_INDEX_URL"] is None
    assert settings.index_url() == "https://mirror.example/simple"


def test_uv_takes_the_index_of_pips_settings_from_a_file_unless_it_has_its_own(
    own: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "uv.toml"
    assert settings.for_uv(tmp_path) == {"UV_CONFIG_FILE": str(file), "UV_NO_CONFIG": None}
    assert file.stat().st_mode & 0o777 == 0o600
    (index,) = tomllib.loads(file.read_text("utf-8"))["index"]
    assert index == {"url": "https://me:hunter2hunter2@index.example/50%/simple", "default": True}
    own.setenv("UV_DEFAULT_INDEX", "https://uv.example/simple")
    assert settings.for_uv(tmp_path) == {}


def test_uv_is_not_used_where_pips_settings_say_more_than_it_can_be_told(
    own: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own.setenv("PIP_TRUSTED_HOST", "index.example")
    assert settings.for_uv(tmp_path) is None


def test_a_session_of_the_project_keeps_all_but_what_would_install_elsewhere(
    own: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own.setenv("PIP_PREFIX", "/elsewhere")
    own.setenv("PIP_CONSTRAINT", "/constraints.txt")

    changes = settings.to_install_in_place(tmp_path)

    parser = configparser.RawConfigParser()
    parser.read(str(changes["PIP_CONFIG_FILE"]))
    assert parser["global"]["extra-index-url"].split() == [
        "https://more.example/simple",
        "https://even-more.example/simple",
    ]
    assert parser["global"]["user"] == parser["install"]["target"] == ""
    assert changes["PIP_PREFIX"] is None
    assert "PIP_CONSTRAINT" not in changes


def test_what_is_not_obeyed_is_listed_as_the_user_knows_it(own: pytest.MonkeyPatch, tmp_path: Path) -> None:
    own.setenv("PIP_UPLOADED_PRIOR_TO", "P3D")
    own.setenv("PIP_NO_INPUT", "1")
    (tmp_path / ".config" / "uv").mkdir(parents=True)
    (tmp_path / ".config" / "uv" / "uv.toml").write_text('exclude-newer = "3 days"\n')

    found = settings.ignored()

    assert found[0] == "PIP_UPLOADED_PRIOR_TO"
    assert "PIP_NO_INPUT" not in found
    assert "exclude-newer in uv.toml" in found
    assert {
        f"{key} in pip's configuration" for key in ("extra-index-url", "target", "uploaded-prior-to", "user")
    } <= set(found)


def test_a_configuration_that_pip_cannot_read_is_named(own: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "broken.conf"
    broken.write_text("user = true\n")
    own.setenv("PIP_CONFIG_FILE", str(broken))

    with pytest.raises(UsageError, match="pip cannot read its configuration") as caught:
        settings.ignored()

    assert str(broken) in caught.value.message


def test_uv_has_a_cache_of_its_own_where_the_home_takes_none(own: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert "UV_CACHE_DIR" not in settings.to_reach_an_index(tmp_path / "new")

    own.setenv("HOME", "/dev/null")

    assert settings.to_reach_an_index(tmp_path / "new")["UV_CACHE_DIR"] == str(tmp_path / "new" / "uv-cache")


def test_files_of_certificates_that_are_not_there_are_named(own: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("CURL_CA_BUNDLE", "SSL_CERT_FILE", "GIT_SSL_CAINFO"):
        own.delenv(name, raising=False)
    (tmp_path / "own.conf").write_text("[global]\ncert = /gone/50%.pem\n")
    own.setenv("PIP_CONFIG_FILE", str(tmp_path / "own.conf"))
    own.setenv("HOME", str(tmp_path / "another"))
    own.setenv("REQUESTS_CA_BUNDLE", "/gone/requests.pem")
    own.setenv("PIP_CERT", __file__)

    assert settings.missing_certificates() == [
        "REQUESTS_CA_BUNDLE names /gone/requests.pem",
        "cert in pip's configuration names /gone/50%.pem",
    ]


def test_installers_are_started_where_their_settings_are_decided_and_nowhere_else() -> None:
    source = Path(settings.__file__).parents[2]
    modules = {path: path.read_text("utf-8") for path in source.rglob("*.py")}
    starts = {
        str(path.relative_to(source))
        for path, text in modules.items()
        if re.search(r"""["'](-m["'], ["'](pip|uv|virtualenv|build)|uv)["']""", text)
    }

    assert starts <= {
        "adapters/builder.py",
        *(f"adapters/installers/{name}.py" for name in ("settings", "uv", "venv")),
        "inspection/verify/look.py",  # names what it tried
        "rehearsal/actions/python.py",  # stands in for the Python of a runner, and gets the settings of its job
        "steps/preflight/project.py",  # asks for uv's version alone
    }
    assert len(starts) > 3
