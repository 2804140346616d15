"""The whole release as one list of steps, to be read aloud, and the way back as another.

Nothing becomes public until everything that can fail on this machine has passed. Every project has every step: whether
a step applies (a project without images, a workflow that uploads) is what the step itself answers when it is asked.
"""

from __future__ import annotations

from collections.abc import Sequence

from releaser.adapters.where import CHOICES
from releaser.config.project import Config
from releaser.core.step import Phase, Plan, in_order, part_of, together
from releaser.release import Release
from releaser.steps.after.attach_report import AttachReport
from releaser.steps.after.close_milestone import CloseMilestone
from releaser.steps.after.fast_forward import FastForward
from releaser.steps.after.remove_worktree import RemoveWorktree
from releaser.steps.after.write_announcement import WriteAnnouncement
from releaser.steps.build.build_dists import BuildDists
from releaser.steps.build.build_twice import BuildTwice
from releaser.steps.build.inspect_dists import InspectDists
from releaser.steps.build.inspect_uploads import InspectUploads
from releaser.steps.build.write_sbom import WriteSbom
from releaser.steps.ci.dispatch_release import BeforeDispatch, DispatchRelease
from releaser.steps.ci.fetch_release import FetchFiles, FetchTag
from releaser.steps.ci.follow_release import FollowRelease
from releaser.steps.ci.follow_run import FollowRun
from releaser.steps.ci.have_environments import HaveEnvironments
from releaser.steps.ci.have_workflows import HaveWorkflows
from releaser.steps.preflight.branch_rules import FollowRules
from releaser.steps.preflight.checkout import BeClean, BeLevel, BeOnBranch, FindIdentity
from releaser.steps.preflight.clock import TrustClock
from releaser.steps.preflight.forge_accepts import FitNotes, HavePassedTests
from releaser.steps.preflight.index_rules import MeetIndexRules, RenderReadme
from releaser.steps.preflight.journal import TrustJournal
from releaser.steps.preflight.project import AgreeOnVersion, FindTools, HaveChanges, KnowBackend, RaiseVersion
from releaser.steps.preflight.pushing import LogInToRemote, PushWhereAsked, WriteToGit
from releaser.steps.preflight.registry import LogInForImages
from releaser.steps.preflight.services import HaveNoBlockers, LogInToForge, LogInToIndex
from releaser.steps.preflight.signing import KnowHooks, SignSomething
from releaser.steps.preflight.sources import HaveSources
from releaser.steps.publish.draft_release import DraftRelease
from releaser.steps.publish.publish_release import PublishRelease
from releaser.steps.publish.push_images import PushImages
from releaser.steps.publish.try_testpypi import TryTestPyPI
from releaser.steps.publish.upload_assets import UploadAssets
from releaser.steps.publish.upload_dists import UploadDists
from releaser.steps.push.ask_again import AskAgain
from releaser.steps.push.create_tag import CreateTag
from releaser.steps.push.push_tag import PushTag
from releaser.steps.qualify.build_images import BuildImages
from releaser.steps.qualify.pass_session import configured_sessions
from releaser.steps.qualify.start_images import StartImages
from releaser.steps.qualify.try_push_hook import TryPushHook
from releaser.steps.qualify.try_wheel import TryWheel
from releaser.steps.qualify.try_with_uv import TryWithUv
from releaser.steps.rollback.branch import RevertBump
from releaser.steps.rollback.images import RestoreImageTags
from releaser.steps.rollback.local import DiscardState
from releaser.steps.rollback.public import DeleteImmutable, DeleteRelease, DeleteTag
from releaser.steps.rollback.published import LatestBack, WarnOnRelease
from releaser.steps.rollback.uploads import KnowUploads, StopWorkflow
from releaser.steps.stage.bump_versions import BumpVersions
from releaser.steps.stage.commit_release import CommitRelease
from releaser.steps.stage.open_worktree import OpenWorktree
from releaser.steps.stage.rotate_changelog import RotateChangelog
from releaser.steps.verify.install_from_pypi import InstallFromPyPI
from releaser.steps.verify.upgrade_from_pypi import UpgradeFromPyPI
from releaser.steps.verify.verify_images import VerifyImages
from releaser.steps.verify.verify_index_files import VerifyIndexFiles
from releaser.steps.verify.verify_release import VerifyRelease


