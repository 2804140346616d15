from __future__ import annotations

import asyncio
import gc
import json
import weakref

import pytest

from live_vlm_webui.sessions.events import DELTA_SECONDS, LONGEST_QUEUE, TOO_SLOW, Event, Events


def make_events(**options):
    return Events(lambda: {"id": "x", "settings": {}}, **options)


async def read(subscription):
    return json.loads(await asyncio.wait_for(subscription.__anext__(), 60))


async def read_state(subscription):
    assert (await read(subscription))["type"] == "session"
    return subscription


async def drain(subscription):
    """All that waits, after giving pieces of text the time to be told."""
    await asyncio.sleep(2 * DELTA_SECONDS)
    subscription.end("")
    return [json.loads(text) async for text in subscription]


async def test_the_whole_state_comes_first():
    events = make_events()
    with events.subscribe() as subscription:
        events.tell("answer.started", id=1)

        assert await read(subscription) == {"type": "session", "id": "x", "settings": {}}
        events.tell("answer.started", id=2)
        assert await read(subscription) == {"type": "answer.started", "id": 2}


async def test_the_same_state_is_not_told_twice():
    events = make_events()
    with events.subscribe() as subscription:
        await read_state(subscription)
        for _ in range(27):
            events.tell_state("camera", camera={"state": "live"})
        events.tell_state("camera", camera={"state": "lost"})
        events.tell_state("camera", camera={"state": "live"})

        assert [event["camera"]["state"] for event in await drain(subscription)] == ["live", "lost", "live"]


async def test_text_without_letters_is_not_told():
    events = make_events()
    with events.subscribe() as subscription:
        await read_state(subscription)
        events.tell_text(1, "")

        assert await drain(subscription) == []


async def test_the_first_piece_of_an_answer_is_told_at_once():
    events = make_events()
    with events.subscribe() as subscription:
        await read_state(subscription)
        events.tell_text(1, "A")

        assert await read(subscription) == {"type": "answer.delta", "id": 1, "text": "A"}


async def test_pieces_that_come_fast_are_joined_and_none_is_lost():
    events = make_events()
    with events.subscribe() as subscription:
        await read_state(subscription)
        words = [f"{number} " for number in range(200)]
        for word in words:
            events.tell_text(1, word)
            await asyncio.sleep(0)

        pieces = await drain(subscription)
        assert "".join(piece["text"] for piece in pieces) == "".join(words)
        assert len(pieces) < 10


async def test_text_is_told_before_what_follows_it():
    events = make_events()
    with events.subscribe() as subscription:
        await read_state(subscription)
        events.tell_text(1, "A ")
        events.tell_text(1, "cat.")
        events.tell("answer.finished", id=1)
        events.tell_text(2, "No")
        events.tell_text(2, "ne.")

        told = [(event["type"], event["id"], event.get("text")) for event in await drain(subscription)]
        assert told[0:2] in (
            [("answer.delta", 1, "A cat."), ("answer.finished", 1, None)],
            [("answer.delta", 1, "A "), ("answer.delta", 1, "cat.")],
        )
        assert ("answer.finished", 1, None) in told[:3]
        assert "".join(text for kind, answer, text in told if kind == "answer.delta" and answer == 2) == "None."


async def test_pieces_that_wait_for_a_slow_browser_are_joined():
    events = make_events()
    with events.subscribe() as slow:
        await read_state(slow)
        for word in ("A ", "black ", "cat."):
            events.tell_text(1, word)
            await asyncio.sleep(2 * DELTA_SECONDS)

        assert await drain(slow) == [{"type": "answer.delta", "id": 1, "text": "A black cat."}]


async def test_pieces_of_different_answers_are_not_joined():
    events = make_events()
    with events.subscribe() as subscription:
        await read_state(subscription)
        events.tell_text(1, "A cat.")
        events.tell_text(2, "A dog.")

        assert [(event["id"], event["text"]) for event in await drain(subscription)] == [(1, "A cat."), (2, "A dog.")]


async def test_joining_for_a_slow_browser_takes_nothing_from_a_fast_one():
    events = make_events()
    with events.subscribe() as slow, events.subscribe() as fast:
        await read_state(slow)
        await read_state(fast)
        told = []
        for word in ("A ", "cat."):
            events.tell_text(1, word)
            await asyncio.sleep(2 * DELTA_SECONDS)
            told.append((await read(fast))["text"])

        assert told == ["A ", "cat."]
        assert [event["text"] for event in await drain(slow)] == ["A cat."]


