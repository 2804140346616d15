"""Push: push branch and tag, together or not at all."""

from __future__ import annotations

from releaser.adapters.git import merging
from releaser.adapters.git.tagger import tagged_by
from releaser.adapters.where import in_job, where
from releaser.changelog.merging import with_new_entries
from releaser.core.activity import current
from releaser.core.step import (
    Conflict,
    Done,
    Outcome,
    Step,
    Todo,
    Warned,
)
from releaser.errors import ConflictError, ReleaserError, ServiceError, StepError
from releaser.release import Release
from releaser.steps.preflight.branch_rules import by_pull_request

_NEXT = "Release the next version: a published tag is never moved."


class PushTag(Step[Release]):
    """The remote has the branch and the tag. From here on, going back costs a version."""

    name = "push_tag"
    title = "Branch and tag pushed"
    choices = ("merge", "branch")

    def check(self, release: Release) -> Outcome:
        """Ask the remote for both."""
        git, config = release.git, release.config.git
        commit, there = release.commit(), git.remote_tag(config.remote, release.tag)
        if there and (commit is None or there.commit != commit):
            return Conflict(
                f"{config.remote} has {release.tag} at another commit, {there.commit[:12]}"
                + tagged_by(git, config.remote, there),
                where(
                    terminal=f"If it is this release, made elsewhere, run `git fetch {config.remote} tag "
                    f"{release.tag}`. Otherwise r{_NEXT[1:]}",
                    job=f"Find out who pushed it. {_NEXT}",
                ),
            )
        if there and not there.annotated:
            return Conflict(
                f"{config.remote}'s {release.tag} is lightweight",
                _NEXT,
            )
        if commit is None:
            return Todo(f"git push --atomic {config.remote} {config.branch} {release.tag}")
        branch = self._remote_branch(release)
        if branch and git.contains(branch, commit):
            return (
                Done(f"{release.tag} at {commit[:12]}, in {config.remote}/{config.branch}")
                if there
                else Todo(f"push {release.tag}")
            )
        if branch and not git.contains(commit, branch):
            return self._moved(release, commit, branch, published=there is not None)
        if there:
            return Todo(f"push {config.branch}: the remote has the tag, not the branch")
        return Todo(f"git push --atomic {config.remote} {config.branch} {release.tag}")

    def run(self, release: Release) -> None:
        """Push what is missing of both, atomically; a branch that has moved gets the commit as was chosen."""
        config, commit = release.config.git, release.must_have_commit()
        branch = self._remote_branch(release)
        refs = [f"refs/tags/{release.tag}"]
        if branch and not release.git.contains(branch, commit):
            moved, how = not release.git.contains(commit, branch), release.choices.get(self.name)
            if moved and how == "branch":
                refs.insert(0, f"{commit}:refs/heads/{side_branch(release)}")
            else:
                tip = merged(release, commit, branch) if moved and how == "merge" else commit
                refs.insert(0, f"{tip}:refs/heads/{config.branch}")
        elif not branch:
            refs.insert(0, f"{commit}:refs/heads/{config.branch}")
        try:
            release.git.push(config.remote, *refs)
        except ServiceError as error:
            # Of two releases at once the other may have won meanwhile: name it, and not what git says of its refs.
            if won := self._won_by_another(release):
                raise ConflictError(f"{release.tag} was not pushed: {won.what}", won.remedy) from error
            if len(refs) == 1:
                raise
            # What refuses a push need not tell before it: hooks of the remote's own, and rules that no API lists.
            raise error.reworded(
                error.message,
                f"{error.remedy} "
                + where(
                    terminal=f"If {config.branch} takes only pull requests, run "
                    f"`invoke rollback --version {release.version}`. {by_pull_request(release)}",
                    job="If a rule refuses it, change the rule first: `invoke setup` prints those that let a "
                    "workflow push.",
                ),
            ) from error

    def _won_by_another(self, release: Release) -> Conflict | None:
        """Return what another push did meanwhile; None if that is not the reason, or cannot be asked."""
        current().answers.forget()
        try:
            outcome = self.check(release)
        except ReleaserError:
            return None
        return outcome if isinstance(outcome, Conflict) else None

    def _moved(self, release: Release, commit: str, branch: str, *, published: bool) -> Outcome:
        """Answer where others have pushed since the release commit was created: a person chooses, at a known price."""
        config, how, aside = release.config.git, release.choices.get(self.name), side_branch(release)
        there = release.git.remote_branch(config.remote, aside)
        if published and there and release.git.commit(there) and release.git.contains(there, commit):
            return Done(f"{release.tag} at {commit[:12]}, in {config.remote}/{aside}; {config.branch} lacks it")
        if published and release.pypi.files(release.config.distribution, release.version):
            return Warned(
                f"{config.remote}/{config.branch} has moved to {branch[:12]}, and no longer has {release.tag}",
                f"Merge {release.tag} into {config.branch}: users have what it leads to.",
            )
        what = f"{config.remote}/{config.branch} has moved to {branch[:12]} since {commit[:12]} was created"
        if how == "branch":
            return Todo(f"push {aside} and {release.tag}; {config.branch} stays at {branch[:12]}")
        if how == "merge":
            try:
                merged(release, commit, branch)
            except StepError as error:
                return Conflict(f"{what}, and {error.message}", error.remedy)
            return Todo(f"merge {commit[:12]} into {config.branch} at {branch[:12]}, push it and {release.tag}")
        if in_job():
            return Conflict(what, in_job_remedy(release, published=published))
        return Conflict(
            what,
            f"Choose: `--choose {self.name}=merge` (costs a merge commit in {config.branch}; the files stay as they "
            f"are), `--choose {self.name}=branch` (costs a merge later: the commit and {release.tag} are pushed as "
            f"{aside}), or `invoke rollback --version {release.version}`, which discards it; then pull and release "
            f"again ({_price_of_again(release)}).",
        )

    def _remote_branch(self, release: Release) -> str | None:
        """Return the remote branch's commit, with its objects fetched."""
        git, config = release.git, release.config.git
        found = git.remote_branch(config.remote, config.branch)
        if found and git.commit(found) is None:
            git.fetch_objects(config.remote, found)
        return found


