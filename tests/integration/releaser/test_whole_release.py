"""One release by the real `invoke`: stopped in three ways, and carried to its end by the same command."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
from harness.projects import Project, git
from harness.scene import Ran, Scene, assert_says, user_environment
from harness.stand_ins import TOKENS, StandIn
from harness.started import HIDE_CURSOR, Started, Terminal, Watch, command_of, started
from harness.waiting import wait_until
from jsonschema import Draft202012Validator

from releaser.core.chain import read_chain
from releaser.rehearsal import remote

RELEASE = ("release", "--version", "0.2.0")
FILES = ["tiny_thing-0.2.0-py3-none-any.whl", "tiny_thing-0.2.0.tar.gz"]
QUESTION = "[y/N] "
RECORDS = ("tiny_thing-0.2.0.report.json", "tiny_thing-0.2.0.report.html")
RECORD = RECORDS[0]
ROOT = Path(__file__).parents[3]


def prove(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Check a record as a stranger does: with Python alone, and nothing of ours to import."""
    command = [sys.executable, "-I", "-S", str(ROOT / "scripts" / "prove.py"), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@dataclass
class Stop:
    """How a release was stopped.

    Attributes:
        code: Its exit code.
        text: What it printed; at a terminal, without colours.
        before: The programs that it had started and that ran.
        left: Those of them that ran when it had ended.
        public: What others could see then.
        raw: What the terminal was sent.
    """

    code: int
    text: str
    before: list[str]
    left: list[str]
    public: dict[str, str]
    raw: str = ""


@dataclass
class Story:
    """What happened, in order; the project and its services are as the last run left them."""

    project: Project
    state: Path
    services: Path
    addresses: dict[str, str]
    public: dict[str, str] = field(default_factory=dict)
    stops: dict[str, Stop] = field(default_factory=dict)
    ended: Ran | None = None
    report: str = ""
    commands: set[str] = field(default_factory=set)
    trusted: set[str] = field(default_factory=set)


def stopped(scene: Scene, running: Started | Terminal, stop: Callable[[], None]) -> Stop:
    """Stop a release, and wait for all that it has started to end."""
    family = psutil.Process(running.process.pid).children(recursive=True)
    before = [command_of(one) for one in family]
    stop()
    if isinstance(running, Terminal):
        code, text, raw = running.end(), running.text, running.raw
    else:
        ran = running.finish()
        code, text, raw = ran.code, ran.err, ""
    psutil.wait_procs(family, timeout=60)
    left = [command for one in family if (command := command_of(one))]
    return Stop(code, text, before, left, scene.public(), raw)


def stop_in_a_session(scene: Scene, watch: Watch) -> Stop:
    lasting = scene.others / "lasting"
    with started(scene.project.path, *RELEASE, "--yes", TRIAL=str(lasting)) as running, watch.on(running):
        wait_until(lasting.exists, "the session")
        return stopped(scene, running, running.interrupt)


def stop_at_the_question(scene: Scene) -> Stop:
    terminal = Terminal(scene.project.path, *RELEASE)
    try:
        terminal.wait_for(QUESTION)
        quiet = terminal.is_quiet(0.4)
        stop = stopped(scene, terminal, lambda: terminal.type("\x03"))
    finally:
        terminal.close()
    assert quiet, "something is drawn over the question"
    return stop


def stop_in_the_push(scene: Scene) -> Stop:
    remote.guard(scene.origin, {"hold": "600"})
    terminal = Terminal(scene.project.path, *RELEASE)
    try:
        terminal.wait_for(QUESTION)
        terminal.type("y\n")
        terminal.read_until((scene.origin / "holding").exists, "the push")
        return stopped(scene, terminal, terminal.process.terminate)
    finally:
        terminal.close()
        remote.guard(scene.origin, {})


@pytest.fixture(scope="session")
def story(once: Callable[..., Story], template: Project, stand_ins: dict[str, StandIn], home: Path) -> Story:
    """Everything that happened, once for all tests that look at it."""

    def happen(root: Path) -> Story:
        (root / "others").mkdir()
        project = template.copied(root / "tiny")
        project.replace("pyproject.toml", "sessions = []", 'sessions = ["trial"]')
        project.configure("[tool.releaser.forge]\n", "[tool.releaser.forge]\nattach-report = true\n")
        told = Story(project, root / "state", root / "services", {name: one.url for name, one in stand_ins.items()})
        watch = Watch(tuple(TOKENS.values()))
        with user_environment(home, told.state) as patch:
            scene = Scene(project, told.state, patch, stand_ins)
            scene.serve(told.services)
            told.public = scene.public()
            told.stops["session"] = stop_in_a_session(scene, watch)
            told.stops["question"] = stop_at_the_question(scene)
            told.stops["push"] = stop_in_the_push(scene)
            with started(project.path, *RELEASE, "--yes") as running, watch.on(running):
                told.ended = running.finish()
            assert told.ended.code == 0, told.ended.text
            told.commands, told.trusted = watch.commands, watch.trusted
            told.report = (scene.store / "report.md").read_text()
            scene.stop()
        return told

    return once("story", happen)


@pytest.fixture
def released(story: Story, stand_ins: dict[str, StandIn], home: Path, tmp_path: Path) -> Iterator[Scene]:
    """A copy of the world in which it was released, with its services; a test that looks at it changes nothing."""
    with user_environment(home, tmp_path / "state") as patch:
        scene = Scene(story.project.copied(tmp_path / "tiny"), tmp_path / "state", patch, stand_ins)
        shutil.copytree(story.services, tmp_path / "services")
        pyproject = scene.project.path / "pyproject.toml"
        text = pyproject.read_text()
        for name, one in stand_ins.items():
            text = text.replace(story.addresses[name], one.url)
        pyproject.write_text(text)
        (kept,) = story.state.glob("tiny-thing-*/0.2.0")
        shutil.copytree(kept, scene.store)
        scene.serve(tmp_path / "services")
        before = scene.public(), scene.project.snapshot()
        yield scene
        assert (scene.public(), scene.project.snapshot()) == before
        scene.stop()


class TestStopped:
    @pytest.mark.parametrize(
        ("stop", "code", "by"),
        [("session", 130, "Ctrl-C"), ("question", 130, "Ctrl-C"), ("push", 143, "SIGTERM")],
    )
    def test_it_says_how_to_go_on_and_leaves_nothing_running(self, story: Story, stop: str, code: int, by: str) -> None:
        found = story.stops[stop]
        assert found.code == code
        assert_says(found.text, f"error: Stopped by {by}", "-> ")
        assert found.left == []

    @pytest.mark.parametrize("stop", ["session", "question"])
    def test_before_the_yes_nothing_is_public(self, story: Story, stop: str) -> None:
        assert story.stops[stop].public == story.public

    def test_of_a_push_that_is_stopped_nothing_arrives(self, story: Story) -> None:
        assert story.stops["push"].public["remote"] == story.public["remote"]

    def test_what_was_stopped_was_running(self, story: Story) -> None:
        assert any("nox" in command for command in story.stops["session"].before)
        assert "sleep 600.0" in story.stops["push"].before

    @pytest.mark.parametrize("stop", ["question", "push"])
    def test_at_a_terminal_the_question_is_asked_once_below_a_live_display(self, story: Story, stop: str) -> None:
        found = story.stops[stop]
        assert found.text.count(QUESTION) == 1
        assert HIDE_CURSOR in found.raw

    def test_what_was_done_is_not_done_again(self, story: Story) -> None:
        for stop in ("question", "push"):
            assert_says(story.stops[stop].text, "build_dists")
        assert_says(story.ended.text, "build_dists: done: ", "pass_trial: done: ")


class TestReleased:
    def test_both_indexes_have_each_file_once(self, released: Scene) -> None:
        assert sorted(released.testpypi.uploads()) == FILES
        assert sorted(released.pypi.uploads()) == FILES

    def test_the_forge_has_one_published_release_with_every_file(self, released: Scene) -> None:
        (release,) = released.forge.releases()
        assert (release["tag_name"], release["draft"], release["prerelease"]) == ("v0.2.0", False, False)
        built = {*FILES, "tiny_thing-0.2.0.cdx.json", "SHA256SUMS"}
        assert {asset["name"] for asset in release["assets"]} == {*built, *RECORDS}
        assert "Says who it is." in release["body"]

    def test_branch_and_annotated_tag_are_at_the_remote_and_here(self, story: Story) -> None:
        project, origin, head = story.project, story.project.origin, story.project.head()
        assert git(origin, "cat-file", "-t", "v0.2.0") == "tag"
        assert git(origin, "rev-parse", "main", "v0.2.0^{commit}").split() == [head, head]
        assert project.git("rev-parse", "refs/releaser/v0.2.0") == head
        assert project.git("show", "--no-patch", "--format=%s") == "chore: bump version to 0.2.0"
        assert project.git("status", "--porcelain") == ""

    def test_it_ends_with_its_report(self, story: Story) -> None:
        assert story.report in story.ended.out
        assert story.report.startswith("# tiny-thing 0.2.0\n")

    def test_it_leaves_a_record_that_a_stranger_can_check_without_the_engine(self, released: Scene) -> None:
        document = json.loads((released.store / RECORD).read_bytes())
        Draft202012Validator(json.loads((ROOT / "docs" / "report.schema.json").read_text("utf-8"))).validate(document)
        claims, last = document["claims"], document["journal"]["last"]
        assert claims["commit"] == released.project.head()
        states = {file["name"]: {one["place"]: one["state"] for one in file["elsewhere"]} for file in claims["files"]}
        assert states["SHA256SUMS"] == {"release": "same"}
        assert [states[file] for file in FILES] == [dict.fromkeys(("TestPyPI", "PyPI", "release"), "same")] * 2
        tested = {one["step"]: one for one in claims["tests"]}
        assert tested["pass_trial"]["passed"] is None  # it leaves no report of its tests
        assert tested["try_wheel"]["seconds"] > 0.1, "the time of the run that tried it, not of the one that knew"
        assert [run["outcome"] for run in claims["runs"]] == ["interrupted", "interrupted", "terminated", "done"]
        assert {tool["name"] for tool in claims["tools"]} >= {"build", "twine", "Python"}
        proved = prove(released.store / RECORD, "--files", released.store / "dist", "--last-hash", last)
        assert proved.returncode == 0, proved.stdout + proved.stderr
        assert_says(proved.stdout, f"{FILES[0]}: its bytes", "the last hash is the one given", "0 wrong")

    def test_a_stranger_proves_what_is_attached_by_the_hash_in_the_notes(self, released: Scene, tmp_path: Path) -> None:
        (release,) = released.forge.releases()
        (tmp_path / "downloads").mkdir()
        for asset in release["assets"]:
            stored = released.forge.folder / "assets" / str(asset["id"])
            shutil.copyfile(stored, tmp_path / "downloads" / asset["name"])
        noted = re.search(rf"`{re.escape(RECORD)}`: `([0-9a-f]{{64}})`", release["body"])
        assert noted
        downloads = tmp_path / "downloads"
        proved = prove(downloads / RECORD, "--files", downloads, "--last-hash", noted[1])
        assert proved.returncode == 0, proved.stdout + proved.stderr
        told = [f"{name}: its bytes" for name in (*FILES, "SHA256SUMS", RECORDS[1])]
        assert_says(proved.stdout, "the last hash is the one given", *told, "0 wrong")

    def test_a_later_report_goes_on_from_it(self, released: Scene, tmp_path: Path) -> None:
        before = json.loads((released.store / RECORD).read_bytes())["journal"]
        ran = released.run("report", "--version", "0.2.0", "--out", tmp_path / "out")
        assert ran.code == 0, ran.text
        after = json.loads((tmp_path / "out" / RECORD).read_bytes())["journal"]
        assert after["lines"][: len(before["lines"])] == before["lines"]
        assert_says(ran.out, after["last"])
        proved = prove(tmp_path / "out" / RECORD, "--last-hash", before["last"])
        assert proved.returncode == 1
        assert_says(proved.stdout, "--last-hash is the hash of line", "lines after it")

    def test_status_says_that_all_is_done(self, released: Scene) -> None:
        ran = released.run("status", "--version", "0.2.0")
        assert ran.code == 0, ran.text
        steps = [line.split()[:2] for line in ran.out.splitlines() if line.startswith("  ")]
        assert {mark for mark, _ in steps} == {"done", "skipped"}
        assert {step for mark, step in steps if mark == "skipped"} >= {"upgrade_from_pypi", "close_milestone"}
        assert_says(ran.out, "0 of ")

    def test_releasing_again_uploads_nothing_again(self, released: Scene) -> None:
        ran = released.run(*RELEASE, "--yes")
        assert ran.code == 0, ran.text

    def test_a_rollback_stops_at_pypi_and_says_which_way_is_forward(self, released: Scene) -> None:
        with released.unchanged():
            ran = released.run("-R", "rollback", "--version", "0.2.0")
        assert ran.code == 0, ran.text
        assert_says(ran.out, "STAYS know_pypi", "STAYS delete_tag", "to do warn_on_release")


class TestSecrets:
    def test_no_token_is_printed(self, story: Story) -> None:
        printed = [story.ended.text, *(stop.text + stop.raw for stop in story.stops.values())]
        assert_hidden("\n".join(printed))

    def test_no_token_is_in_any_file_that_the_release_left(self, story: Story) -> None:
        root = story.project.path.parent
        kept = [path for path in root.rglob("*") if path.is_file()]
        names = {path.name for path in kept}
        assert {"journal.jsonl", "report.md", "SHA256SUMS", "forge.json", "index.json", "uploads.log"} <= names
        for path in kept:
            assert_hidden(path.read_bytes().decode("utf-8", "replace"))

    def test_no_token_is_on_a_command_line(self, story: Story) -> None:
        seen = " | ".join(story.commands)
        assert " upload --non-interactive " in seen, "twine was not seen"
        assert " -m pip " in seen
        assert_hidden(seen)

    def test_programs_that_run_the_projects_code_are_given_no_token(self, story: Story) -> None:
        assert any("invoke release" in command for command in story.trusted)
        foreign = [one for one in story.commands if any(part in one for part in (" -m build ", "/scratch/"))]
        for one in (" -m build ", "bin/tiny-thing --version"):
            assert any(one in command for command in foreign)
        assert [one for one in foreign if one in story.trusted] == []

    def test_the_journal_is_whole_and_says_how_it_went(self, released: Scene) -> None:
        chain = read_chain(released.store / "journal.jsonl")
        assert chain.problem is None
        entries = chain.entries
        ends = [one["outcome"] for one in entries if one["event"] == "end"]
        assert ends == ["interrupted", "interrupted", "terminated", "done"]
        assert entries[0]["event"] == "begin"
        assert entries[0]["command"] == [*RELEASE, "--yes"]
        assert {entry["step"] for entry in entries if entry["event"] == "started"} >= {"push_tag", "upload_pypi"}


def assert_hidden(text: str) -> None:
    for name, token in TOKENS.items():
        assert token not in text, f"{name} is shown"


def test_an_impatient_ctrl_c_while_services_are_asked_changes_nothing(scene: Scene) -> None:
    with scene.unchanged(), started(scene.project.path, *RELEASE, "--yes") as running:
        with scene.forge.silent():
            scene.forge.wait_until_asked()
            running.interrupt()
            time.sleep(0.3)  # as fast as a person can; nothing outside shows that the first one has been heeded
            running.interrupt()
        ran = running.finish()
    # The second may come when all is said and the interpreter is at its end: a shell calls that 130, too.
    assert ran.code in (130, -signal.SIGINT)
    assert_says(ran.err, "error: Stopped by Ctrl-C", "-> ")


def test_the_second_run_of_a_version_is_refused_and_the_first_goes_on(scene: Scene) -> None:
    blocker = {"number": 1, "title": "It burns", "labels": ["release-blocker"]}
    scene.forge.hold({"issues": [blocker]})
    with started(scene.project.path, *RELEASE, "--yes") as first:
        with scene.forge.silent():
            scene.forge.wait_until_asked()
            scene.refuses(*RELEASE, "--yes", code=3, says=["Another run", str(scene.store / "lock")])
            assert first.process.poll() is None
        ran = first.finish()
    assert ran.code == 3, ran.text
    assert_says(ran.err, "have_no_blockers: 1 open")