def release_plan(config: Config) -> Plan[Release]:
    """Return the plan: phases in order, and in each phase what may run side by side."""
    return (
        # Find every reason not to release before anything changes, and show them all together.
        # (The same survey asks the later steps too: other bytes on the index, for example, are found here.)
        Phase(
            "preflight",
            "ready to release",
            together(
                FindTools(),
                TrustJournal(),
                FindIdentity(),
                SignSomething(),
                KnowHooks(),
                TrustClock(),
                BeOnBranch(),
                BeClean(),
                BeLevel(),
                WriteToGit(),
                PushWhereAsked(),
                LogInToRemote(),
                AgreeOnVersion(),
                RaiseVersion(),
                HaveSources(),
                HaveChanges(),
                FitNotes(),
                KnowBackend(),
                MeetIndexRules(),
                RenderReadme(),
                LogInToIndex("testpypi"),
                LogInToIndex("pypi"),
                LogInToForge(),
                FollowRules(),
                HaveEnvironments(),
                LogInForImages(),
                HaveNoBlockers(),
                HavePassedTests(),
            ),
        ),
        # Make the release commit in a separate working tree; the user's checkout is not touched.
        Phase(
            "stage",
            "release commit exists here",
            in_order(OpenWorktree(), BumpVersions(), RotateChangelog(), CommitRelease()),
        ),
        # Build once. These very bytes are tested, uploaded, attached and installed from here on.
        Phase("build", "built files exist here", in_order(BuildDists(), InspectDists(), InspectUploads(), WriteSbom())),
        # Everything that can fail on this machine fails here, before anything is public.
        # Images are built once, too: what starts here is what is pushed later.
        Phase(
            "qualify",
            "built files pass every local check",
            together(
                (TryWheel(), TryWithUv()),
                TryPushHook(),
                *configured_sessions(config.qualify, alone=False),
                (BuildImages(), StartImages()),
            ),
        ),
        # Benchmarks, and what else minds how busy the machine is: one at a time, with nothing else running.
        Phase("alone", "sessions that run alone pass", in_order(*configured_sessions(config.qualify, alone=True))),
        # From here on steps are public. A file name on TestPyPI cannot be used twice either.
        Phase(
            "testpypi",
            "TestPyPI serves the files, and they install from there",
            in_order(AskAgain(), UploadDists("testpypi"), TryTestPyPI()),
            ask="All local checks passed; from here on the release is public. Still to do:\n{steps}\nContinue?",
        ),
        # Branch and tag together or not at all. From here the way back costs a version.
        Phase("push", "branch and tag pushed", in_order(CreateTag(), PushTag())),
        # The published release starts the workflow that uploads to PyPI where one does, so PyPI comes after it.
        # (An upload from here could go first, and would save the seconds that a draft and its assets take.)
        Phase(
            "publish",
            "release, files and images published",
            together((DraftRelease(), UploadAssets(), PublishRelease(), UploadDists("pypi")), PushImages()),
        ),
        *_afterwards(),
    )


def _afterwards() -> Plan[Release]:
    return (
        # What users get, asked of the services and not of our memory.
        Phase(
            "verify",
            "users get what was built",
            together(VerifyIndexFiles(), VerifyRelease(), InstallFromPyPI(), UpgradeFromPyPI(), VerifyImages()),
            achieved="The release is published, but not everything that users get could be verified",
        ),
        # The new [Unreleased] section is part of the release commit. None of these can make the release look failed.
        Phase(
            "after",
            "release wrapped up",
            together(WriteAnnouncement(), CloseMilestone(), (RemoveWorktree(), FastForward())),
        ),
        # Alone, because it holds the journal with its last line, and after all that it tells of.
        Phase("record", "record of the release attached", in_order(AttachReport())),
    )


