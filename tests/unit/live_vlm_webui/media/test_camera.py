"""A camera's status is told once per change, to all who watch."""

from __future__ import annotations

from dataclasses import replace

from live_vlm_webui.media.camera import Camera, CameraStatus


class Shutter(Camera):
    kind = "picture"

    async def close(self):
        self._become(replace(self.status, state="ended"))


async def test_it_begins_connecting():
    camera = Shutter("picture.jpg")
    assert camera.status == CameraStatus("picture", "connecting", source="picture.jpg")
    assert camera.status.to_json() == {
        "kind": "picture",
        "state": "connecting",
        "detail": "",
        "width": 0,
        "height": 0,
        "source": "picture.jpg",
    }


async def test_watchers_hear_of_changes_only():
    camera, heard = Shutter(), []
    camera.watch(heard.append)
    camera._become(replace(camera.status, state="live"))
    camera._become(replace(camera.status, state="live"))
    await camera.close()
    await camera.close()
    assert [status.state for status in heard] == ["live", "ended"]


async def test_a_watcher_that_left_hears_nothing():
    camera, heard = Shutter(), []
    leave = camera.watch(heard.append)
    leave()
    leave()
    await camera.close()
    assert heard == []


async def test_a_watcher_may_leave_while_it_is_told():
    camera, heard = Shutter(), []
    leave = camera.watch(lambda status: (heard.append(status), leave()))
    camera.watch(heard.append)
    camera._become(replace(camera.status, state="live"))
    await camera.close()
    assert [status.state for status in heard] == ["live", "live", "ended"]


async def test_the_fault_of_one_watcher_is_not_the_others(caplog):
    camera, heard = Shutter(), []

    def fail(_status):
        raise RuntimeError("a fault of ours")

    camera.watch(fail)
    camera.watch(heard.append)
    await camera.close()
    assert len(heard) == 1
    assert "a fault of ours" in caplog.text
