"""Have Python compile what tests start again and again: import all of our modules, and what other programs import.

uv compiles nothing that it installs. Where PYTHONDONTWRITEBYTECODE is set, as in many containers, programs keep nothing
that they compile, so each of the thousands that the tests start would compile whatever it imports: for the index's
stand-in, half of its CPU time. What is compiled before is used all the same.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Iterator
from contextlib import suppress

OURS = ("live_vlm_webui", "releaser")
OTHERS = ("build.__main__", "nox.__main__", "twine.cli", "twine.commands.upload", "virtualenv.run")


def modules(package: str) -> Iterator[str]:
    """Return the names of a package's modules, but for those that are programs."""
    found = importlib.util.find_spec(package)
    for one in pkgutil.walk_packages(found.submodule_search_locations if found else None, f"{package}."):
        if not one.name.endswith("__main__"):
            yield one.name


def main() -> None:
    """Import them."""
    for name in (*(one for package in OURS for one in modules(package)), *OTHERS):
        with suppress(ImportError):  # of another system, or of an extra
            importlib.import_module(name)


if __name__ == "__main__":
    main()
