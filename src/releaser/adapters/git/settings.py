"""What the user's settings make git do in one repository: identity, signatures, hooks, and where it pushes."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from typing import Literal

from releaser.adapters import process
from releaser.adapters.git.calls import Calls, last
from releaser.adapters.remotes import ssh_host, where_of
from releaser.core.activity import current
from releaser.errors import CommandError, ServiceError
from releaser.secret import Redactor

# Those whose exit status makes git refuse.
_REFUSING = ("pre-commit", "prepare-commit-msg", "commit-msg", "reference-transaction", "pre-push")
_PROBE = "refs/releaser/probe"


@dataclass(frozen=True)
class Settings(Calls):
    """One repository; see `Calls`."""

    def identity(self, role: Literal["author", "committer"]) -> str | None:
        """Return whom git would name in a commit; None if it would refuse to commit."""
        answer = self.ask("var", f"GIT_{role.upper()}_IDENT", check=False)
        return answer.text.rsplit(" ", 2)[0].strip() if answer.status == 0 else None

    # --- signing --------------------------------------------------------------------------------------------------

    def signed(self) -> list[str]:
        """Return which of "commits" and "tags" git signs by itself."""
        found = {"commits": "commit.gpgSign", "tags": "tag.gpgSign"}
        return [kind for kind, key in found.items() if self._setting(key, "--type=bool") == "true"]

    def signing_format(self) -> str:
        """Return openpgp, ssh or x509."""
        return self._setting("gpg.format") or "openpgp"

    def why_it_cannot_sign(self) -> str | None:
        """Sign a commit that is kept nowhere; return what git says if that fails, None if it works."""
        objects = self.line("rev-parse", "--path-format=absolute", "--git-path", "objects")
        with tempfile.TemporaryDirectory() as scratch:
            # Written beside the repository's objects, which stay as they are.
            env = {"GIT_OBJECT_DIRECTORY": scratch, "GIT_ALTERNATE_OBJECT_DIRECTORIES": objects}
            words = ("commit-tree", "--gpg-sign", "-m", "A signature, to see whether there can be one", "HEAD^{tree}")
            try:
                self.ask(*words, env=env, within=self.limits.ask)
            except process.NoAnswerError:
                return f"no signature within {self.limits.ask:.0f} s"
            except CommandError as error:
                return last(error)
        return None

    # --- hooks ----------------------------------------------------------------------------------------------------

    def hooks(self) -> list[str]:
        """Return the names of the hooks that run here and can refuse: a commit, a tag or a push."""
        folder = self.root / self.line("rev-parse", "--git-path", "hooks")
        files = {name for name in _REFUSING if os.access(folder / name, os.X_OK)}
        # Since git 2.54 settings name hooks too: hook.NAME.event is the event.
        events = self.line("config", "--get-regexp", r"^hook\..*\.event$", missing="").splitlines()
        configured = {line.split(" ", 1)[1] for line in events if " " in line}
        return [name for name in _REFUSING if name in files | configured]

    def push_hook_uploads(self) -> bool:
        """Return whether the hook pre-push is that of git-lfs, which sends files even in a dry run."""
        path = self.root / self.line("rev-parse", "--git-path", "hooks/pre-push")
        return path.is_file() and b"git lfs" in path.read_bytes().replace(b"git-lfs", b"git lfs")

    def hooks_folder(self) -> str | None:
        """Return core.hooksPath, or None if the repository's own hooks run."""
        return self._setting("core.hooksPath")

    # --- the remote -----------------------------------------------------------------------------------------------

    def elsewhere(self, remote: str) -> list[str]:
        """Return the addresses to which a push goes and that are another repository than the one fetched from."""
        fetched = self.lines("remote", "get-url", remote)
        return [
            Redactor()(one)
            for one in self.lines("remote", "get-url", "--push", "--all", remote)
            if not any(self._same(one, other) for other in fetched)
        ]

    def has_push_addresses(self, remote: str) -> bool:
        """Return whether the remote has addresses of its own for pushes; url.*.pushInsteadOf does not change those."""
        return bool(self.line("config", "--get-all", f"remote.{remote}.pushurl", missing=""))

    def why_it_cannot_push(self, remote: str, *refspecs: str, hooks: bool) -> str | None:
        """Push without sending anything; return what git says if that fails, None if it works.

        It proves the login and, for refs that exist, the fast-forward. The remote's own hooks and rules do not run.

        Args:
            remote: Where to.
            refspecs: What to push; by default a ref that no remote has, to prove the login alone.
            hooks: Whether the hook `pre-push` runs.

        Raises:
            ServiceError: The remote did not respond in time.
        """
        within = self.limits.transfer if hooks else self.limits.ask
        words = (
            "push",
            "--dry-run",
            "--porcelain",
            "--no-follow-tags",
            "--recurse-submodules=no",
            *([] if hooks else ["--no-verify"]),
            remote,
        )
        try:
            with current().answers.alone():
                self.run(*words, *(refspecs or (f"HEAD:{_PROBE}",)), env=self.network(), within=within)
        except process.NoAnswerError:
            raise ServiceError(
                f"A dry run of a push to {remote} did not end within {within:.0f} s",
                f"Check the network and its address (`git remote get-url --push {remote}`), then rerun the command.",
            ) from None
        except CommandError as error:
            return last(error, 12)
        return None

    def _same(self, one: str, other: str) -> bool:
        if one == other:
            return True
        (host, path), (other_host, other_path) = where_of(one, self.root), where_of(other, self.root)
        return path == other_path and (host == other_host or self._host(host) == self._host(other_host))

    def _host(self, name: str) -> str:
        """Return the host that ssh's settings give a name: `git@github-work:OWNER/NAME` is common."""
        if not name or name.startswith("-"):
            return name
        try:
            settings = process.ask(["ssh", "-G", name], cwd=self.root, check=False, within=self.limits.ask).text
        except CommandError:
            return name
        return ssh_host(settings) or name

    def _setting(self, key: str, *options: str) -> str | None:
        return self.line("config", *options, "--get", key, missing="") or None