async def test_a_late_browser_hears_no_text_twice():
    text = []
    events = Events(lambda: {"asking": "".join(text)})
    with events.subscribe() as early:
        await read_state(early)
        for word in ("A ", "black "):
            text.append(word)
            events.tell_text(1, word)
        with events.subscribe() as late:
            heard = (await read(late))["asking"]
            text.append("cat.")
            events.tell_text(1, "cat.")

            assert heard + "".join(event["text"] for event in await drain(late)) == "A black cat."
        assert "".join(event["text"] for event in await drain(early)) == "A black cat."


async def test_an_event_becomes_json_once_for_all_browsers():
    events = make_events()
    subscriptions = [await read_state(events.subscribe()) for _ in range(10)]
    events.tell("answer.finished", id=1, text="A cat.")

    texts = [await subscription.__anext__() for subscription in subscriptions]
    assert all(text is texts[0] for text in texts)


async def test_one_event_serves_several_sessions():
    sessions = [make_events(), make_events()]
    subscriptions = [await read_state(events.subscribe()) for events in sessions]
    event = Event("system", {"sample": {"cpu": 3}})
    for events in sessions:
        events.put(event)

    texts = [await subscription.__anext__() for subscription in subscriptions]
    assert texts[0] is texts[1]


async def test_who_falls_behind_is_disconnected_with_a_reason_and_others_are_not():
    events = make_events()
    slow, fast = await read_state(events.subscribe()), await read_state(events.subscribe())
    for number in range(LONGEST_QUEUE + 1):
        events.tell("answer.started", id=number)
        await read(fast)

    assert [text async for text in slow] == []
    assert slow.reason == TOO_SLOW
    assert fast.reason == ""
    assert len(events) == 1


async def test_a_browser_that_never_reads_holds_a_bounded_number_of_events():
    events = make_events()
    await read_state(events.subscribe())
    made = []
    for number in range(10 * LONGEST_QUEUE):
        event = Event("answer.finished", {"id": number, "text": "x" * 1000})
        made.append(weakref.ref(event))
        events.put(event)
        del event

    gc.collect()
    assert sum(ref() is not None for ref in made) == 0


async def test_the_end_is_told_with_its_reason():
    events = make_events()
    subscription = await read_state(events.subscribe())
    waiting = asyncio.ensure_future(drain_all(subscription))
    await asyncio.sleep(0)
    events.close("The server is stopping.")

    assert await waiting == [{"type": "closing", "reason": "The server is stopping."}]
    assert subscription.reason == "The server is stopping."


async def drain_all(subscription):
    return [json.loads(text) async for text in subscription]


async def test_nothing_is_told_after_the_end():
    events = make_events()
    subscription = await read_state(events.subscribe())
    events.close("over")
    events.close("over again")
    events.tell("answer.started", id=1)
    late = events.subscribe()

    assert [event["type"] for event in await drain_all(subscription)] == ["closing"]
    assert await drain_all(late) == []


async def test_each_end_of_a_subscription_is_counted_once():
    left = []
    events = make_events(left=lambda: left.append(len(events)))
    closed, slow, ended = [await read_state(events.subscribe()) for _ in range(3)]

    closed.close()
    closed.close()
    assert left == [2]
    slow.end(TOO_SLOW)
    slow.close()
    assert left == [2, 1]
    events.close("over")
    ended.close()
    assert left == [2, 1, 0]


async def test_a_closed_subscription_is_freed():
    events = make_events()
    subscription = await read_state(events.subscribe())
    reference = weakref.ref(subscription)
    subscription.close()
    del subscription
    gc.collect()

    assert reference() is None


async def test_no_timer_is_left_without_text():
    events = make_events()
    with events.subscribe() as subscription:
        await read_state(subscription)
        events.tell_text(1, "A cat.")
        await asyncio.sleep(3 * DELTA_SECONDS)

        assert events._flush is None


async def test_what_is_no_json_fails_where_it_was_said():
    with pytest.raises(ValueError, match="JSON"):
        Event("system", {"sample": float("nan")}).json  # noqa: B018
