"""What steps write for those after them, and what a job has of this machine's environment."""

from __future__ import annotations

import pytest

from releaser.rehearsal.actions.workspace import CommandFileError, Log, Workspace


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    return Workspace(tmp_path / "job", "octo-org/demo")


def test_what_a_step_writes_is_taken_over_as_outputs_variables_and_paths(workspace):
    workspace.begin_step()
    (workspace.commands / "github_output").write_text("one=1=1\nmany<<END\na\nb\nEND\n")
    (workspace.commands / "github_env").write_text("NAME=value\n")
    (workspace.commands / "github_path").write_text("/first\n/second\n")
    assert workspace.end_step() == {"one": "1=1", "many": "a\nb"}
    env = workspace.environment({"OWN": "1"})
    assert (env["NAME"], env["OWN"], env["CI"]) == ("value", "1", "true")
    assert str(env["PATH"]).startswith("/second:/first:")
    workspace.begin_step()
    assert workspace.end_step() == {}


@pytest.mark.parametrize("text", ["no value\n", "many<<END\na\n"])
def test_a_file_of_a_step_that_cannot_be_read_is_an_error(workspace, text):
    workspace.begin_step()
    (workspace.commands / "github_output").write_text(text)
    with pytest.raises(CommandFileError):
        workspace.end_step()


def test_a_job_has_a_home_of_its_own_and_none_of_this_machines_credentials(workspace, monkeypatch):
    monkeypatch.setenv("PYPI_TOKEN", "pypi-0123456789abcdef0123")
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_0123456789abcdef0123")
    monkeypatch.setenv("VIRTUAL_ENV", "/elsewhere")
    env = workspace.environment({})
    assert env["HOME"] == str(workspace.home)
    assert not {"PYPI_TOKEN", "GITHUB_TOKEN", "VIRTUAL_ENV", "PYTHONPATH"} & env.keys()


def test_a_job_takes_of_the_settings_of_pip_and_uv_only_how_to_reach_an_index(workspace, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "https://index.example.invalid/simple/")
    for name in ("PIP_TARGET", "PIP_NO_DEPS", "UV_PYTHON"):
        monkeypatch.setenv(name, "1")
    env = workspace.environment({})
    assert env["PIP_INDEX_URL"] == "https://index.example.invalid/simple/"
    assert not {"PIP_TARGET", "PIP_NO_DEPS", "UV_PYTHON"} & env.keys()


def test_a_log_hides_tokens(tmp_path):
    log = Log(tmp_path / "logs" / "1.txt")
    log.hide("a-token-of-a-job", None)
    log.line("it is a-token-of-a-job")
    log.close()
    assert "it is [hidden]" in log.path.read_text()
