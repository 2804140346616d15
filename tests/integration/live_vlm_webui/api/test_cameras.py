"""Cameras that the server reads, pictures that are sent, and what people see of both."""

from __future__ import annotations

import asyncio
import io

import pytest
import rtsp_server
import simplejpeg
import video
from openai_server import OpenAIServer
from webrtc_client import Peer

from live_vlm_webui.api import events as events_of
from live_vlm_webui.api.camera import MOST_UPLOADS
from live_vlm_webui.http import body as body_of

JPEG = {"Content-Type": "image/jpeg"}


@pytest.fixture(scope="module")
def clip():
    return video.encode("h264", width=320, height=180, seconds=1)


@pytest.fixture
async def camera(clip):
    camera = await rtsp_server.Camera(clip).plug()
    yield camera
    await camera.unplug()


@pytest.fixture
async def models():
    async with OpenAIServer(text="Number {number}.", total=0.1) as server:
        yield server


@pytest.fixture
async def session(api, models):
    settings = {"api_base": models.api_base, "model": models.models[0]}
    return (await api.ask("POST", "/api/sessions", json=settings))[1]["id"]


def jpeg(width: int = 320, height: int = 180) -> bytes:
    return simplejpeg.encode_jpeg(video.scene(0, width, height))


async def state(events, *wanted: str, seconds: float = 20) -> dict:
    """The camera's status when it is one of these."""
    while True:
        status = (await events.until("camera", seconds=seconds))["camera"]
        if status and status["state"] in wanted:
            return status


async def test_an_rtsp_camera_is_read_and_asked_about(api, session, camera):
    async with api.watch(session) as events:
        await events.next()
        status, made = await api.ask("PUT", f"/api/sessions/{session}/camera", json={"address": camera.url})
        assert (status, made["kind"]) == (200, "stream")
        live = await state(events, "live")
        assert (live["width"], live["height"]) == (320, 180)
        await events.until("answer.finished")
        assert (await api.ask("DELETE", f"/api/sessions/{session}/camera"))[0] == 204
    for _ in range(50):
        if not camera.connections:
            break
        await asyncio.sleep(0.1)
    assert camera.connections == 0


async def test_an_rtsp_camera_that_is_unplugged_is_told_and_comes_back_by_itself(api, session, camera):
    async with api.watch(session) as events:
        await api.ask("PUT", f"/api/sessions/{session}/camera", json={"address": camera.url})
        await state(events, "live")
        await events.until("answer.finished")
        await camera.unplug()
        lost = await state(events, "lost", "stalled", "connecting")
        assert lost["detail"] or lost["state"] == "connecting"
        await camera.plug()
        await state(events, "live")
        await events.until("answer.started", seconds=20)


async def test_a_password_in_an_address_is_not_shown(api, session, clip):
    camera = await rtsp_server.Camera(clip, user="admin", password="hush-hush").plug()
    try:
        async with api.watch(session) as events:
            told = [await events.next()]
            told.append((await api.ask("PUT", f"/api/sessions/{session}/camera", json={"address": camera.url}))[1])
            told += await events.all_until("answer.finished", seconds=20)
            told.append((await api.ask("GET", f"/api/sessions/{session}"))[1])
    finally:
        await camera.unplug()
    assert "hush-hush" not in str(told)


async def test_two_sessions_of_one_address_share_one_connection(api, session, models, camera):
    _, other = await api.ask("POST", "/api/sessions", json={"api_base": models.api_base, "model": models.models[0]})
    async with api.watch(session) as one, api.watch(other["id"]) as two:
        for name in (session, other["id"]):
            await api.ask("PUT", f"/api/sessions/{name}/camera", json={"address": camera.url})
        await asyncio.gather(one.until("answer.finished"), two.until("answer.finished"))
        assert camera.connections == 1


