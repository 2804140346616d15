"""The report says of each job what its token was used for, and of each run what was not shown."""

from __future__ import annotations

from releaser.rehearsal.actions.report import compose

JOB = {
    "id": 3,
    "name": "Tag and release",
    "status": "completed",
    "conclusion": "success",
    "started_at": "2026-11-27T12:00:00Z",
    "completed_at": "2026-11-27T12:00:24Z",
    "environment": "release",
    "approved_by": "reviewer",
    "permissions": {"contents": "write", "actions": "write"},
    "used": ["contents: read", "contents: write"],
    "unproven": ["Python 3.14: this machine has none"],
}
RUN = {
    "workflow": "release.yml",
    "status": "completed",
    "conclusion": "success",
    "event": "workflow_dispatch",
    "head_branch": "main",
    "head_sha": "a" * 40,
    "actor": "ada",
    "run_attempt": 1,
    "jobs": [JOB],
}


def test_permissions_of_a_job_are_told_by_their_use(tmp_path):
    text = compose([RUN], tmp_path)
    assert "release.yml: passed; workflow_dispatch of main at aaaaaaaaaaaa by ada" in text
    assert (
        "Tag and release: passed in 24 s, environment release, approved by reviewer; "
        "used contents: write; unused actions: write" in text
    )
    assert "- Python 3.14: this machine has none" in text.split("Unproven:")[1]


def test_a_failed_job_shows_the_end_of_its_log(tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "3.txt").write_text("2026-11-27T12:00:01Z ##[error]Process completed with exit code 3\n")
    run = {**RUN, "conclusion": "failure", "run_attempt": 2, "jobs": [{**JOB, "conclusion": "failure", "used": []}]}
    text = compose([run], tmp_path)
    assert "release.yml: FAILED; workflow_dispatch of main at aaaaaaaaaaaa by ada, attempt 2" in text
    assert "    ##[error]Process completed with exit code 3" in text
    assert "; unused contents: write, actions: write" in text


def test_a_workflow_that_was_not_carried_out_is_unproven(tmp_path):
    run = {**RUN, "conclusion": "skipped", "problem": "A rehearsal does not carry it out", "jobs": []}
    assert "- release.yml: it was not carried out" in compose([run], tmp_path).split("Unproven:")[1]
