"""The whole release, to be read aloud.

Nothing public happens until everything that can fail on this machine has passed.
"""

from __future__ import annotations

from releaser.config.project import Config
from releaser.core.step import Phase, Plan, in_order, together
from releaser.release import Release
from releaser.steps.after.close_milestone import CloseMilestone
from releaser.steps.after.fast_forward import FastForward
from releaser.steps.after.remove_worktree import RemoveWorktree
from releaser.steps.after.write_announcement import WriteAnnouncement
from releaser.steps.build.build_dists import BuildDists
from releaser.steps.build.inspect_dists import InspectDists
from releaser.steps.build.write_sbom import WriteSbom
from releaser.steps.preflight.checkout import BeClean, BeLevel, BeOnBranch, FindIdentity
from releaser.steps.preflight.project import AgreeOnVersion, FindTools, HaveChanges, KnowBackend, RaiseVersion
from releaser.steps.preflight.registry import LogInForImages
from releaser.steps.preflight.services import HaveNoBlockers, LogInToForge, LogInToIndex
from releaser.steps.publish.draft_release import DraftRelease
from releaser.steps.publish.publish_release import PublishRelease
from releaser.steps.publish.push_images import PushImages
from releaser.steps.publish.try_testpypi import TryTestPyPI
from releaser.steps.publish.upload_assets import UploadAssets
from releaser.steps.publish.upload_dists import UploadDists
from releaser.steps.push.create_tag import CreateTag
from releaser.steps.push.push_tag import PushTag
from releaser.steps.qualify.build_images import BuildImages
from releaser.steps.qualify.pass_session import PassSession
from releaser.steps.qualify.start_images import StartImages
from releaser.steps.qualify.try_wheel import TryWheel
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
    """The plan for a project: phases in order, and in each phase what may run side by side."""
    required = [PassSession(name, required=True) for name in config.qualify.sessions]
    where_possible = [PassSession(name, required=False) for name in config.qualify.where_possible]
    forge_release = (DraftRelease(), UploadAssets(), PublishRelease())
    on_pypi = UploadDists("pypi", "PyPI")
    # A workflow that uploads is started by the published release; an upload from here waits for nobody.
    releases = [(*forge_release, on_pypi)] if config.pypi.via == "ci" else [forge_release, on_pypi]
    # A project without images has none of these.
    has_images = bool(config.images.targets)
    log_in = [LogInForImages()] if has_images else []
    good_images = [(BuildImages(), StartImages())] if has_images else []
    push_images = [PushImages()] if has_images else []
    verify_images = [VerifyImages()] if has_images else []
    return (
        # Every reason not to release is found before anything is touched, and all of them are shown together.
        # (What later steps find in the way, such as other bytes on the index, is found by the same survey.)
        Phase(
            "preflight",
            "nothing stands against a release",
            together(
                FindTools(),
                FindIdentity(),
                BeOnBranch(),
                BeClean(),
                BeLevel(),
                AgreeOnVersion(),
                RaiseVersion(),
                HaveChanges(),
                KnowBackend(),
                LogInToIndex("testpypi"),
                LogInToIndex("pypi"),
                LogInToForge(),
                *log_in,
                HaveNoBlockers(),
            ),
        ),
        # The release commit is made in a working tree of its own; the user's checkout is not touched.
        Phase(
            "stage",
            "the release commit exists here",
            in_order(OpenWorktree(), BumpVersions(), RotateChangelog(), CommitRelease()),
        ),
        # Built once. These very bytes are tested, uploaded, attached and installed from here on.
        Phase("build", "the files to release exist here", in_order(BuildDists(), InspectDists(), WriteSbom())),
        # Everything that can fail on this machine fails here, in public's absence.
        # Images are built once, too: what starts here is what is pushed later.
        Phase("qualify", "the built files are good", together(TryWheel(), *required, *where_possible, *good_images)),
        # From here on things leave this machine. A file name on TestPyPI cannot be used twice either.
        Phase(
            "testpypi",
            "TestPyPI has the files, and they install from there",
            in_order(UploadDists("testpypi", "TestPyPI"), TryTestPyPI()),
            ask="Everything passed here. Go on in public: TestPyPI, branch and tag, release, PyPI"
            + (", images?" if has_images else "?"),
        ),
        # Branch and tag together or not at all. From here the way back costs a version.
        Phase("push", "branch and tag are at the remote", in_order(CreateTag(), PushTag())),
        # What does not need one another goes side by side.
        Phase("publish", "the release is out", together(*releases, *push_images)),
        # What users get, asked of the services and not of our memory.
        Phase(
            "verify",
            "users get what was built",
            together(VerifyIndexFiles(), VerifyRelease(), InstallFromPyPI(), UpgradeFromPyPI(), *verify_images),
        ),
        # The new [Unreleased] section is part of the release commit.
        Phase(
            "after",
            "the release is wrapped up",
            together(WriteAnnouncement(), CloseMilestone(), (RemoveWorktree(), FastForward())),
        ),
    )
