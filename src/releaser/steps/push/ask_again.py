"""TestPyPI: ask the remote again, straight before the first file is sent: a name on an index can be used once."""

from __future__ import annotations

from releaser.core.activity import current
from releaser.core.step import Conflict, Done, Outcome, Step, Todo
from releaser.release import Release
from releaser.steps.push.push_tag import PushTag


class AskAgain(Step[Release]):
    """The release branch has no commit of others since the release was built, tested and confirmed."""

    name = "ask_again"
    title = "Branch of releases has not moved"
    skippable = True

    def check(self, release: Release) -> Outcome:
        """Leave it to be asked when its turn comes; the tag at the remote settles it."""
        if release.git.remote_tag(release.config.git.remote, release.tag):
            return Done(f"{release.tag} is pushed")
        return Todo(f"ask {release.config.git.remote} again, straight before anything is sent")

    def run(self, _release: Release) -> None:
        """Forget what the remote answered before."""
        current().answers.forget()

    def verify(self, release: Release) -> Outcome:
        """Ask, as the push will."""
        outcome = PushTag().check(release)
        return outcome if isinstance(outcome, Conflict) else Done(f"{release.config.git.branch} can take the push")
