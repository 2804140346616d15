"""The rehearsal's git remote: a bare repository that guards its branch and its tags as a protected one does."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from releaser.adapters import process
from releaser.core.files import write_atomically
from releaser.rehearsal import rules
from releaser.rehearsal.rules import Ruleset

_HOOK = """#!/bin/sh
# Branches only move forward, tags never move, and nothing but a tag is ever deleted.
{hold_before}zero=0000000000000000000000000000000000000000
while read -r old new ref; do
{rules}
  case "$ref" in
    refs/tags/*)
      if [ "$old" != "$zero" ] && [ "$new" != "$zero" ]; then
        echo "protected: $ref is there already and never moves" >&2; exit 1
      fi ;;
    *)
      if [ "$new" = "$zero" ]; then echo "protected: $ref cannot be deleted" >&2; exit 1; fi
      if [ "$old" != "$zero" ] && ! git merge-base --is-ancestor "$old" "$new"; then
        echo "protected: $ref only moves forward" >&2; exit 1
      fi ;;
  esac
done
exit 0
"""
_NOTE = """#!/bin/sh
# The forge's stand-in reads who pushed what, and starts workflows; git's HTTP server sets REMOTE_USER.
while read -r old new ref; do
  echo "${{REMOTE_USER:--}} $old $new $ref" >>"$GIT_DIR/pushed.log"
done
{hold_after}exit 0
"""
# The hook's parent is the program that stores what is pushed: with its end, the connection closes.
_HOLD = """echo $PPID >"$GIT_DIR/holding"; sleep {seconds}
"""
_REFUSE = """touch "$GIT_DIR/struck"; echo "protected: pushes are refused for now" >&2; exit 1
"""
_DROP = """touch "$GIT_DIR/struck"; kill -9 $PPID; exit 1
"""


def create(path: Path, source: Path, branch: str) -> None:
    """Make the bare repository from `source`'s HEAD, as `branch`, with its tags (a shallow source stays shallow)."""
    process.run(["git", "init", "--quiet", "--bare", f"--initial-branch={branch}", path], cwd=source)
    # As GitHub does: jobs fetch the commit that started them, whichever branch is where by then.
    for key in ("receive.shallowUpdate", "uploadpack.allowReachableSHA1InWant"):
        process.run(["git", "--git-dir=.", "config", key, "true"], cwd=path)
    refs = [f"HEAD:refs/heads/{branch}", "refs/tags/*:refs/tags/*"]
    process.run(
        # Submodules would be pushed to their real remotes if the user's git does so.
        ["git", "push", "--quiet", "--no-verify", "--recurse-submodules=no", path, *refs],
        cwd=source,
        purpose="Filling the rehearsal's remote",
    )


def guard(path: Path, faults: dict[str, str], rulesets: Iterable[Ruleset] = ()) -> None:
    """Install the hooks for this run, with its faults and the rules that the forge lists.

    `hold` keeps a push waiting before anything is stored, `hold-stored` after; `refuse` refuses it; `drop` ends the
    connection before anything is stored, `drop-stored` after.
    """
    for marker in ("holding", "struck"):
        (path / marker).unlink(missing_ok=True)
    before = _HOLD.format(seconds=float(faults["hold"])) if "hold" in faults else ""
    before += "".join(script for name, script in (("refuse", _REFUSE), ("drop", _DROP)) if name in faults)
    after = _DROP if "drop-stored" in faults else ""
    after += _HOLD.format(seconds=float(faults["hold-stored"])) if "hold-stored" in faults else ""
    _install(path / "hooks" / "pre-receive", _HOOK.format(hold_before=before, rules=rules.script(rulesets)))
    _install(path / "hooks" / "post-receive", _NOTE.format(hold_after=after))


def rulesets_of(forge: Path, branch: str, faults: dict[str, str]) -> list[Ruleset]:
    """Write the rules that this run has into the forge's settings, and return all that it lists.

    Args:
        forge: What the forge's stand-in holds.
        branch: The release branch, which `protected` keeps for pull requests.
        faults: Those of this run.
    """
    path = forge / "settings.json"
    settings = json.loads(path.read_text("utf-8")) if path.exists() else {}
    own = [one for one in settings.get("rulesets", ()) if one["name"] != rules.PROTECTED]
    settings["rulesets"] = [*own, *([rules.protected(branch)] if "protected" in faults else [])]
    write_atomically(path, json.dumps(settings))
    return list(settings["rulesets"])


def _install(path: Path, script: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(script, "utf-8")
    path.chmod(0o755)
