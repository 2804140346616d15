"""PyGithub, imported in one thread before several threads want it."""

from __future__ import annotations


def import_clients() -> None:
    """Import it now: threads that import parts of it in different orders deadlock (python/cpython#83065).

    At the top of a module it would cost 0.4 s of every command that has a release and asks no forge.
    """
    import releaser.adapters.forge.requester  # noqa: F401