@pytest.mark.alone
async def test_a_silent_host_blocks_nothing(serve, models, clip):
    api = await serve(monitor_interval=0.25)
    silent = rtsp_server.Camera(clip, fault="silent")
    await silent.plug()
    _, made = await api.ask("POST", "/api/sessions")
    loop = asyncio.get_running_loop()
    try:
        async with api.watch(made["id"]) as events:
            await events.next()
            began = loop.time()
            await api.ask("PUT", f"/api/sessions/{made['id']}/camera", json={"address": silent.url})
            assert loop.time() - began < 1
            last = loop.time()
            for _ in range(8):
                await events.until("system")
                assert loop.time() - last < 1
                last = loop.time()
            began = loop.time()
            assert (await api.ask("DELETE", f"/api/sessions/{made['id']}"))[0] == 204
            assert loop.time() - began < 1
    finally:
        await silent.unplug()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"address": "file:///etc/passwd"}, 403),
        ({"address": "/etc/passwd"}, 403),
        ({"address": "../../etc/passwd"}, 403),
        ({"address": "http://127.0.0.1:9/video"}, 400),
        ({"address": "concat:/etc/passwd|/etc/group"}, 400),
        ({"address": "tcp://127.0.0.1:9"}, 400),
        ({"address": "rtsp://"}, 400),
        ({"address": ""}, 400),
        ({"address": 5}, 400),
        ({"adress": "rtsp://127.0.0.1/"}, 400),
        ({"address": "rtsp://127.0.0.1/" + "x" * 3000}, 400),
    ],
)
async def test_an_address_that_is_not_allowed_is_refused_and_opens_nothing(api, session, body, status):
    answer = await api.answer("PUT", f"/api/sessions/{session}/camera", json=body)
    assert answer.status == status
    assert answer.json["error"]["remedy"]
    assert (await api.ask("GET", f"/api/sessions/{session}"))[1]["camera"] is None


async def test_a_file_in_an_allowed_directory_is_played(serve, models, clip, tmp_path):
    video.save(clip, tmp_path / "clip.mp4")
    api = await serve(media_dirs=(tmp_path,))
    _, made = await api.ask("POST", "/api/sessions", json={"api_base": models.api_base, "model": models.models[0]})
    async with api.watch(made["id"]) as events:
        status, _ = await api.ask("PUT", f"/api/sessions/{made['id']}/camera", json={"address": "clip.mp4"})
        assert status == 200
        await events.until("answer.finished")


async def test_pictures_over_the_websocket_are_the_fallbacks_camera(api, session):
    async with api.watch(session) as events:
        await events.next()
        await events.socket.send_bytes(jpeg())
        assert (await state(events, "live"))["kind"] == "websocket"
        await events.until("answer.finished")


async def test_a_browser_that_leaves_takes_its_camera_along(api, session):
    async with api.watch(session) as watching:
        async with api.watch(session) as events:
            await events.next()
            await events.socket.send_bytes(jpeg())
            await state(watching, "live")
        while (await watching.until("camera"))["camera"] is not None:
            pass


async def test_pictures_that_are_on_their_way_take_nothing_back_and_who_goes_on_means_it(api, session, camera):
    async with api.watch(session) as events:
        await events.next()
        await events.socket.send_bytes(jpeg())
        await state(events, "live")
        await api.ask("PUT", f"/api/sessions/{session}/camera", json={"address": camera.url})
        for _ in range(3):
            await events.socket.send_bytes(jpeg())
        assert (await state(events, "live"))["kind"] == "stream"
        for _ in range(15):
            await events.socket.send_bytes(jpeg())
            await asyncio.sleep(0.1)
        while (await state(events, "live"))["kind"] != "websocket":
            pass


async def test_of_two_browsers_that_send_pictures_the_later_one_is_seen_and_the_other_told_once(
    api, session, monkeypatch
):
    monkeypatch.setattr(events_of, "ON_ITS_WAY_SECONDS", 0.2)

    async def send_on(events):
        for _ in range(10):
            await events.socket.send_bytes(jpeg(320, 180))
            await asyncio.sleep(0.05)

    async with api.watch(session) as first, api.watch(session) as second:
        await first.next()
        await first.socket.send_bytes(jpeg(320, 180))
        await state(second, "live")
        await second.socket.send_bytes(jpeg(160, 90))
        while (await state(first, "live"))["width"] != 160:
            pass
        await send_on(first)
        assert (await api.ask("GET", f"/api/sessions/{session}"))[1]["camera"]["width"] == 160
        await second.socket.close()
        told = []
        while not any((event.get("camera") or {}).get("width") == 320 for event in told):
            await send_on(first)
            await first.socket.send_json({"type": "settings", "prompt": f"After {len(told)} events?"})
            told += await first.all_until("settings")
        (error,) = [event["error"] for event in told if event["type"] == "error"]
        assert "Another browser" in error["message"]


