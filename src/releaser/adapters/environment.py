"""The environment that programs are started with: this process's, without its credentials.

A variable is a credential if the configuration names it as one (`token-env`), or if its name or its value looks like
one. A program gets one in two cases only: the call that starts it hands it over, or the project's `pass-env` lists it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from releaser.secret import Secret, has_token_shape

Changes = Mapping[str, str | Secret | None]
"""Changes to the environment for one program; None removes a variable."""

_NAMES = re.compile(
    r"""
      PASSWORD | PASSWD | PASSPHRASE | SECRET | CREDENTIAL | APIKEY | ACCESSKEY | PRIVATEKEY | AUTHTOKEN
    | TOKEN(_|$)
    | (?<!MAX_)TOKENS(_|$)              # MAX_TOKENS is a setting of language models
    | (^|_)(API|ACCESS|PRIVATE|SIGNING|ENCRYPTION|DEPLOY)_KEY(_|$)
    | (^|_)(KEY|AUTH|AUTHORIZATION|JWT|PAT|CREDS|PASS)$     # but SSH_AUTH_SOCK and GIT_ASKPASS lead to where one is
    | _PWD$                             # PWD itself is the directory
    | ^SSHPASS$ | ^DOCKER_AUTH_CONFIG$
    """,
    re.VERBOSE,
)
_FAMILIES = re.compile(r"^(TWINE_|UV_PUBLISH_|(TEST)?PYPI(_|$)|ACTIONS_ID_TOKEN_REQUEST_|AWS_CONTAINER_)")
"""All of these are for logging in, so that no other program misses them; but not each holds a secret."""
_IN_ADDRESS = re.compile(r"""(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)(?P<user>[^/\s"':]*)(?P<password>:[^/\s"']*)?@""")
_AUTHORIZATION = re.compile(r"(?i)\bauthorization:\s*\S")
_CONNECTING = re.compile(r"(?i)proxy|tunnel|failed to connect|could not connect|connection (refused|broken)")
_SHORTEST_SECRET = 8
_LONGEST_WORD = 15


@dataclass
class _Configured:
    """What the configuration says of variables. It belongs to the process, as the environment that it filters does.

    A context variable would not do: a thread that was started without its context would pass what it must not.
    """

    credentials: frozenset[str] = frozenset()
    passed: frozenset[str] = frozenset()


_configured = _Configured()


def configure(credentials: Iterable[str], passed: Iterable[str]) -> None:
    """Set which variables are credentials whatever they look like, and which are passed all the same."""
    _configured.credentials = frozenset(name.upper() for name in credentials)
    _configured.passed = frozenset(name.upper() for name in passed)


def for_program(changes: Changes | None = None) -> dict[str, str]:
    """Return the environment for one program: what is no credential, and what its call hands it."""
    environment = dict(_passed())
    for name, value in (changes or {}).items():
        if value is None:
            environment.pop(name, None)
        else:
            environment[name] = value.reveal() if isinstance(value, Secret) else value
    return environment


def overrides() -> dict[str, str]:
    """Return the variables that programs get with another value or not at all; the latter are empty.

    For libraries that start programs with this process's environment and some overrides.
    """
    passed = dict(_passed())
    return {name: passed.get(name, "") for name, value in os.environ.items() if passed.get(name) != value}


def check_of_proxies(*more: str) -> str:
    """Return the start of a remedy that names the variables in which a proxy is set, among others `more`."""
    known = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")
    found = [name for one in known for name in (one, one.lower()) if os.environ.get(name)]
    found += [name for name in more if os.environ.get(name)]
    return f"Check the proxy in {', '.join(found)}" if found else "Check the network"


def proxy_hint(said: str) -> str:
    """Return what to add to a remedy where a program speaks of a connection and proxies are set; else nothing."""
    check = check_of_proxies()
    return f" {check}, if that cannot be reached." if "proxy" in check and _CONNECTING.search(said) else ""


def without_passwords() -> list[str]:
    """Return the variables that programs get with a password taken out of them."""
    return sorted(name for name, value in _passed() if value != os.environ[name])


def secrets() -> list[Secret]:
    """Return what must not be shown: the values of credentials, and passwords in addresses.

    Left out is what would hide ordinary text: names of files that hold a secret, and short words such as `postgres`.
    """
    found = [value for name, value in os.environ.items() if name.upper() in _configured.credentials]
    for name, value in os.environ.items():
        if _NAMES.search(name.upper()) or _holds_one(value):
            found += [value] if _is_telling(value.strip()) else []
        addresses = _IN_ADDRESS.finditer(value)
        found += [one for one in ((it["password"] or it["user"]).lstrip(":") for it in addresses) if _is_telling(one)]
    return [Secret(value.strip()) for value in found]


def _passed() -> Iterator[tuple[str, str]]:
    for name, value in os.environ.items():
        known = name.upper()
        if known in _configured.passed:
            yield name, value
        elif known in _configured.credentials or _NAMES.search(known) or _FAMILIES.search(known):
            continue
        elif not _holds_one(bare := _without_password(known, value)):
            # Without the whole variable pip would fall back from PIP_INDEX_URL to an index on which anyone may serve a
            # package of the same name.
            yield name, bare
        elif known.startswith("GIT_CONFIG_VALUE_"):
            # Git refuses to run when one of these is missing.
            yield name, ""


def _holds_one(value: str) -> bool:
    return has_token_shape(value) or _AUTHORIZATION.search(value) is not None


def _without_password(name: str, value: str) -> str:
    """Return the value without passwords in addresses.

    A user without a password stays (`ssh://git@host`), but not with HTTP, where a token can stand in its place.
    """
    if name.endswith("_PROXY") and "://" not in value:
        return value.rpartition("@")[2]

    def bare(match: re.Match[str]) -> str:
        keep = match["password"] is None and not match["scheme"].lower().startswith("http")
        return match[0] if keep else match["scheme"]

    return _IN_ADDRESS.sub(bare, value)


def _is_telling(value: str) -> bool:
    """Return whether a value is a secret rather than a word or the name of a file."""
    is_word = value.isalpha() and len(value) <= _LONGEST_WORD
    return len(value) >= _SHORTEST_SECRET and not is_word and not os.path.lexists(value)
