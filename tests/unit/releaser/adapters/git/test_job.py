from __future__ import annotations

from pathlib import Path

import pytest

from releaser.adapters.environment import Changes
from releaser.adapters.git import Git
from releaser.adapters.git.job import in_job
from releaser.secret import Secret

SERVER = "https://forge.example"
TOKEN = Secret("ghs_" + "a1" * 20)


@pytest.fixture
def git(tmp_path: Path) -> Git:
    made = Git(tmp_path)
    made.run("init", "--quiet", "--initial-branch=main")
    (tmp_path / "file").write_text("one\n")
    made.run("add", "file")
    return made


def headers(git: Git, env: Changes | None = None) -> list[str]:
    return git.ask("config", "--get-regexp", r"^http\..*extraheader", check=False, env=env).text.splitlines()


def test_a_jobs_login_is_for_the_calls_to_its_remote_alone_and_in_no_file(git: Git) -> None:
    job = in_job(git, SERVER, TOKEN)
    assert headers(job) == []
    (header,) = headers(job, job.network())
    assert header.startswith(f"http.{SERVER}/.extraheader AUTHORIZATION: basic ")
    assert "AUTHORIZATION" not in (git.root / ".git" / "config").read_text()
    assert "AUTHORIZATION" not in repr(job)
    without = in_job(git, SERVER, None)
    assert headers(without, without.network()) == []


def test_a_job_commits_as_the_workflows_user_without_hooks_and_signatures(git: Git) -> None:
    hook = git.root / ".git" / "hooks" / "commit-msg"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho changed >> $1\n")
    hook.chmod(0o755)
    git.run("config", "commit.gpgSign", "true")
    in_job(git, SERVER, None).run("commit", "--quiet", "--message", "One")
    shown = git.line("show", "--no-patch", "--format=%an <%ae> %B")
    assert shown == "github-actions[bot] <41898282+github-actions[bot]@users.noreply.github.com> One"


def test_settings_that_are_given_the_same_way_stay(git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("COUNT", "1"), ("KEY_0", "user.signingkey"), ("VALUE_0", "mine")):
        monkeypatch.setenv(f"GIT_CONFIG_{name}", value)
    job = in_job(git, SERVER, TOKEN)
    assert job.line("config", "user.signingkey") == "mine"
    assert len(headers(job, job.network())) == 1