async def test_a_camera_that_was_taken_away_is_not_brought_back_by_pictures_on_their_way(api, session, monkeypatch):
    monkeypatch.setattr(events_of, "ON_ITS_WAY_SECONDS", 60)
    async with api.watch(session) as events:
        await events.next()
        await events.socket.send_bytes(jpeg())
        await state(events, "live")
        await api.ask("DELETE", f"/api/sessions/{session}/camera")
        for _ in range(3):
            await events.socket.send_bytes(jpeg())
        await events.socket.send_json({"type": "settings", "prompt": "Who is there?"})
        await events.until("settings")
        assert (await api.ask("GET", f"/api/sessions/{session}"))[1]["camera"] is None


async def test_a_dropped_picture_is_asked_about_once(api, session, models):
    async with api.watch(session) as events:
        await events.next()
        status, shown = await api.ask("POST", f"/api/sessions/{session}/picture", data=jpeg(), headers=JPEG)
        assert (status, shown["kind"], shown["state"]) == (200, "picture", "live")
        await events.until("answer.finished")
        await asyncio.sleep(0.5)
    assert models.questions == 1


@pytest.mark.parametrize(
    ("data", "headers", "status"),
    [
        (b"no picture", JPEG, 400),
        (b"", JPEG, 400),
        (jpeg()[:500], JPEG, 400),
        (jpeg(), {"Content-Type": "text/plain"}, 415),
        (io.BytesIO(bytes(17 * 1024 * 1024)), JPEG, 413),
    ],
    ids=["not one", "empty", "cut off", "not called one", "too large"],
)
async def test_what_is_no_picture_is_refused(api, session, data, headers, status):
    answer = await api.answer("POST", f"/api/sessions/{session}/picture", data=data, headers=headers)
    assert answer.status == status
    assert (await api.ask("GET", f"/api/sessions/{session}"))[1]["camera"] is None


async def test_slow_uploads_block_no_others_and_one_too_many_is_rejected_at_once(api, session):
    path = f"/api/sessions/{session}/picture"
    sending = asyncio.Semaphore(0)
    ended = asyncio.Event()

    async def slowly():
        yield jpeg()[:500]
        sending.release()
        await ended.wait()

    async def send_slowly() -> int:
        async with api.http.post(f"{api.url}{path}", data=slowly(), headers=JPEG) as answer:
            return answer.status

    async def send() -> int:
        return (await asyncio.wait_for(api.answer("POST", path, data=jpeg(), headers=JPEG), 60)).status

    slow = [asyncio.create_task(send_slowly()) for _ in range(MOST_UPLOADS - 1)]
    for _ in slow:
        await sending.acquire()
    assert await send() == 200
    slow.append(asyncio.create_task(send_slowly()))
    await sending.acquire()
    for _ in range(3):  # meanwhile it arrives
        await api.ask("GET", f"/api/sessions/{session}")
    assert await send() == 429
    ended.set()
    assert set(await asyncio.gather(*slow)) == {400}
    assert await send() == 200


async def test_a_camera_can_be_looked_at_as_mjpeg(api, session, camera):
    await api.ask("PUT", f"/api/sessions/{session}/camera", json={"address": camera.url})
    async with api.http.get(f"{api.url}/api/sessions/{session}/preview") as answer:
        assert answer.headers["Content-Type"] == "multipart/x-mixed-replace;boundary=picture"
        for _ in range(3):
            head = await asyncio.wait_for(answer.content.readuntil(b"\r\n\r\n"), 60)
            length = int(head.split(b"Content-Length: ")[1])
            picture = await asyncio.wait_for(answer.content.readexactly(length), 60)
            assert simplejpeg.decode_jpeg(picture).shape == (180, 320, 3)
        assert await answer.content.readexactly(11) == b"\r\n--picture"


