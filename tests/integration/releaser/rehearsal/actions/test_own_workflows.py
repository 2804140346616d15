"""This project's own workflow that uploads, unedited, carried out for a project whose `invoke` tells what it was given.

Whether the tasks do what they should is tested where they are; here it is the YAML: which job runs when, with what,
and what its token may do.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from runner_hub import conclusions, git

from releaser.rehearsal.actions.reading.check import parsed
from releaser.rehearsal.actions.setting import JobFault

ROOT = Path(__file__).parents[5]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
BACKEND = """
import base64, hashlib, zipfile

FILES = {
    "demo.pth": "{here}\\n",
    "demo-1.0.dist-info/METADATA": "Metadata-Version: 2.1\\nName: demo\\nVersion: 1.0\\n",
    "demo-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\\nGenerator: own\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    "demo-1.0.dist-info/entry_points.txt": "[console_scripts]\\ninvoke = own_tasks:main\\n",
}

def build_editable(directory, config_settings=None, metadata_directory=None):
    import os

    record = ""
    with zipfile.ZipFile(f"{directory}/demo-1.0-py3-none-any.whl", "w") as wheel:
        for name, text in FILES.items():
            content = text.replace("{here}", os.getcwd()).encode()
            wheel.writestr(name, content)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            record += f"{name},sha256={digest},{len(content)}\\n"
        wheel.writestr("demo-1.0.dist-info/RECORD", record + "demo-1.0.dist-info/RECORD,,\\n")
    return "demo-1.0-py3-none-any.whl"
"""
TASKS = """
import json, os, pathlib, sys

def main():
    env = {name: bool(os.environ.get(name)) for name in ("GITHUB_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL")}
    told = {"words": sys.argv[1:], **env, "HOME": os.listdir(os.environ["HOME"])}
    told |= {name: os.environ.get(name) for name in ("REBUILT", "CHOOSE")}
    print("TOLD " + json.dumps(told))
    if sys.argv[1] == "ci.rebuild":
        pathlib.Path("dist").mkdir()
        pathlib.Path("dist/demo.whl").write_text("built")
        with open(os.environ["GITHUB_OUTPUT"], "a") as outputs:
            outputs.write("manifest={\\"files\\": 1}\\nattach=false\\n")
    else:
        assert pathlib.Path("dist/demo.whl").read_text() == "built"
"""
PROJECT = {
    "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    '[project]\nname = "demo"\nversion = "1.0"\n',
    "backend.py": BACKEND,
    "own_tasks.py": TASKS,
    **{f".github/{lock.name}": "" for lock in (ROOT / ".github").glob("*-requirements.txt")},
}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_workflow_of_this_project_can_be_carried_out(path):
    assert parsed(path.name, path.read_text("utf-8")).jobs


async def test_a_published_release_starts_the_workflow_that_uploads_it(hub):
    text = (ROOT / ".github" / "workflows" / "build-wheel.yml").read_text("utf-8")
    fault = JobFault("after", "publish", 6)
    github = await hub(files=PROJECT, setting={"faults": (fault,)}, **{"build-wheel": text})
    github.settings(environments={"release": {"tags": ["v*"], "reviewers": ["grace"], "approve_after": 0.01}})
    git(github.tree, "tag", "--annotate", "--message", "One", "v1.0")
    git(github.tree, "push", "--quiet", "origin", "v1.0")
    release = {"tag_name": "v1.0", "draft": False}
    assert (await github.ask("POST", "/repos/octo-org/demo/releases", "ghp_ada", release))[0] == 201
    run = await github.ended(github.runs()[0]["id"])
    assert run["display_title"] == "Publish v1.0"
    first, tried, published, attached = (job["name"] for job in run["jobs"])
    assert list(conclusions(run).values()) == ["success", "success", "failure", "skipped"]

    github.actions.rerun_failed(run["id"])
    run = await github.ended(run["id"])
    assert conclusions(run) == {first: "success", tried: "success", published: "success", attached: "skipped"}
    told = {
        job["name"]: json.loads(github.log(run, job["name"]).split("TOLD ")[1].splitlines()[0])
        for job in run["jobs"][:3]
    }
    assert told[first]["words"][:3] == ["ci.rebuild", "--version", "1.0"]
    assert told[published]["words"][:3] == ["publish.pypi", "--version", "1.0"]
    assert told[published]["REBUILT"] == told[tried]["REBUILT"] == '{"files": 1}'
    assert {name: one["ACTIONS_ID_TOKEN_REQUEST_URL"] for name, one in told.items()} == {
        first: False,
        tried: False,
        published: True,
    }
    assert {job["name"]: job["permissions"] for job in run["jobs"][:3]} == {
        first: {"contents": "read"},
        tried: {},
        published: {"contents": "read", "id-token": "write"},
    }


async def test_a_person_s_choice_reaches_the_jobs_and_shows_in_the_run_s_title(hub):
    text = (ROOT / ".github" / "workflows" / "release.yml").read_text("utf-8")
    github = await hub(files=PROJECT, release=text)
    runs = {}
    for choice in ({}, {"choose": "upload_testpypi=without"}):
        given = {"ref": "main", "inputs": {"version": "1.0", **choice}}
        where = "/repos/octo-org/demo/actions/workflows/release.yml/dispatches"
        assert (await github.ask("POST", where, "ghp_ada", given))[0] == 204
        run = await github.ended(github.runs()[-1]["id"])
        runs[run["display_title"]] = json.loads(github.log(run, "Build").split("TOLD ")[1].splitlines()[0])["CHOOSE"]
    assert runs == {"Release 1.0 ": "", "Release 1.0 upload_testpypi=without": "upload_testpypi=without"}
