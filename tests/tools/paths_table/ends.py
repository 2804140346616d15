"""What a release came to, whichever path it took; nothing here asks the engine."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from harness.projects import git
from harness.rehearsed import World, plain

TAG = "v0.2.0"
_MADE_ON = re.compile(r"(?m)^Released-on: .*$")
"""What the engine adds to a tag's message: the machine, or the run, that made it."""


class Published(World):
    """What a release came to; the remote lies next to the checkout."""

    @property
    def origin(self) -> Path:
        """The bare repository."""
        return self.path / "checkout.git"

    def end(self) -> dict[str, Any]:
        """Return all that matters of the end of a release but for attestations and times, read without the engine."""
        commit = self.git("rev-parse", f"{TAG}^{{commit}}")
        assets = {one["tag_name"]: self.assets(one) for one in self.releases()}
        return {
            "tag": {
                "type": self.git("cat-file", "-t", TAG),
                "message": _MADE_ON.sub("", self.git("for-each-ref", "--format=%(contents)", f"refs/tags/{TAG}")),
            },
            "commit": {
                "tree": self.git("rev-parse", f"{commit}^{{tree}}"),
                "parent": self.git("rev-parse", f"{commit}^"),
                "message": self.git("show", "--no-patch", "--format=%B", commit),
            },
            "branch": self.git("rev-parse", "main") == commit,
            "refs": sorted(self.refs()),
            "testpypi": self.served("testpypi"),
            "pypi": self.served("pypi"),
            "taken": {
                index: sorted(word for word in (line.split()[0] for line in self.uploads(index)) if word != "noop")
                for index in ("testpypi", "pypi")
            },
            "assets": {tag: _summed(found) for tag, found in assets.items()},
            "releases": [
                {
                    key: plain(str(one[key]), commit)
                    for key in ("tag_name", "name", "body", "draft", "prerelease", "target_commitish")
                }
                | {"broken assets": len(one["assets"]) - len(self.assets(one)), "latest": self.latest() == one["id"]}
                for one in self.releases()
            ],
        }

    def git(self, *words: str) -> str:
        """Return what git prints in the remote."""
        return git(self.origin, *words)


def _summed(assets: dict[str, str]) -> dict[str, str]:
    """Return the digests of assets; of those that name the commit, and so differ, only that they are there."""
    return {name: digest if name.endswith((".whl", ".tar.gz")) else "there" for name, digest in sorted(assets.items())}