async def test_a_preview_ends_with_the_camera_and_is_freed_without_viewers(api, session, camera):
    await api.ask("PUT", f"/api/sessions/{session}/camera", json={"address": camera.url})
    async with api.http.get(f"{api.url}/api/sessions/{session}/preview") as one:
        assert one.status == 200
        await asyncio.wait_for(one.content.readuntil(b"\r\n\r\n"), 60)
        async with api.http.get(f"{api.url}/api/sessions/{session}/preview") as other:
            await asyncio.wait_for(other.content.readuntil(b"\r\n\r\n"), 60)
            assert other.status == 200
            other.close()
        await api.ask("DELETE", f"/api/sessions/{session}/camera")
        await asyncio.wait_for(one.content.read(), 60)


async def test_a_session_without_a_camera_has_no_preview(api, session):
    status, said = await api.ask("GET", f"/api/sessions/{session}/preview")
    assert (status, said["error"]["message"]) == (409, "The session has no camera")


async def test_an_offer_that_was_on_its_way_when_the_page_stopped_the_camera_does_not_bring_it_back(api, session, clip):
    path = f"/api/sessions/{session}"
    peer = Peer(clip)
    told = []

    async def arrive_late(sdp: str) -> str:
        assert (await api.ask("DELETE", f"{path}/camera?turn=page.2"))[0] == 204
        offer = {"session": session, "sdp": sdp, "type": "offer"}
        told.append(await api.ask("POST", "/offer", json=offer | {"turn": "page.1"}))
        told.append((await api.ask("GET", path))[1]["camera"])
        return (await api.ask("POST", "/offer", json=offer | {"turn": "page.3"}))[1]["sdp"]

    await peer.connect(arrive_late)
    await peer.close()
    (status, refused), camera = told
    assert (status, camera) == (409, None)
    assert refused["error"]["message"].startswith("This request came late")


async def test_a_stop_that_comes_after_the_next_start_takes_nothing_away(api, session):
    path = f"/api/sessions/{session}"
    assert (await api.ask("POST", f"{path}/picture?turn=page.3", data=jpeg(), headers=JPEG))[0] == 200
    assert (await api.ask("DELETE", f"{path}/camera?turn=page.2"))[0] == 204
    assert (await api.ask("GET", path))[1]["camera"] is not None


async def test_a_picture_whose_upload_takes_long_does_not_replace_what_the_page_did_meanwhile(api, session):
    path = f"/api/sessions/{session}"
    begun, stopped = asyncio.Event(), asyncio.Event()

    async def body():
        yield jpeg()[:500]
        begun.set()
        await stopped.wait()
        yield jpeg()[500:]

    slow = asyncio.ensure_future(api.ask("POST", f"{path}/picture?turn=page.1", data=body(), headers=JPEG))
    await begun.wait()
    assert (await api.ask("DELETE", f"{path}/camera?turn=page.2"))[0] == 204
    stopped.set()
    assert (await slow)[0] == 409
    assert (await api.ask("GET", path))[1]["camera"] is None


async def test_a_picture_may_take_longer_to_arrive_than_other_bodies(api, session, monkeypatch):
    monkeypatch.setattr(body_of, "READ_SECONDS", 0.2)
    picture, may_end = jpeg(), asyncio.Event()

    async def slowly():
        yield picture[:1000]
        await may_end.wait()
        yield picture[1000:]

    async def never():
        yield b"{"
        await may_end.wait()

    sending = asyncio.create_task(api.ask("POST", f"/api/sessions/{session}/picture", data=slowly(), headers=JPEG))
    for _ in range(2):  # when the second one is sent, the picture is on its way
        json = {"data": never(), "headers": {"Content-Type": "application/json"}}
        status, refused = await api.ask("POST", "/api/sessions", **json)
        assert status == 400
        assert "did not arrive within" in refused["error"]["message"]
    may_end.set()

    status, camera = await sending
    assert (status, camera["kind"]) == (200, "picture")