def in_job_remedy(release: Release, *, published: bool) -> str:
    """Return what to do where the branch has moved since a job made the release commit."""
    config = release.config
    if published:
        return (
            f"Find out who took {release.tag} out of {config.git.branch}. Merge it into {config.git.branch}, then "
            "re-run the failed jobs."
        )
    return (
        f"Start {config.release_workflow} again, which releases what is there now. What TestPyPI has already stays "
        "there, and no user gets it."
    )


def side_branch(release: Release) -> str:
    """Return the branch that takes the release commit where the branch of releases has moved and stays as it is."""
    return release.config.git.release_branch.format(version=release.version)


def merged(release: Release, commit: str, branch: str) -> str:
    """Return a merge of the release commit into a branch that has moved; nothing but objects is written.

    Raises:
        StepError: Files were changed on both sides.
    """
    git, path = release.git, release.config.changelog
    merge, base = merging.merge_trees(git, branch, commit), merging.merge_base(git, branch, commit)
    texts = [git.file(one, path) if one else None for one in (commit, base, branch)]
    resolved = None
    if all(texts) and len(set(texts)) == 3:
        resolved = with_new_entries(*(str(text) for text in texts))
    open_files = [name for name in merge.conflicts if not (name == path and resolved)]
    if len(set(texts)) == 3 and not resolved and path not in open_files:
        open_files.append(path)
    if open_files:
        raise StepError(
            f"a person has to merge {', '.join(open_files)}",
            f"Choose `--choose push_tag=branch`, and merge {side_branch(release)} into {release.config.git.branch} "
            "by a pull request.",
        )
    tree = merging.with_texts(git, merge.tree, {path: resolved}) if resolved else merge.tree
    message = f"Merge release {release.tag} into {release.config.git.branch}"
    return merging.commit_merge(git, tree, (branch, commit), message)


def _price_of_again(release: Release) -> str:
    """Return what a rollback would cost now, in words."""
    try:
        taken = release.testpypi.files(release.config.distribution, release.version)
    except ServiceError:
        return "costs another build"
    if not taken:
        return "costs another build, and no number"
    return f"costs another build, and TestPyPI: it keeps the files of {release.version}"
