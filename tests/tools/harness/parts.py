"""What a job with a privilege has: no more packages than its part of the lock."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.utils import canonicalize_name

from releaser.adapters.installers.lock import Lock

ROOT = Path(__file__).parents[3]


def left_out(part: str) -> frozenset[str]:
    """Return the top-level modules of what the whole lock has and a part of it does not."""
    whole, small = (
        {pin.name for pin in Lock.read(ROOT, f".github/{name}-requirements.txt").pins} for name in ("release", part)
    )
    found = {module: set(map(canonicalize_name, of)) for module, of in packages_distributions().items()}
    return frozenset(module for module, of in found.items() if of & whole and not of & small)


class Absent:
    """Finds no module of those that are left out.

    Args:
        modules: Their top-level names.
    """

    def __init__(self, modules: frozenset[str]) -> None:
        self._modules = modules

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        """Refuse a module, or leave it to others."""
        if name.partition(".")[0] in self._modules:
            raise ModuleNotFoundError(f"{name} is not in the job's part of the lock", name=name)
        return None


@contextmanager
def only_with(part: str) -> Iterator[None]:
    """Have this process import only what a part of the lock has."""
    modules = left_out(part)
    had = {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] in modules}
    absent = Absent(modules)
    sys.meta_path.insert(0, absent)
    try:
        yield
    finally:
        sys.meta_path.remove(absent)
        sys.modules.update(had)
