"""Which settings of pip and uv the engine's own calls obey: those that say how to reach an index.

Everything else that a user, an image or a company has configured (where to install, what to leave out, further indexes)
would change what is tried here from what users get, and the built files from one machine to the next.

pip reads every configuration file there is, and merges them key by key. A file named by PIP_CONFIG_FILE comes last, and
an empty value counts as none. So the engine's own file empties what is not obeyed, and passwords in an index's address
stay in files.
"""

from __future__ import annotations

import ast
import configparser
import importlib.util
import io
import json
import os
import re
import sys
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from releaser.adapters import process
from releaser.adapters.environment import Changes
from releaser.errors import CommandError, UsageError
from releaser.secret import Redactor

if sys.version_info >= (3, 11):
    import tomllib
else:  # pragma: no cover
    import tomli as tomllib

_REACHING = frozenset(
    {
        *("index-url", "proxy", "no-proxy-env", "cert", "client-cert", "trusted-host", "keyring-provider"),
        *("timeout", "default-timeout", "retries", "resume-retries", "cache-dir", "no-cache-dir"),
    }
)
_UV_REACHING = frozenset(
    {
        *("UV_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INSECURE_HOST", "UV_NATIVE_TLS", "UV_SYSTEM_CERTS"),
        *("UV_KEYRING_PROVIDER", "UV_HTTP_TIMEOUT", "UV_HTTP_CONNECT_TIMEOUT", "UV_REQUEST_TIMEOUT", "UV_HTTP_RETRIES"),
        *("UV_CONCURRENT_DOWNLOADS", "UV_CACHE_DIR", "UV_NO_CACHE", "UV_LINK_MODE", "UV_PYTHON_INSTALL_DIR"),
    }
)
_PLACING = frozenset({"user", "target", "prefix", "root", "require-hashes", "require-virtualenv"})
"""What makes pip fail, or install elsewhere, in any environment of its own."""
_UV_PLACING = frozenset({"UV_SYSTEM_PYTHON", "UV_BREAK_SYSTEM_PACKAGES", "UV_REQUIRE_HASHES"})
_PIPS_ALONE = ("proxy", "no-proxy-env", "client-cert", "trusted-host", "keyring-provider")
"""How to reach an index, in ways for which uv has other names or none."""
_HARMLESS = frozenset(
    {"disable-pip-version-check", "no-color", "no-input", "progress-bar", "root-user-action", "quiet"}
)
_LISTED = re.compile(r"""^([\w-]+\.[\w-]+)=('.*'|".*")$""", re.MULTILINE)
"""A line of `pip config list`, not of a variable: those are in a section named `:env:`."""
_PLACES = ("HOME", "PIP_CONFIG_FILE", "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS", "APPDATA", "USERPROFILE")
"""What decides where pip looks for its configuration files."""


def index_url() -> str | None:
    """Return the simple API that the environment or pip's configuration names; None where pip is left to its default.

    It comes without credentials: it becomes a program's argument, which every user of this machine can read.
    """
    return Redactor()(os.environ.get("PIP_INDEX_URL", "") or _value("index-url")) or None


def to_reach_an_index(folder: Path, index: str | None = None) -> Changes:
    """Return changes to the environment after which pip, uv and virtualenv obey no more than how to reach an index.

    Args:
        folder: Where to put pip's configuration file; it lasts as long as the environment is used.
        index: The one index to install from; None is the user's own.
    """
    kept = {name for name in os.environ if _option(name) in _REACHING or name in _UV_REACHING}
    foreign = [name for name in os.environ if name.upper().startswith(("PIP_", "UV_", "VIRTUALENV_"))]
    changes: dict[str, str | None] = {name: None for name in foreign if name not in kept}
    certificates = os.environ.get("PIP_CERT") or _value("cert")
    if certificates and not os.environ.get("SSL_CERT_FILE"):
        changes["SSL_CERT_FILE"] = certificates  # uv knows neither pip's variable nor its configuration
    if index:
        changes |= {"PIP_INDEX_URL": index, "UV_DEFAULT_INDEX": index, "UV_INDEX_URL": None}
    changes |= {"UV_NO_CONFIG": "1", "UV_PYTHON_DOWNLOADS": "never", "VIRTUALENV_CONFIG_FILE": os.devnull}
    if not os.environ.get("UV_CACHE_DIR") and not _uv_can_cache():
        changes["UV_CACHE_DIR"] = str(folder / "uv-cache")  # pip does without a cache; uv does not run
    changes["PIP_CONFIG_FILE"] = str(_written(folder, lambda option: option in _REACHING))
    return changes


def for_uv(folder: Path) -> Changes | None:
    """Return changes after which uv installs from the index that pip's settings name; None if that takes pip itself.

    The address may hold a password. It goes into a file: what builds the project inherits the variables of uv.

    Args:
        folder: Where to put uv's configuration file; it lasts as long as the environment is used.
    """
    index = os.environ.get("PIP_INDEX_URL") or _value("index-url")
    if not index or os.environ.get("UV_DEFAULT_INDEX") or os.environ.get("UV_INDEX_URL"):
        return {}
    if any(os.environ.get(f"PIP_{one.upper().replace('-', '_')}") or _value(one) for one in _PIPS_ALONE):
        return None
    path = folder / "uv.toml"
    _write_for_owner(path, f"[[index]]\nurl = {json.dumps(index)}\ndefault = true\n")
    return {"UV_CONFIG_FILE": str(path), "UV_NO_CONFIG": None}


