"""A workflow is read as GitHub reads it; every construct that is not carried out is refused by name and line."""

from __future__ import annotations

import re

import pytest

from releaser.rehearsal.actions.reading.check import parsed
from releaser.rehearsal.actions.reading.document import WorkflowError, read

GOOD = """name: demo
on:
  push: {tags: ["v*"]}
  workflow_dispatch:
    inputs:
      version: {required: true}
permissions: {}
jobs:
  build:
    runs-on: ubuntu-latest
    outputs: {made: "${{ steps.make.outputs.made }}"}
    steps:
      - id: make
        run: echo ${{ inputs.version }}
  use:
    needs: build
    if: needs.build.outputs.made
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@0
        with: {persist-credentials: false}
"""


def test_a_workflow_is_read():
    workflow = parsed("good.yml", GOOD)
    assert workflow.jobs["use"].needs == ("build",)
    assert workflow.on.push
    assert workflow.on.push.tags == ("v*",)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("name: demo\n", "name: demo\ndefaults: {}\n", "line 2: `defaults` is not carried out"),
        ("  push:", "  schedule_:", "line 3: `schedule_` is not carried out"),
        ("    needs: build\n", "    needs: build\n    services: {}\n", "line 17: `services` is not carried out"),
        ("ubuntu-latest\n    outputs", "windows-latest\n    outputs", "line 10: the runner `windows-latest`"),
        ("    needs: build\n", "", "line 16: `needs.build.outputs.made` is not known there"),
        ("outputs.made\n", "outputs.other\n", "line 17: the job `build` has no output `other`"),
        ("${{ inputs.version }}", "${{ inputs.versio }}", "line 14: `inputs.versio` is not known there"),
        ("${{ inputs.version }}", "${{ secrets.TOKEN }}", "line 14: `secrets` are none"),
        ("${{ inputs.version }}", "${{ github.head_ref }}", "line 14: `github.head_ref` is not known there"),
        ("run: echo", "shell: pwsh\n        run: echo", "line 14: `shell`: Input should be 'bash'"),
        ("actions/checkout@0", "somebody/else@0", "line 20: the action `somebody/else` has no stand-in"),
        ("{persist-credentials: false}", "{persist-credentials: true}", "line 21: `persist-credentials: true`"),
        ("{persist-credentials: false}", "{lfs: true}", "line 21: the input `lfs` of actions/checkout"),
        ("permissions: {}\n", "", "`permissions` are missing"),
        ("permissions: {}", "permissions: {content: read}", "line 7: there is no permission `content`"),
        ("needs: build", "needs: [build, use]", "line 16: the job `use` waits for itself"),
        ("name: demo", "name: demo\nname: other", "line 2: `name` is there twice"),
        ("name: demo", "name: &a demo\nrun-name: *a", "anchors and aliases"),
        ("name: demo", "name: [", "it is not YAML"),
    ],
)
def test_what_is_not_carried_out_is_refused(old, new, said):
    assert old in GOOD
    with pytest.raises(WorkflowError) as caught:
        parsed("bad.yml", GOOD.replace(old, new, 1))
    assert said in caught.value.message


def test_each_problem_is_said_once_with_all_its_lines():
    bad = GOOD.replace("name: demo\n", "name: demo\ndefaults: {}\n").replace(
        "    runs-on: ubuntu-latest\n", "    container: {}\n    runs-on: ubuntu-latest\n"
    )
    with pytest.raises(WorkflowError) as caught:
        parsed("bad.yml", bad)
    first, second, third = caught.value.message.splitlines()
    assert (first, second) == ("bad.yml:", "- line 2: `defaults` is not carried out")
    assert re.fullmatch(r"- lines \d+, \d+: `container` is not carried out", third)


def test_a_job_that_needs_one_without_a_place_does_not_wait_for_itself():
    more = "  last:\n    needs: use\n    runs-on: ubuntu-latest\n    steps: [{run: ls}]\n"
    with pytest.raises(WorkflowError) as caught:
        parsed("bad.yml", GOOD.replace("needs: build", "needs: [build, buidl]") + more)
    assert caught.value.message == "bad.yml, line 16: there is no job `buidl`"


def test_on_is_a_word_and_yes_is_none_of_the_booleans():
    found = read("x.yml", "on: push\nyes: no\nnumber: 1.5\ntext: '1'\nempty:\n")
    assert found.value == {"on": "push", "yes": "no", "number": 1.5, "text": "1", "empty": None}
    assert found.line(("number", "inner")) == 3
