"""The forge adapter against the rehearsal's GitHub on port 0, in a process of its own where it is killed."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
import requests
from harness.served import Served
from unhurried_clock import UnhurriedClock

from releaser.adapters.forge.client import Forge
from releaser.adapters.forge.records import Asset, Issue, Milestone, ReleaseInfo, TokenFacts
from releaser.core.activity import Activity, bound
from releaser.errors import ServiceError
from releaser.rehearsal.forge import app

REPOSITORY = "octo-org/demo"
TOKEN = "ghp_writes"
TOKENS = "ghp_writes\nghp_reads read\ngithub_pat_writes write\ngithub_pat_reads read\ngithub_pat_guest guest\nghs_job\n"
UNKNOWN = "0" * 40


class Server:
    """One run of the stand-in."""

    def __init__(self, world: Path, git_dir: Path, *options: str) -> None:
        self.world = world
        tokens = world.with_name("tokens")
        tokens.write_text(TOKENS)
        own = (f"--world={world}", f"--repository={REPOSITORY}", f"--git-dir={git_dir}", f"--token-file={tokens}")
        self.url = self.begin(*own, *options)

    def begin(self, *arguments: str) -> str:
        """Start it; return its address."""
        self._served = Served(app, *arguments)
        return self._served.url

    def stop(self) -> None:
        self._served.stop()

    def forge(self, token: str | None = TOKEN) -> Forge:
        return Forge(REPOSITORY, token, api_url=self.url)

    def mutations(self) -> list[str]:
        log = self.world / "mutations.log"
        return log.read_text().splitlines() if log.exists() else []


class Process(Server):
    """One run of it as a process."""

    def begin(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "releaser.rehearsal.forge", "--stop-with-stdin", *arguments]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        return str(json.loads(self.process.stdout.readline())["url"])

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self.process.returncode is not None:
            return
        self.process.send_signal(number)
        self.process.wait(60)
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()


Run = TypeVar("Run", bound=Server)
Start = Callable[..., Server]
StartProcess = Callable[..., Process]


@pytest.fixture
def world(tmp_path: Path) -> Path:
    path = tmp_path / "world"
    path.mkdir()
    return path


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    work = tmp_path_factory.mktemp("work")
    git(work, "init", "--quiet", "--initial-branch=main")
    git(work, "commit", "--quiet", "--allow-empty", "--message=one")
    git(work, "tag", "light")
    git(work, "tag", "--annotate", "v1.0", "--message=Version 1.0")
    git(work, "tag", "--annotate", "wrapped", "v1.0", "--message=A tag of a tag")
    return work


@pytest.fixture
def git_dir(template: Path, tmp_path: Path) -> Path:
    bare = tmp_path / "bare.git"
    git(template, "clone", "--quiet", "--bare", str(template), str(bare))
    return bare


@pytest.fixture
def start(world: Path, git_dir: Path) -> Iterator[Start]:
    with starting(Server, world, git_dir) as begin:
        yield begin


@pytest.fixture
def start_process(world: Path, git_dir: Path) -> Iterator[StartProcess]:
    with starting(Process, world, git_dir) as begin:
        yield begin


@contextmanager
def starting(kind: type[Run], world: Path, git_dir: Path) -> Iterator[Callable[..., Run]]:
    """Stops at the end what it started."""
    running: list[Run] = []

    def begin(*options: str) -> Run:
        running.append(kind(world, git_dir, *options))
        return running[-1]

    yield begin
    for server in running:
        server.stop()


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / "demo-1.0-py3-none-any.whl"
    path.write_bytes(b"wheel" * 100_000)
    return path


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Octo", "-c", "user.email=octo@example.invalid", "-c", "tag.gpgSign=false"]
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def draft_of(forge: Forge, tag: str = "v1.0", *, prerelease: bool = False) -> ReleaseInfo:
    return forge.create_draft(tag, "main", f"Version {tag}", "What is new", prerelease)


def publish(forge: Forge, tag: str, *, make_latest: bool = True, prerelease: bool = False) -> ReleaseInfo:
    draft = draft_of(forge, tag, prerelease=prerelease)
    return forge.publish_release(draft.id, make_latest=make_latest, discussion_category=None)


# Releases


def test_a_draft_becomes_a_published_release_with_its_assets(start: Start, wheel: Path, tmp_path: Path) -> None:
    server = start()
    forge = server.forge()
    assert forge.find_release("v1.0") is None
    draft = draft_of(forge)
    asset = forge.assets.upload(draft.id, wheel, "application/zip")
    published = forge.publish_release(draft.id, make_latest=True, discussion_category="Announcements")
    assert published == replace(
        draft, draft=False, url=forge.release_url("v1.0"), assets=published.assets, published=published.published
    )
    assert [(a.name, a.sha256, a.size, a.state) for a in published.assets] == [
        (wheel.name, sha256(wheel), 500_000, "uploaded")
    ]
    assert forge.find_release("v1.0") == published
    assert forge.latest_release() == "v1.0"
    assert forge.assets.download(asset, tmp_path / "again.whl") == sha256(wheel)
    assert (tmp_path / "again.whl").read_bytes() == wheel.read_bytes()
    release = f"/repos/{REPOSITORY}/releases"
    assert server.mutations() == [
        f"POST {release} 201",
        f"POST /uploads{release}/{draft.id}/assets 201",
        f"PATCH {release}/{draft.id} 200",
    ]


def test_a_person_sees_what_was_published(start: Start, wheel: Path) -> None:
    forge = start().forge()
    draft = forge.create_draft("v1.0", "main", "Version <1>", "Text & more", False)
    forge.assets.upload(draft.id, wheel, "application/zip")
    url = forge.publish_release(draft.id, make_latest=True, discussion_category=None).url
    page = requests.get(url, timeout=60).text
    assert "Version &lt;1&gt;" in page
    assert "Text &amp; more" in page
    assert "Latest" in page
    assert sha256(wheel) in page
    browser = requests.get(f"{forge.releases_url}/download/v1.0/{wheel.name}", timeout=60)
    assert browser.content == wheel.read_bytes()


def test_a_draft_is_for_those_who_may_write(start: Start) -> None:
    server = start()
    draft = draft_of(server.forge())
    assert server.forge().find_release("v1.0") == draft
    assert server.forge(None).find_release("v1.0") is None
    assert server.forge("ghp_reads").find_release("v1.0") is None
    assert requests.get(draft.url, timeout=60).status_code == 404


def test_a_release_is_found_behind_a_hundred_others(start: Start, world: Path) -> None:
    releases = [{"tag_name": f"v0.{number}"} for number in range(101)]
    (world / "seed.json").write_text(json.dumps({"releases": releases}))
    forge = start().forge()
    found = forge.find_release("v0.0")
    assert found is not None
    assert (found.tag, found.draft) == ("v0.0", False)
    assert forge.latest_release() == "v0.100"


def test_of_two_drafts_none_is_guessed(start: Start) -> None:
    forge = start().forge()
    first, second = draft_of(forge), draft_of(forge)
    with pytest.raises(ServiceError, match=r"2 draft releases of v1\.0") as caught:
        forge.find_release("v1.0")
    assert first.url in caught.value.message
    forge.delete_release(second.id)
    assert forge.find_release("v1.0") == first


def test_a_draft_keeps_its_tag_when_its_text_changes(start: Start) -> None:
    server = start()
    draft = draft_of(server.forge())
    changed = server.forge().update_release(draft.id, body="Other text")
    assert changed == replace(draft, body="Other text")
    # What happens to those who do not send the tag again:
    address = f"{server.url}/repos/{REPOSITORY}/releases/{draft.id}"
    answer = requests.patch(address, json={"body": "x"}, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60)
    assert answer.json()["tag_name"].startswith("untagged-")


def test_the_latest_release_is_the_one_made_so(start: Start) -> None:
    forge = start().forge()
    assert forge.latest_release() is None
    publish(forge, "v2.0")
    publish(forge, "v1.9", make_latest=False)
    publish(forge, "v2.1rc1", make_latest=False, prerelease=True)
    assert forge.latest_release() == "v2.0"
    publish(forge, "v1.10")
    assert forge.latest_release() == "v1.10"


def test_a_prerelease_cannot_be_the_latest(start: Start) -> None:
    forge = start().forge()
    draft = draft_of(forge, prerelease=True)
    with pytest.raises(ServiceError, match="Latest release cannot be draft or prerelease"):
        forge.publish_release(draft.id, make_latest=True, discussion_category=None)
    assert forge.find_release("v1.0") == draft


def test_a_second_published_release_of_a_tag_is_refused_in_githubs_words(start: Start) -> None:
    forge = start().forge()
    publish(forge, "v1.0")
    second = draft_of(forge)
    with pytest.raises(
        ServiceError,
        match=r"\(HTTP 422\): Validation Failed - tag_name already_exists",
    ):
        forge.publish_release(second.id, make_latest=True, discussion_category=None)


def test_publishing_makes_a_lightweight_tag_where_none_is(start: Start, git_dir: Path) -> None:
    forge = start().forge()
    publish(forge, "v3.0")
    assert git(git_dir, "cat-file", "-t", "v3.0") == "commit"
    assert forge.tag_commit("v3.0") == git(git_dir, "rev-parse", "main")


def test_deleting_a_release_leaves_the_tag_and_can_be_repeated(start: Start) -> None:
    forge = start().forge()
    release = publish(forge, "v1.0")
    forge.delete_release(release.id)
    forge.delete_release(release.id)
    assert forge.find_release("v1.0") is None
    assert forge.tag_commit("v1.0") is not None


def test_an_immutable_release_keeps_its_assets_and_burns_its_tag(start: Start, world: Path, wheel: Path) -> None:
    (world / "settings.json").write_text('{"immutable_releases": true}')
    forge = start().forge()
    draft = draft_of(forge)
    asset = forge.assets.upload(draft.id, wheel, "application/zip")
    forge.publish_release(draft.id, make_latest=True, discussion_category=None)
    other = wheel.with_name("other.whl")
    other.write_bytes(b"other")
    with pytest.raises(ServiceError, match="Cannot upload assets to an immutable release"):
        forge.assets.upload(draft.id, other, "application/zip")
    with pytest.raises(ServiceError, match="immutable"):
        forge.assets.delete(asset.id)
    forge.delete_release(draft.id)
    with pytest.raises(ServiceError, match="tag_name was used by an immutable release"):
        draft_of(forge)


# Assets


def test_the_same_bytes_are_not_sent_twice(start: Start, wheel: Path) -> None:
    server = start()
    forge = server.forge()
    draft = draft_of(forge)
    first = forge.assets.upload(draft.id, wheel, "application/zip")
    assert forge.assets.upload(draft.id, wheel, "application/zip") == first
    assert len(server.mutations()) == 2


def test_other_bytes_replace_a_drafts_asset_only(start: Start, wheel: Path) -> None:
    forge = start().forge()
    draft = draft_of(forge)
    first = forge.assets.upload(draft.id, wheel, "application/zip")
    wheel.write_bytes(b"other")
    second = forge.assets.upload(draft.id, wheel, "application/zip")
    assert (second.id != first.id, second.sha256) == (True, sha256(wheel))
    forge.publish_release(draft.id, make_latest=True, discussion_category=None)
    wheel.write_bytes(b"third")
    with pytest.raises(ServiceError, match="holds other bytes") as caught:
        forge.assets.upload(draft.id, wheel, "application/zip")
    assert "next version" in caught.value.remedy
    release = forge.find_release("v1.0")
    assert release is not None
    assert [asset.id for asset in release.assets] == [second.id]


def test_a_broken_upload_is_cleared_away_by_running_again(start: Start, wheel: Path) -> None:
    server = start("--fault=asset-drop-once")
    forge = server.forge()
    draft = draft_of(forge)
    with pytest.raises(ServiceError, match="closed the connection when asked to upload") as caught:
        forge.assets.upload(draft.id, wheel, "application/zip")
    assert "rerun the command" in caught.value.remedy
    broken = forge.find_release("v1.0")
    assert broken is not None
    assert [asset.state for asset in broken.assets] == ["starter"]
    assert forge.assets.upload(draft.id, wheel, "application/zip").sha256 == sha256(wheel)
    whole = forge.find_release("v1.0")
    assert whole is not None
    assert [asset.state for asset in whole.assets] == ["uploaded"]


def test_an_upload_whose_answer_was_lost_is_recognised(start: Start, wheel: Path) -> None:
    server = start("--fault=asset-drop-answer-once")
    forge = server.forge()
    draft = draft_of(forge)
    with pytest.raises(ServiceError, match="closed the connection"):
        forge.assets.upload(draft.id, wheel, "application/zip")
    assert forge.assets.upload(draft.id, wheel, "application/zip").sha256 == sha256(wheel)
    assert sum(line.startswith("POST /uploads/") for line in server.mutations()) == 1


def test_a_name_that_github_would_change_is_refused_before_it_is_sent(start: Start, tmp_path: Path) -> None:
    server = start()
    forge = server.forge()
    draft = draft_of(forge)
    odd = tmp_path / "a b.whl"
    odd.write_bytes(b"x")
    with pytest.raises(ServiceError, match="would rename"):
        forge.assets.upload(draft.id, odd, "application/zip")
    assert len(server.mutations()) == 1


def test_a_download_that_is_not_what_was_promised_leaves_nothing(start: Start, wheel: Path, tmp_path: Path) -> None:
    forge = start().forge()
    asset = forge.assets.upload(draft_of(forge).id, wheel, "application/zip")
    wrong = Asset(asset.id, asset.name, asset.size, "0" * 64, asset.state)
    with pytest.raises(ServiceError, match="arrived as 500000 bytes"):
        forge.assets.download(wrong, tmp_path / "target")
    assert not list(tmp_path.glob("target*"))


def test_where_github_tells_no_digest_the_bytes_are_compared(start: Start, world: Path, wheel: Path) -> None:
    server = start()
    forge = server.forge()
    draft = draft_of(forge)
    forge.assets.upload(draft.id, wheel, "application/zip")
    server.stop()
    state = json.loads((world / "forge.json").read_text())
    state["releases"][0]["assets"][0]["digest"] = None
    (world / "forge.json").write_text(json.dumps(state))
    server = start()
    assert server.forge().assets.upload(draft.id, wheel, "application/zip").sha256 is None
    wheel.write_bytes(b"other" * 100_000)
    assert server.forge().assets.upload(draft.id, wheel, "application/zip").sha256 == sha256(wheel)


# Tags, issues, milestones, workflow runs


@pytest.mark.parametrize("tag", ["light", "v1.0", "wrapped"])
def test_a_tag_is_peeled_to_its_commit(start: Start, git_dir: Path, tag: str) -> None:
    assert start().forge().tag_commit(tag) == git(git_dir, "rev-parse", "main")


def test_the_beginning_of_a_tags_name_is_no_tag(start: Start) -> None:
    assert start().forge().tag_commit("v1") is None


def test_blockers_are_open_labelled_and_not_planned_for_later(start: Start, world: Path) -> None:
    blocker = {"labels": ["release-blocker"]}
    issues = [
        {"number": 1, "title": "in no milestone", **blocker},
        {"number": 2, "title": "in this one", "milestone": "1.0", "pull_request": True, **blocker},
        {"number": 3, "title": "in the next", "milestone": "1.1", **blocker},
        {"number": 4, "title": "closed", "state": "closed", **blocker},
        {"number": 5, "title": "no blocker", "labels": ["bug"]},
    ]
    milestones = [{"number": 1, "title": "1.0"}, {"number": 2, "title": "1.1"}]
    (world / "seed.json").write_text(json.dumps({"issues": issues, "milestones": milestones}))
    forge = start().forge()
    assert forge.open_blockers("release-blocker", "1.0") == [
        Issue(1, "in no milestone"),
        Issue(2, "in this one"),
    ]
    assert [issue.number for issue in forge.open_blockers("release-blocker", None)] == [1, 2, 3]


def test_a_milestone_is_found_by_its_title_and_closed(start: Start, world: Path) -> None:
    issues = [
        {"number": 1, "title": "a", "milestone": "1.0"},
        {"number": 2, "title": "b", "milestone": "1.0", "state": "closed"},
    ]
    (world / "seed.json").write_text(json.dumps({"issues": issues, "milestones": [{"number": 7, "title": "1.0"}]}))
    forge = start().forge()
    assert forge.find_milestone("1") is None
    assert forge.find_milestone("1.0") == Milestone(7, "1.0", 1, "open")
    forge.close_milestone(7)
    forge.close_milestone(7)
    assert forge.find_milestone("1.0") == Milestone(7, "1.0", 1, "closed")


def test_the_runs_of_a_workflow_are_listed_newest_first_and_one_of_nothing_is_empty(start: Start, world: Path) -> None:
    one = {"workflow": "build.yml", "head_sha": "a" * 40, "head_branch": "v1.0"}
    runs = [{**one, "conclusion": "failure"}, {**one, "status": "in_progress", "conclusion": None}]
    (world / "seed.json").write_text(json.dumps({"workflow_runs": runs}))
    workflows = start().forge().workflows
    newest, oldest = workflows.runs("build.yml")
    assert (newest.id, newest.status, newest.conclusion, newest.branch) == (2, "in_progress", None, "v1.0")
    assert (oldest.id, oldest.conclusion, oldest.workflow) == (1, "failure", "build.yml")
    assert workflows.runs("other.yml") == []


def test_the_last_lines_of_a_log_end_with_the_error_and_not_with_the_steps_that_clean_up(
    start: Start, world: Path
) -> None:
    job = {"id": 7, "name": "build", "status": "completed", "conclusion": "failure"}
    (world / "seed.json").write_text(json.dumps({"workflow_runs": [{"workflow": "build.yml", "jobs": [job]}]}))
    (world / "logs").mkdir()
    stamp = "2026-11-27T08:00:08.1234567Z "
    lines = ["##[group]Run invoke", "\x1b[31mBad wheel\x1b[0m", "##[error]Process completed with exit code 3."]
    log = "".join(f"{stamp}{line}\n" for line in [*lines, "Post job cleanup.", "Cleaning up"])
    (world / "logs" / "7.txt").write_text(log)
    forge = start().forge()
    (run,) = forge.workflows.runs("build.yml")
    (found,) = forge.workflows.jobs(run)
    assert forge.workflows.last_lines(found, 9) == ["Bad wheel", "Process completed with exit code 3."]
    assert forge.workflows.last_lines(found, 1) == ["Process completed with exit code 3."]


def test_a_token_that_may_not_start_workflows_is_told_the_permission(start: Start, world: Path) -> None:
    (world / "seed.json").write_text(json.dumps({"workflow_runs": [{"workflow": "build.yml"}]}))
    forge = start().forge("ghp_reads")
    (run,) = forge.workflows.runs("build.yml")
    for refused in (
        lambda: forge.workflows.dispatch("build.yml", "main", {}),
        lambda: forge.workflows.rerun_failed(run),
        lambda: forge.workflows.cancel(run),
    ):
        with pytest.raises(ServiceError) as caught:
            refused()
        assert 'permission "actions: write"' in caught.value.remedy


def test_a_job_of_more_than_a_page_is_listed_whole(start: Start, world: Path) -> None:
    jobs = [{"id": n, "name": f"job {n}", "status": "queued", "conclusion": None} for n in range(1, 131)]
    (world / "seed.json").write_text(json.dumps({"workflow_runs": [{"workflow": "build.yml", "jobs": jobs}]}))
    workflows = start().forge().workflows
    assert [job.id for job in workflows.jobs(workflows.runs("build.yml")[0])] == list(range(1, 131))


def test_pages_for_people_are_githubs_unless_said_otherwise() -> None:
    forge = Forge(REPOSITORY, None)
    assert forge.releases_url == "https://github.com/octo-org/demo/releases"
    assert forge.file_url("CHANGELOG.md", "v1.0") == "https://github.com/octo-org/demo/blob/v1.0/CHANGELOG.md"
    elsewhere = Forge(REPOSITORY, None, api_url="https://git.example/api/v3", web_url="https://git.example/")
    assert elsewhere.release_url("v1.0") == "https://git.example/octo-org/demo/releases/tag/v1.0"


# Tokens and errors


@pytest.mark.parametrize(
    ("token", "facts"),
    [
        ("ghp_writes", TokenFacts("releaser", True)),
        ("ghp_reads", TokenFacts("releaser", False)),
        ("github_pat_writes", TokenFacts("releaser", None)),
        ("github_pat_guest", TokenFacts("releaser", False)),
        ("ghs_job", TokenFacts(None, None)),
        (None, TokenFacts(None, None)),
    ],
)
def test_of_a_token_github_reveals_what_it_reveals(start: Start, token: str | None, facts: TokenFacts) -> None:
    assert start().forge(token).permissions() == facts


def test_a_wrong_token_is_told_and_never_shown(start: Start) -> None:
    forge = start().forge("ghp_very_secret")
    with pytest.raises(ServiceError, match=r"\(HTTP 401\): Bad credentials") as caught:
        forge.permissions()
    assert "expired" in caught.value.remedy
    assert "ghp_very_secret" not in f"{caught.value}{caught.value.__cause__!r}{forge!r}"


def test_a_token_that_cannot_be_sent_is_never_shown() -> None:
    with pytest.raises(ServiceError, match="characters") as caught:
        Forge(REPOSITORY, "ghp_one\nghp_two")
    assert "ghp_one" not in str(caught.value)


@pytest.mark.parametrize(
    ("token", "reason", "remedy"),
    [
        (None, r"\(HTTP 401\)", "none was given"),
        ("github_pat_reads", r"\(HTTP 403\)", '"contents: write"'),
    ],
)
def test_who_may_not_write_is_told_what_is_missing(start: Start, token: str | None, reason: str, remedy: str) -> None:
    with pytest.raises(ServiceError, match=f"refused to create draft release v1.0 {reason}") as caught:
        draft_of(start().forge(token))
    assert remedy in caught.value.remedy


def test_a_repository_that_is_not_there_is_named(start: Start) -> None:
    with pytest.raises(ServiceError, match=r"refused to show octo-org/other \(HTTP 404\)"):
        Forge("octo-org/other", TOKEN, api_url=start().url).permissions()


def test_a_failing_read_is_tried_again_and_a_failing_write_is_not(start: Start) -> None:
    server = start("--fault=status-once=502:/releases", "--fault=status-once=503:demo/releases")
    forge = server.forge()
    assert forge.find_release("v1.0") is None  # meets both faults
    assert server.mutations() == []
    server.stop()
    server = start("--fault=status-once=500:/releases")
    with pytest.raises(ServiceError, match=r"failed to create draft release v1\.0 \(HTTP 500\)") as caught:
        draft_of(server.forge())
    assert "Rerun the command" in caught.value.remedy
    assert server.mutations() == [f"POST /repos/{REPOSITORY}/releases 500"]


def test_a_rate_limit_is_waited_for_even_by_a_write(start: Start) -> None:
    clock = UnhurriedClock()
    forge = start("--fault=status-once=429:/releases", "--fault=status-once=403:demo/releases").forge()
    with bound(Activity(clock=clock)):
        draft_of(forge)
    assert [round(seconds) in (1, 2) for seconds in clock.waits] == [True, True]


def test_a_refused_connection_is_told_in_one_line() -> None:
    with (
        bound(Activity(clock=UnhurriedClock())),
        pytest.raises(ServiceError, match=r"GitHub at 127\.0\.0\.1:1 refused the connection when asked to") as caught,
    ):
        Forge(REPOSITORY, None, api_url="http://127.0.0.1:1").latest_release()
    assert len(caught.value.message.splitlines()) == 1


# The stand-in itself


def test_what_was_done_survives_a_kill(start_process: StartProcess, wheel: Path, tmp_path: Path) -> None:
    server = start_process()
    draft = draft_of(server.forge())
    asset = server.forge().assets.upload(draft.id, wheel, "application/zip")
    server.stop(signal.SIGKILL)
    again = start_process().forge()
    found = again.find_release("v1.0")
    assert found is not None
    assert (found.id, [a.id for a in found.assets]) == (draft.id, [asset.id])
    assert again.assets.download(found.assets[0], tmp_path / "again") == sha256(wheel)


def test_killed_while_it_publishes_nothing_was_published(start_process: StartProcess, world: Path) -> None:
    server = start_process("--fault=publish-hold=60")
    draft = draft_of(server.forge())
    script = "import sys; from releaser.adapters.forge.client import Forge; Forge(*sys.argv[1:4]).publish_release("
    script += f"{draft.id}, make_latest=True, discussion_category=None)"
    client = subprocess.Popen([sys.executable, "-c", script, REPOSITORY, TOKEN, server.url], stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not (world / "holding").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    server.stop(signal.SIGKILL)
    _, error = client.communicate(timeout=60)
    assert b"closed the connection when asked to publish" in error
    forge = start_process().forge()
    assert not (world / "holding").exists()
    found = forge.find_release("v1.0")
    assert found is not None
    assert (found.id, found.draft) == (draft.id, True)


def test_a_fault_that_happens_once_does_not_come_back_with_a_restart(start: Start) -> None:
    fault = "--fault=status-once=500:/latest"
    headers = {"Authorization": f"Bearer {TOKEN}"}
    server = start(fault)
    path = f"/repos/{REPOSITORY}/releases/latest"
    assert requests.get(server.url + path, headers=headers, timeout=60).status_code == 500
    server.stop()
    assert requests.get(start(fault).url + path, headers=headers, timeout=60).status_code == 404


def test_the_storage_wants_no_token_and_no_guess(start: Start, wheel: Path) -> None:
    server = start()
    asset = server.forge().assets.upload(draft_of(server.forge()).id, wheel, "application/zip")
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "application/octet-stream"}
    address = f"{server.url}/repos/{REPOSITORY}/releases/assets/{asset.id}"
    redirect = requests.get(address, headers=headers, allow_redirects=False, timeout=60)
    assert redirect.status_code == 302
    signed = redirect.headers["Location"]
    assert requests.get(signed, timeout=60).content == wheel.read_bytes()
    assert requests.get(signed, headers=headers, timeout=60).status_code == 400
    assert requests.get(signed.partition("?")[0], timeout=60).status_code == 403


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--fault=nonsense"], "publish-hold"),
        (["--fault=delay"], "needs =SECONDS"),
        (["--fault=status-once=x:y"], "STATUS:PATHPART"),
        (["--repository=demo"], "OWNER/NAME"),
        (["--token-file=/nonexistent"], "cannot be read"),
    ],
)
def test_a_wrong_command_line_is_explained(
    world: Path, options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = app.main([f"--world={world}", f"--repository={REPOSITORY}", *options])
    except SystemExit as ended:  # from argparse
        code = int(ended.code or 0)
    assert (code, said in capsys.readouterr().err) == (2, True)


def test_two_cannot_serve_one_world(
    start_process: StartProcess, world: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start_process()
    assert app.main([f"--world={world}", f"--repository={REPOSITORY}"]) == 2
    assert "another forge serves" in capsys.readouterr().err


def test_it_stops_with_whoever_started_it(start_process: StartProcess) -> None:
    server = start_process()
    assert server.process.stdin is not None
    server.process.stdin.close()
    assert server.process.wait(60) == 0
    with pytest.raises(requests.ConnectionError):
        requests.get(server.url, timeout=1)
    assert server.process.stdout is not None
    server.process.stdout.close()


def test_unauthorized_is_what_everybody_is(start: Start) -> None:
    with pytest.raises(ServiceError, match="Bad credentials"):
        start("--fault=unauthorized").forge().latest_release()


def test_importing_the_adapter_costs_no_pygithub() -> None:
    script = "import sys; import releaser.adapters.forge.client; print('github' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=os.environ, check=True)
    assert done.stdout.split() == ["False"]
