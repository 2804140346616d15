from __future__ import annotations

import asyncio

import pytest

from live_vlm_webui.models.deadline import Deadline, DeadlineError


async def test_what_takes_longer_is_ended():
    with pytest.raises(DeadlineError), Deadline(0.01):
        await asyncio.Event().wait()


async def test_what_is_done_in_time_goes_on():
    with Deadline(10):
        await asyncio.sleep(0)
    await asyncio.sleep(0)


@pytest.mark.parametrize("seconds", [0, -1])
async def test_no_time_left_is_a_deadline_that_has_passed(seconds):
    with pytest.raises(DeadlineError), Deadline(seconds):
        await asyncio.Event().wait()


async def test_a_cancellation_from_outside_stays_one():
    async def wait() -> None:
        with Deadline(10):
            await asyncio.Event().wait()

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_outer_of_two_deadlines_is_told_from_the_inner():
    inner = False
    with pytest.raises(DeadlineError), Deadline(0.01):
        try:
            with Deadline(10):
                await asyncio.Event().wait()
        except DeadlineError:
            inner = True
    assert not inner


async def test_a_task_can_be_cancelled_after_a_deadline():
    async def wait() -> None:
        try:
            with Deadline(0):
                await asyncio.Event().wait()
        except DeadlineError:
            await asyncio.Event().wait()

    task = asyncio.create_task(wait())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_errors_pass_through():
    with pytest.raises(KeyError), Deadline(10):
        raise KeyError
