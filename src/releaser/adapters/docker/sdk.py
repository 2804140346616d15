"""The docker SDK, imported where it is used: it is heavy, and a directory named docker/ can be mistaken for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from releaser.adapters import environment
from releaser.errors import UsageError
from releaser.secret import Secret


@dataclass(frozen=True)
class Login:
    """What docker's configuration holds for a registry: a user with a password, or a token in place of both."""

    user: str
    password: Secret
    is_identity_token: bool = False


def connector() -> Callable[..., Any]:
    """`docker.from_env`.

    Raises:
        UsageError: The SDK is not installed. (In a project with a docker/ directory `import docker` works all the same,
            and imports that.)
    """
    try:
        from docker.client import from_env
    except ImportError:
        raise _missing() from None
    return from_env


def login_for(registry: str) -> Login | None:
    """Return the login that docker knows for a registry; None if it knows none.

    The SDK starts docker's credential helpers itself, with this process's environment but for what is overridden.

    Raises:
        UsageError: The SDK is not installed, or a credential helper failed.
    """
    try:
        from docker import auth
        from docker.errors import DockerException
    except ImportError:
        raise _missing() from None
    try:
        found = auth.load_config(credstore_env=environment.overrides()).resolve_authconfig(registry) or {}
    except DockerException as error:
        raise UsageError(
            f"docker's login for {registry} could not be read: {error}",
            f"Run `docker login {registry}` to create a new one.",
        ) from None
    if token := found.get("IdentityToken") or found.get("identitytoken"):
        return Login("<token>", Secret(token), is_identity_token=True)
    user, password = (found.get(name) or found.get(name.lower()) for name in ("Username", "Password"))
    return Login(str(user), Secret(str(password))) if user and password else None


def _missing() -> UsageError:
    return UsageError("The docker SDK is not installed", 'Install the project\'s tools: `pip install -e ".[dev]"`.')
