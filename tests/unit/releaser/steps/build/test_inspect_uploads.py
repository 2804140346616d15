"""What the index would refuse of the built files, or show without its links."""

from __future__ import annotations

import pytest
from harness.scene import Scene

from releaser.core.step import Done, Todo
from releaser.errors import StepError
from releaser.steps.build.inspect_uploads import InspectUploads

BACKEND = "backend.py"


def test_files_that_pypi_accepts_pass_once(scene: Scene) -> None:
    release = scene.with_dists()
    assert isinstance(scene.check(InspectUploads()), Todo)
    InspectUploads().run(release)
    assert isinstance(scene.check(InspectUploads()), Done)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("-py3-none-any.whl", "-py3-none-linux_x86_64.whl", "unsupported platform tag 'linux_x86_64'"),
        ("License-Expression: MIT\\n", "Classifier: Nonsense\\n", "'Nonsense' is not a valid classifier"),
        ("License-Expression: MIT\\n", "Requires-Dist: a @ https://example.invalid/a.whl\\n", "Can't have direct dep"),
        ("Metadata-Version: 2.4", "Metadata-Version: 9.0", "'9.0' is not a valid metadata version"),
        ("{Path('README.md').read_text('utf-8')}", "[Guide](docs/guide.md)", "line 1: link docs/guide.md"),
    ],
    ids=["platform", "classifier", "dependency", "metadata version", "link"],
)
def test_what_only_the_built_files_show_is_refused(scene: Scene, old: str, new: str, reason: str) -> None:
    scene.project.replace(BACKEND, old, new)
    scene.project.commit()
    with pytest.raises(StepError) as caught:
        InspectUploads().run(scene.with_dists())
    assert reason in caught.value.message
    assert "nothing is public yet" in caught.value.remedy
    assert isinstance(scene.check(InspectUploads()), Todo)


def test_all_that_is_wrong_is_named_at_once(scene: Scene) -> None:
    scene.project.replace(BACKEND, "License-Expression: MIT\\n", "Classifier: Nonsense\\n")
    scene.project.replace(BACKEND, "{Path('README.md').read_text('utf-8')}", "[Guide](docs/guide.md)")
    scene.project.commit()
    with pytest.raises(StepError, match=r"(?s)'Nonsense' is not a valid classifier.*link docs/guide\.md"):
        InspectUploads().run(scene.with_dists())
