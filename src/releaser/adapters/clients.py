"""The HTTP clients, imported in one thread before several threads want them."""

from __future__ import annotations


def import_clients() -> None:
    """Imports them now: threads that import parts of `requests` in different orders deadlock (python/cpython#83065)."""
    import github  # noqa: F401
    import requests  # noqa: F401
