"""What a workflow will build again is built twice before anything of it is public."""

from __future__ import annotations

import pytest
from harness.scene import Scene, assert_says

from releaser.errors import StepError
from releaser.steps.build.build_dists import BuildDists

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


@pytest.mark.parametrize("what", ["str(time.time_ns())", "str(Path.cwd())"], ids=["a time", "a path"])
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
