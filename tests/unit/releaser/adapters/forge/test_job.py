from __future__ import annotations

from pathlib import Path

import pytest

from releaser.adapters.forge.job import Job
from releaser.errors import ConflictError, UsageError

MAIN = "refs/heads/main"
VARIABLES = {
    "GITHUB_REPOSITORY": "me/demo",
    "GITHUB_EVENT_NAME": "workflow_dispatch",
    "GITHUB_SHA": "a" * 40,
    "GITHUB_REF": MAIN,
    "GITHUB_WORKFLOW_REF": f"me/demo/.github/workflows/release.yml@{MAIN}",
    "GITHUB_OUTPUT": "outputs",
    "GITHUB_SERVER_URL": "https://forge.example",
}
EVENTS = {"workflow_dispatch": (MAIN,)}


def test_the_right_workflow_for_the_right_ref_may_go_on() -> None:
    Job.here(VARIABLES).expect("Me/Demo", "release.yml", EVENTS)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"GITHUB_REPOSITORY": "you/demo"}, "it runs in you/demo, not in me/demo"),
        ({"GITHUB_EVENT_NAME": "push"}, "the event push started it, not workflow_dispatch"),
        ({"GITHUB_REF": "refs/heads/side"}, "its workflow is that of refs/heads/main, and it runs for refs/heads/side"),
        ({"GITHUB_WORKFLOW_REF": f"me/demo/.github/workflows/other.yml@{MAIN}"}, "not release.yml of me/demo"),
        ({"GITHUB_WORKFLOW_REF": f"you/demo/.github/workflows/release.yml@{MAIN}"}, "not release.yml of me/demo"),
        ({"GITHUB_WORKFLOW_REF": f"me/demo/.github/workflows/x/release.yml@{MAIN}"}, "not release.yml of me/demo"),
    ],
)
def test_anything_else_is_refused_by_name(changes: dict[str, str], says: str) -> None:
    with pytest.raises(ConflictError) as refused:
        Job.here({**VARIABLES, **changes}).expect("me/demo", "release.yml", EVENTS)
    assert says in refused.value.message
    assert refused.value.remedy == f"Start release.yml for {MAIN}."


def test_outside_a_job_what_is_missing_is_named() -> None:
    with pytest.raises(UsageError, match="GITHUB_SHA, GITHUB_OUTPUT not set"):
        Job.here({name: value for name, value in VARIABLES.items() if name not in ("GITHUB_SHA", "GITHUB_OUTPUT")})


def test_an_output_is_one_line(tmp_path: Path) -> None:
    job = Job.here({**VARIABLES, "GITHUB_OUTPUT": str(tmp_path / "outputs")})
    job.output("manifest", "{}")
    job.output("attach", "true")
    assert (tmp_path / "outputs").read_text() == "manifest={}\nattach=true\n"
    with pytest.raises(ValueError, match="several lines"):
        job.output("manifest", "{}\nother=1")