def to_install_in_place(folder: Path) -> Changes:
    """Return changes to the environment after which pip and uv install where a project's own session wants it.

    Everything else stays: a session may need an index, a constraint or a directory of wheels that users do without.
    """
    placing = [name for name in os.environ if _option(name) in _PLACING or name in _UV_PLACING]
    changes: dict[str, str | None] = dict.fromkeys(placing)
    if any(key.partition(".")[2] in _PLACING for key in _configured()):
        changes["PIP_CONFIG_FILE"] = str(_written(folder, lambda option: option not in _PLACING))
    return changes


def ignored() -> list[str]:
    """Return what the user has set that is not obeyed, as the user knows it: variables, and keys of files."""
    names = [name for name in os.environ if _is_ignored(name)]
    files = {key.partition(".")[2] for key in _configured()} - _REACHING - _HARMLESS
    return sorted(names) + [f"{key} in pip's configuration" for key in sorted(files)] + _ignored_of_uv()


def missing_certificates() -> list[str]:
    """Return, in words, each file of certificates that a variable or pip's configuration names and that is not there.

    Each program answers that in its own way, some by a traceback in the middle of a release.
    """
    variables = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "PIP_CERT", "GIT_SSL_CAINFO")
    named = {name: value for name in variables if (value := os.environ.get(name))}
    if "REQUESTS_CA_BUNDLE" in named:
        named.pop("CURL_CA_BUNDLE", None)  # requests looks at the other one first
    if cert := _value("cert"):
        named.setdefault("cert in pip's configuration", cert)
    return [f"{name} names {value}" for name, value in named.items() if not Path(value).exists()]


def _uv_can_cache() -> bool:
    own = os.environ.get("XDG_CACHE_HOME")
    home = os.environ.get("HOME")
    if not own and not home:
        return True  # uv asks the system for the user's home
    try:
        Path(own or f"{home}/.cache", "uv").mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(Path(own or f"{home}/.cache", "uv"), os.W_OK)


def _is_ignored(name: str) -> bool:
    if name.startswith("UV_"):
        return name not in _UV_REACHING and not name.startswith("UV_PUBLISH_")
    option = _option(name)
    return option is not None and option not in {*_REACHING, *_HARMLESS, "config-file"}


def _option(variable: str) -> str | None:
    """Return pip's option that a variable sets; None for other variables."""
    known = variable.upper()
    return known.removeprefix("PIP_").lower().replace("_", "-") if known.startswith("PIP_") else None


def _value(option: str) -> str:
    """Return what pip's files set an option to, for installing before what they set it to for all commands."""
    found = _configured()
    return found.get(f"install.{option}") or found.get(f"global.{option}") or ""


def _written(folder: Path, keeps: Callable[[str], bool]) -> Path:
    """Write a configuration file that repeats what `keeps` says and empties the rest; readable by its owner alone."""
    parser = configparser.RawConfigParser()
    for key, value in _configured().items():
        section, _, option = key.partition(".")
        if not parser.has_section(section):
            parser.add_section(section)
        parser.set(section, option, value if keeps(option) else "")
    path, text = folder / "pip.conf", io.StringIO()
    parser.write(text)
    _write_for_owner(path, text.getvalue())
    return path


def _write_for_owner(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def _configured() -> Mapping[str, str]:
    return _listed(tuple(os.environ.get(name) for name in _PLACES))


@cache  # pip takes a third of a second to say it, and is set up before a run
def _listed(_places: tuple[str | None, ...]) -> Mapping[str, str]:
    """Return the keys of pip's files with their values, such as `global.index-url`.

    Raises:
        UsageError: pip cannot read one of them.
    """
    found: dict[str, set[str]] = {}
    for key, value in _LISTED.findall(_config("list")):
        found.setdefault(key, set()).add(ast.literal_eval(value))
    # A later pip lists the files one by one, in the order of their names: which of them wins it says only when asked.
    return {key: values.pop() if len(values) == 1 else _config("get", key) for key, values in found.items()}


def _config(*words: str) -> str:
    from virtualenv.seed.wheels.embed import get_embed_wheel

    # An environment that uv made has no pip; virtualenv brings one, which runs out of its wheel.
    brought = None if importlib.util.find_spec("pip") else get_embed_wheel("pip", None)
    pip = [str(brought.path / "pip")] if brought else ["-m", "pip"]
    # Without the variables: a wrong one would be taken for a wrong file. `user = true` under [global] means to
    # `pip config` that it is asked for the user's own file alone, and `quiet` that it is to say nothing.
    variables: dict[str, str | None] = {
        name: None for name in os.environ if _option(name) and name.upper() != "PIP_CONFIG_FILE"
    }
    variables |= dict.fromkeys(("PIP_USER", "PIP_GLOBAL", "PIP_SITE", "PIP_QUIET", "PIP_VERBOSE"), "0")
    try:
        answer = process.ask([sys.executable, *pip, "config", *words], cwd=Path(sys.prefix), env=variables)
    except CommandError as error:
        said = " ".join(line.strip() for line in error.message.splitlines()[1:])
        raise UsageError(
            f"pip cannot read its configuration: {said}", "Fix that file (`pip config debug` lists them all)."
        ) from None
    return answer.text.strip()


def _ignored_of_uv() -> list[str]:
    """Return what uv's own configuration files set and this engine does not obey."""
    homes = [os.environ.get("XDG_CONFIG_HOME") or str(Path("~/.config").expanduser())]
    homes += [*os.environ.get("XDG_CONFIG_DIRS", "/etc/xdg").split(os.pathsep), "/etc"]
    named = os.environ.get("UV_CONFIG_FILE")
    files = [Path(named)] if named else [Path(home) / "uv" / "uv.toml" for home in homes]
    keys: dict[str, None] = {}
    for file in files:
        try:
            keys |= dict.fromkeys(tomllib.loads(file.read_text("utf-8")))
        except (OSError, ValueError):
            continue  # it is not there, or uv's own business
    return [f"{key} in uv.toml" for key in sorted(keys)]
