"""What can stop the server from starting, drawn as one tree.

::

    WebUIError                    every error that has a remedy; anything else that escapes is a bug of ours
    ├── SettingsError     exit 2  a setting that cannot be used
    │   └── HostRefusedError      an address that other machines could reach
    └── ListenError       exit 1  the address and port cannot be opened
        └── PortTakenError        another program listens there

Each message says what happened and to what; ``remedy`` says what to do next.
"""

from __future__ import annotations


class WebUIError(Exception):
    """An error with a remedy.

    Args:
        message: What happened, and to what, as whole sentences.
        remedy: What to do next, as an instruction to the person who reads it.
    """

    exit_code = 1

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message, remedy)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}\n{self.remedy}"


class SettingsError(WebUIError):
    """A setting that cannot be used."""

    exit_code = 2


class HostRefusedError(SettingsError):
    """An address that other machines could reach, while there is no login."""


class ListenError(WebUIError):
    """The address and port cannot be opened."""


class PortTakenError(ListenError):
    """Another program listens on that port."""
