"""What depends on the time: the index in this process, with a clock that a test moves."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta, timezone

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer

from releaser.rehearsal.identity import claims_of_job, identity_for
from releaser.rehearsal.index.app import Settings, create_app
from releaser.rehearsal.index.store import IndexStore

TOKEN = "pypi-rehearsal"
OIDC_SECRET = "a secret that is long enough for HS256"
SIMPLE_JSON = "application/vnd.pypi.simple.v1+json"


class Clock:
    """The time, which stands still until a test moves it."""

    def __init__(self):
        self.now = datetime.now(timezone.utc)

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def serve(tmp_path, clock):
    def client(**settings):
        app = create_app(IndexStore(tmp_path / "world", clock), Settings(token=TOKEN, **settings))
        return TestClient(TestServer(app))

    return client


async def upload(files, client, path, token=TOKEN):
    form = aiohttp.FormData(files.form(path))
    form.add_field("content", path.read_bytes(), filename=path.name)
    headers = {"Authorization": f"Basic {base64.b64encode(f'__token__:{token}'.encode()).decode()}"}
    async with client.post("/legacy/", data=form, headers=headers) as answer:
        return answer.status, answer.reason


async def status(client, path):
    async with client.get(path) as answer:
        return answer.status


async def test_a_release_takes_files_for_two_weeks(serve, clock, files):
    async with serve() as client:
        wheel, sdist, late = (
            files.wheel("demo", "1.0"),
            files.sdist("demo", "1.0"),
            files.sdist("demo", "1.0", "late"),
        )
        assert await upload(files, client, wheel) == (200, "OK")
        clock.now += timedelta(days=14, seconds=1)
        status, reason = await upload(files, client, sdist)
        assert (status, "older than 14 days" in reason) == (400, True)
        assert await upload(files, client, wheel) == (200, "OK")
        clock.now -= timedelta(seconds=2)
        assert await upload(files, client, late) == (200, "OK")


async def test_an_upload_shows_late_and_in_the_json_api_later_restart_or_not(serve, clock, files):
    lag = timedelta(seconds=10)
    async with serve(lag=lag) as client:
        await upload(files, client, files.wheel("demo", "1.0"))
        assert await status(client, "/simple/demo/") == 404
        clock.now += timedelta(seconds=9)
        assert await status(client, "/simple/demo/") == 404
    clock.now += timedelta(seconds=1)
    async with serve(lag=lag) as client:
        assert await status(client, "/simple/demo/") == 200
        assert await status(client, "/pypi/demo/1.0/json") == 404
        clock.now += timedelta(seconds=5)
        assert await status(client, "/pypi/demo/1.0/json") == 200


async def test_a_new_release_shows_late_beside_an_old_one(serve, clock, files):
    async with serve(lag=timedelta(seconds=10)) as client:
        await upload(files, client, files.wheel("demo", "1.0"))
        clock.now += timedelta(seconds=60)
        await upload(files, client, files.wheel("demo", "1.1"))
        for expected in (["1.0"], ["1.0", "1.1"]):
            async with client.get("/simple/demo/", headers={"Accept": SIMPLE_JSON}) as answer:
                assert (await answer.json(content_type=None))["versions"] == expected
            clock.now += timedelta(seconds=10)


async def test_a_project_that_does_not_show_yet_is_not_sought_upstream(serve, files):
    async with serve(lag=timedelta(seconds=10), upstream="http://127.0.0.1:9/") as client:
        await upload(files, client, files.wheel("demo", "1.0"))
        assert await status(client, "/simple/demo/") == 404


async def test_a_minted_token_is_good_for_a_quarter_of_an_hour(serve, clock, files, tmp_path):
    async with serve(oidc_secret=OIDC_SECRET) as client:
        publisher = {"project": "demo", "repository": "me/demo", "workflow": "r.yml", "pending": True}
        (tmp_path / "world" / "publishers.json").write_text(json.dumps([publisher]))
        identity = identity_for("pypi", claims_of_job("me/demo", "r.yml"), OIDC_SECRET)
        async with client.post("/_/oidc/mint-token", json={"token": identity}) as answer:
            token = (await answer.json())["token"]
        for later, expected in ((timedelta(minutes=14), 200), (timedelta(minutes=1), 403)):
            clock.now += later
            status, _ = await upload(files, client, files.wheel("demo", "1.0"), token)
            assert status == expected
