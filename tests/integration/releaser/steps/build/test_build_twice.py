"""What a workflow will build again is built twice before anything of it is public."""

from __future__ import annotations

import pytest
from harness.scene import Scene, assert_says

from releaser.core.step import Done, Todo
from releaser.errors import StepError
from releaser.steps.build.build_dists import BuildDists
from releaser.steps.build.build_twice import BuildTwice
from releaser.steps.ci.dispatch_release import BeforeDispatch

RELEASE = """\
run-name: Release ${{ inputs.version }}
on:
  workflow_dispatch:
    inputs:
      version:
        type: string
jobs: {}
"""
_TELL = """

def packaged():
    Path("src/tiny_thing/made.txt").write_text({what})
    return _packaged()
"""


def telling(scene: Scene, what: str) -> None:
    """Have the build write what differs from one build to the next."""
    scene.project.replace("backend.py", "def packaged():", "def _packaged():")
    scene.project.replace("backend.py", "import io\n", "import io\nimport time\n")
    text = (scene.project.path / "backend.py").read_text("utf-8")
    scene.project.write("backend.py", text + _TELL.format(what=what))
    scene.project.commit("Tell of the build")


def by_workflow(scene: Scene) -> None:
    scene.project.configure("[tool.releaser.pypi]\n", '[tool.releaser.pypi]\nvia = "ci"\nworkflow = "up.yml"\n')


def by_ci(scene: Scene) -> None:
    scene.project.write(".github/workflows/release.yml", RELEASE)
    scene.project.configure("[tool.releaser]\n", '[tool.releaser]\nrun = "ci"\n')


differing = pytest.mark.parametrize("what", ["str(time.time_ns())", "str(Path.cwd())"], ids=["a time", "a path"])


@differing
def test_a_build_that_makes_other_bytes_the_second_time_is_refused_with_the_member_and_what_follows(
    scene: Scene, what: str
) -> None:
    telling(scene, what)
    by_workflow(scene)
    release = scene.with_release_commit()
    with pytest.raises(StepError) as caught:
        BuildDists().run(release)
    assert_says(
        caught.value.message,
        "A second build makes other bytes: tiny_thing-0.2.0-py3-none-any.whl",
        "tiny_thing/made.txt",
        "up.yml publishes only what it can build again, and would publish nothing",
    )
    assert_says(caught.value.remedy, 'via = "upload"', "Nothing is public: run `invoke rollback --version 0.2.0`")
    assert release.store.dists() is None


def test_where_this_machine_uploads_what_it_built_it_need_not_be_built_again(scene: Scene) -> None:
    telling(scene, "str(time.time_ns())")
    release = scene.with_release_commit()
    BuildDists().run(release)
    assert release.store.dists() is not None


def test_a_checkout_is_built_once(scene: Scene) -> None:
    telling(scene, "str(time.time_ns())")
    by_workflow(scene)
    assert_says(scene.run("build").out, "build_dists: done")


@differing
def test_a_workflow_whose_jobs_would_build_other_bytes_is_not_started(scene: Scene, what: str) -> None:
    telling(scene, what)
    by_ci(scene)
    scene.refuses(
        *("release", "--version", "0.2.0", "--yes"),
        says=(
            f"A second build of {scene.project.head()[:12]} makes other bytes: tiny_thing-",
            "tiny_thing/made.txt",
            "release.yml publishes only what two of its jobs build alike",
            'run = "here" in [tool.releaser], via = "upload"',
            "Nothing was started",
        ),
        code=1,
    )
    assert not scene.release().forge.workflows.runs("release.yml")


def test_a_commit_that_was_built_twice_is_not_built_again_and_another_is(scene: Scene) -> None:
    by_ci(scene)
    step = BeforeDispatch(BuildTwice())
    first = scene.check(step)
    assert isinstance(first, Todo)
    assert_says(first.what, f"build {scene.project.head()[:12]} twice here and compare, as jobs of release.yml do")
    step.run(scene.release())
    seen = scene.check(step)
    assert isinstance(seen, Done)
    assert_says(seen.evidence, "tiny_thing-", ".whl", ".tar.gz", "both times")
    assert seen.seen
    assert len(scene.git("worktree", "list").splitlines()) == 1
    scene.project.write("README.md", "Another.\n")
    scene.project.commit()
    assert isinstance(scene.check(step), Todo)
