"""What a container printed, told by an engine that is busy."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from releaser.adapters.docker.engine import Engine


class Late:
    """The part of docker's SDK that runs a container, which has ended before the engine has what it printed."""

    status = "exited"

    def __init__(self) -> None:
        self.attrs: dict[str, Any] = {"State": {"ExitCode": 0}}
        self.containers = SimpleNamespace(create=lambda *_, **__: self)
        self._logs: Iterator[bytes] = iter((b"", b"", b"demo 1.0.0\n"))
        self.removed = False

    def start(self) -> None: ...

    def reload(self) -> None: ...

    def logs(self) -> bytes:
        return next(self._logs)

    def remove(self, *, force: bool, v: bool) -> None:
        self.removed = force and v


def test_what_a_container_printed_is_waited_for_after_its_end():
    late = Late()
    assert Engine(late, "unix:///engine", "me").says("demo", "linux/amd64", ["--version"]) == "demo 1.0.0"
    assert late.removed