def plan_by_workflow() -> Plan[Release]:
    """Return the plan of a release that a workflow carries out: have it started, follow it, verify what users get.

    The workflow runs the steps of `release_plan` itself, each in the job that may.
    """
    return (
        Phase(
            "preflight",
            "ready to release",
            together(
                TrustJournal(),
                TrustClock(),
                *(
                    BeforeDispatch(step)
                    for step in (
                        HaveWorkflows(),
                        HaveEnvironments(),
                        BeOnBranch(),
                        BeClean(),
                        BeLevel(),
                        AgreeOnVersion(),
                        RaiseVersion(),
                        HaveSources(),
                        HaveChanges(),
                        FitNotes(),
                        KnowBackend(),
                        FollowRules(),
                        HaveNoBlockers(),
                    )
                ),
                *(BeforeDispatch(step, in_job=True) for step in (MeetIndexRules(), RenderReadme(), HavePassedTests())),
                LogInToIndex("testpypi"),
                LogInToIndex("pypi"),
                LogInToForge(),
            ),
        ),
        # What its jobs would not agree on is found here, where it takes seconds and starts nothing.
        Phase("build", "the workflow's jobs can agree on what they build", in_order(BeforeDispatch(BuildTwice()))),
        Phase(
            "ci",
            "the workflow has released it",
            in_order(DispatchRelease(), FollowRelease()),
            ask="All local checks passed; the workflow builds, tests and publishes. Still to do:\n{steps}\nContinue?",
        ),
        Phase("fetch", "tag and files of the release exist here", in_order(FetchTag(), FetchFiles())),
        Phase("publish", "files and images published", together(UploadDists("pypi"), PushImages())),
        *_afterwards(),
    )


def plan_of(config: Config) -> Plan[Release]:
    """Return the plan of a release, wherever `run` in the configuration has it carried out."""
    return plan_by_workflow() if config.run == "ci" else release_plan(config)


def choosable(plan: Plan[Release], config: Config) -> Plan[Release]:
    """Return the steps that a person can choose for: the plan's, and those of a workflow's jobs that can be told."""
    return (*plan, *part_of(release_plan(config), *CHOICES)) if config.run == "ci" else plan


def watch_plan(started_by: str, publishing: Sequence[str]) -> Plan[Release]:
    """Return the plan that follows every workflow of a release and changes nothing; empty if none takes part.

    Args:
        started_by: The workflow that releases, and starts the others; empty if it does not carry this release out.
        publishing: The workflows that publish what is released.
    """
    first = [FollowRun(started_by, releases=True)] if started_by else []
    followed = [FollowRun(one, started_by) for one in publishing]
    phases = (
        Phase("release", "the workflow has released it", in_order(*first)),
        Phase("publish", "what it starts has ended", together(*followed)),
    )
    return tuple(phase for phase in phases if phase.steps)


def rollback_plan(*, revert: bool) -> Plan[Release]:
    """Return the plan of a rollback; each step decides by itself what it can do once PyPI serves the version.

    Args:
        revert: Whether to revert the version bump in the branch.
    """
    return (
        Phase(
            "stop",
            "nothing is on its way",
            in_order(StopWorkflow(), KnowUploads("pypi"), KnowUploads("testpypi")),
            ask="To take back, in this order:\n{steps}\nContinue?",
        ),
        # The remote may refuse to delete a tag, and only tells when it is asked to; so that comes before the release.
        # (Not before an immutable one: that keeps its tag.)
        Phase(
            "public",
            "nothing of it is public that can be taken back",
            in_order(DeleteImmutable(), DeleteTag(), DeleteRelease()),
        ),
        Phase("users", "users are led elsewhere", together(WarnOnRelease(), LatestBack(), RestoreImageTags())),
        Phase("branch", "the branch is as it was", in_order(RevertBump(asked=revert))),
        # Last: with what is here, everything above can be continued after a stop.
        Phase("local", "nothing of it is kept here", in_order(DiscardState())),
    )
