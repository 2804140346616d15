"""Preflight: the registry will accept the images, as far as it reveals that."""

from __future__ import annotations

from releaser.core.step import Conflict, Done, Outcome, Skipped, Step
from releaser.images import of_release
from releaser.release import Release


class LogInForImages(Step[Release]):
    """There is a login for the registry, and the registry does not refuse it the right to push."""

    name = "log_in_for_images"
    title = "Login for the registry available"
    skippable = True

    def check(self, release: Release) -> Outcome:
        """Ask the registry for permission to push; push nothing."""
        if reason := of_release.without(release):
            return Skipped(reason)
        http, where = release.registry.http, release.registry.repository
        right = http.right_to_push()
        if right == "no login":
            return Conflict(f"there is no login for the registry {http.host}", http.how_to_log_in())
        if right == "may not push":
            return Conflict(f"the login for {http.host} may not push {http.name}", http.how_to_log_in())
        said = {
            "asks for none": f"{http.host} needs no login",
            "may push": f"may push {where}",
            "unproven": f"a login for {http.host}; whether it may push {http.name} is unproven",
        }
        return Done(said[right])
