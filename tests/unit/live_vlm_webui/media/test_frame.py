"""The slot holds the newest frame, whoever puts it in and whoever waits."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref

import av

from live_vlm_webui.media.frame import FrameSlot


def image():
    return av.VideoFrame(16, 16, "yuv420p")


async def test_the_newest_frame_replaces_the_last():
    slot = FrameSlot()
    assert slot.newest is None
    slot.put(image())
    newest = slot.put(image())
    assert slot.newest is newest
    assert newest.number == 2


async def test_unused_frames_are_counted():
    slot = FrameSlot()
    assert [slot.put(image()).number for _ in range(3)] == [1, 2, 3]


async def test_a_replaced_frame_is_freed():
    slot = FrameSlot()
    replaced = weakref.ref(slot.put(image()))
    slot.put(image())
    gc.collect()
    assert replaced() is None


async def test_who_comes_late_gets_the_newest_at_once():
    slot = FrameSlot()
    slot.put(image())
    newest = slot.put(image())
    assert await asyncio.wait_for(slot.after(0), 60) is newest


async def test_who_waits_gets_a_frame_that_a_thread_puts_in():
    slot = FrameSlot()
    first = slot.put(image())
    waiting = asyncio.ensure_future(slot.after(first.number))
    await asyncio.sleep(0)
    assert not waiting.done()
    thread = threading.Thread(target=slot.put, args=(image(),))
    thread.start()
    assert (await asyncio.wait_for(waiting, 60)).number == 2
    thread.join()


async def test_all_who_wait_get_it():
    slot = FrameSlot()
    waiting = [asyncio.ensure_future(slot.after(0)) for _ in range(5)]
    await asyncio.sleep(0)
    newest = slot.put(image())
    assert await asyncio.wait_for(asyncio.gather(*waiting), 60) == [newest] * 5


async def test_who_gave_up_waiting_leaves_nothing_behind():
    slot = FrameSlot()
    waiting = asyncio.ensure_future(slot.after(0))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    slot.put(image())
    assert (await asyncio.wait_for(slot.after(0), 60)).number == 1
    assert not slot._waiters


async def test_a_frame_that_comes_while_another_is_handled_is_not_missed():
    slot = FrameSlot()
    taken = []

    async def take():
        number = 0
        while number < 50:
            number = (await slot.after(number)).number
            taken.append(number)

    taking = asyncio.ensure_future(take())

    def put():
        for _ in range(50):
            slot.put(image())

    thread = threading.Thread(target=put)
    thread.start()
    await asyncio.wait_for(taking, 60)
    thread.join()
    assert taken == sorted(set(taken))
    assert taken[-1] == 50
