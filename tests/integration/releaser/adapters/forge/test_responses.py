"""What is no response of GitHub's is an error with a remedy, whatever was asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playing_server import PlayingServer, answer, drop
from unhurried_clock import UnhurriedClock

from releaser.adapters.forge.client import Forge
from releaser.adapters.forge.records import Asset
from releaser.core.activity import Activity, bound
from releaser.errors import ServiceError, UsageError

HTML = b"<!DOCTYPE html><html><body>Please log in</body></html>"
RELEASE = {
    "id": 1,
    "tag_name": "v1.0",
    "name": "Version 1.0",
    "body": None,
    "draft": True,
    "prerelease": False,
    "html_url": "https://example.invalid",
    "upload_url": "http://example.invalid/{?name}",
    "assets": [],
}
ASSET = Asset(1, "demo.whl", 4, None, "uploaded")

Question = Callable[[Forge, Path], object]
QUESTIONS: dict[str, Question] = {
    "show octo/demo": lambda forge, _: forge.permissions(),
    "list the releases of octo/demo": lambda forge, _: forge.find_release("v1.0"),
    "show the latest release": lambda forge, _: forge.latest_release(),
    "create draft release v1.0": lambda forge, _: forge.create_draft("v1.0", "main", "", "", False),
    "show release 1": lambda forge, _: forge.update_release(1, body="text"),
    "show release 2": lambda forge, file: forge.assets.upload(2, file, "text/plain"),
    "show what tag v1.0 points at": lambda forge, _: forge.tag_commit("v1.0"),
    "list the open issues labelled blocker": lambda forge, _: forge.open_blockers("blocker", None),
    "list the milestones": lambda forge, _: forge.find_milestone("1.0"),
    "close milestone 1": lambda forge, _: forge.close_milestone(1),
    "list the attestations of sha256 abababababab": lambda forge, _: forge.attestations.of("ab" * 32),
    "list the runs of build.yml": lambda forge, _: forge.workflows.runs("build.yml"),
    "start build.yml at v1.0": lambda forge, _: forge.workflows.dispatch("build.yml", "v1.0", {}),
}
asks = pytest.mark.parametrize(("doing", "question"), QUESTIONS.items(), ids=QUESTIONS)


@pytest.fixture
def server() -> Iterator[PlayingServer]:
    playing = PlayingServer()
    with playing.running():
        yield playing


@pytest.fixture
def forge(server: PlayingServer) -> Iterator[Forge]:
    found = Forge("octo/demo", None, f"http://127.0.0.1:{server.port}")
    yield found
    found.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "demo.whl"
    path.write_bytes(b"demo")
    return path


@asks
@pytest.mark.parametrize(
    "body",
    [
        HTML,
        b"",
        b"null",
        b"3",
        b'"text"',
        b"{}",
        b"[3]",
        b"[{}]",
        b"[[]]",
        b'{"data": []}',
        json.dumps([{**RELEASE, "id": "one"}]).encode(),
        json.dumps({**RELEASE, "assets": 3}).encode(),
        json.dumps([RELEASE]).encode()[:-9],
        json.dumps(RELEASE).encode()[:-9],
        pytest.param(b"[" * 50_000, id="nested deeply"),
        b"\xff\xfe",
    ],
)
def test_another_document_is_an_error_and_no_traceback(server, forge, file, doing, question, body) -> None:
    server.plays(answer(200, "Content-Type: application/json", body=body))

    with pytest.raises(ServiceError) as caught:
        question(forge, file)

    assert caught.value.message.endswith(f"when asked to {doing}")
    assert "JSON" in caught.value.message
    assert caught.value.remedy.startswith("Check api-url in [tool.releaser.forge], and whether a proxy")


@asks
@pytest.mark.parametrize(
    ("part", "said"),
    [
        (drop, "closed the connection"),
        (answer(200, body=b"x" * 100)[:-9], "broke off its response"),
        (answer(502, body=HTML), "failed to"),
        (answer(403, body=HTML), "refused to"),
        (answer(302, "Location: /login", body=HTML), "sent HTML instead of JSON"),
        (answer(301, "Location: https://elsewhere.invalid/"), "pointed elsewhere"),
        (answer(429, "Retry-After: 3600"), "limits requests"),
    ],
)
def test_another_end_is_an_error_with_a_remedy(server, forge, file, doing, question, part, said) -> None:
    server.plays(part)

    with bound(Activity(clock=UnhurriedClock())), pytest.raises(ServiceError) as caught:
        question(forge, file)

    assert said in caught.value.message
    assert doing in caught.value.message
    assert caught.value.remedy


@pytest.mark.parametrize("delete", [lambda forge: forge.delete_release(1), lambda forge: forge.assets.delete(1)])
def test_a_login_page_has_deleted_nothing(server, forge, delete) -> None:
    server.plays(answer(200, "Content-Type: text/html", body=HTML))

    with pytest.raises(ServiceError, match="HTTP 200 instead of HTTP 204"):
        delete(forge)


@pytest.mark.parametrize("body", [HTML, b"", b"[]", b'{"id": 1}'])
def test_an_upload_that_ends_in_another_document_is_an_error(server, forge, file, body) -> None:
    release = {**RELEASE, "upload_url": f"http://127.0.0.1:{server.port}/upload"}
    server.plays(
        answer(200, body=json.dumps(release).encode()),
        answer(200, body=b"[]"),
        answer(201, "Content-Type: x", body=body),
    )

    with pytest.raises(ServiceError, match=r"instead of JSON|JSON of an unexpected form"):
        forge.assets.upload(1, file, "text/plain")


def test_a_page_in_the_place_of_an_asset_is_no_asset(server, forge, tmp_path: Path) -> None:
    server.plays(answer(200, "Content-Type: text/html", body=HTML))

    with pytest.raises(ServiceError, match=r"demo\.whl arrived as 54 bytes") as caught:
        forge.assets.download(ASSET, tmp_path / "demo.whl")

    assert caught.value.remedy == "Rerun the command. Completed steps are not repeated."
    assert list(tmp_path.iterdir()) == []


def test_an_asset_whose_name_is_a_path_is_refused(server, forge) -> None:
    asset = {"id": 1, "name": "../x", "size": 1, "state": "uploaded", "browser_download_url": ""}
    server.plays(answer(200, body=json.dumps([{**RELEASE, "assets": [asset]}]).encode()))

    with pytest.raises(ServiceError, match=r"0\.assets\.0\.name"):
        forge.find_release("v1.0")


@pytest.mark.parametrize("address", ["ftp://example.invalid", "example.invalid", "http://"])
def test_an_address_that_is_none_is_refused_before_anything_is_asked(address: str) -> None:
    with pytest.raises(UsageError, match="no web address") as caught:
        Forge("octo/demo", None, address)
    assert "api-url" in caught.value.remedy
