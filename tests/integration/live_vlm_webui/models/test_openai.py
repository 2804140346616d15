from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest
from openai_answers import ANSWER
from openai_failures import FAILURES
from openai_server import OpenAIServer

from live_vlm_webui.errors import ModelError
from live_vlm_webui.media.picture import Picture
from live_vlm_webui.models.endpoint import Endpoint
from live_vlm_webui.models.model import Exchange, ModelLabel, Question
from live_vlm_webui.models.openai import Limits, OpenAIModel
from live_vlm_webui.secret import Secret

PICTURES = (Picture(b"\xff\xd8first", 4, 3), Picture(b"\xff\xd8second", 4, 3))
QUESTION = Question("What is this?", PICTURES[:1], 100)
PATIENT = Limits(connect=60)
QUICK = Limits(first_token=0.4, next_token=0.3, total=1.0)  # for what is to run out of time


@pytest.fixture
async def server():
    async with OpenAIServer() as server:
        yield server


@pytest.fixture
def model(server, http):
    return lambda name="some-vlm", key=None, limits=None: model_at(server.api_base, http, name, key, limits)


def model_at(api_base, http, name="some-vlm", key=None, limits=None) -> OpenAIModel:
    endpoint = Endpoint(api_base, None if key is None else Secret(key))
    return OpenAIModel(ModelLabel(endpoint.api_base, name), endpoint, http, limits=limits or PATIENT)


async def text_of(model, question=QUESTION) -> str:
    return "".join([delta.text async for delta in model.answer(question)])


async def failure_of(model, question=QUESTION) -> ModelError:
    with pytest.raises(ModelError) as caught:
        await text_of(model, question)
    assert model.label.api_base in caught.value.message
    assert caught.value.remedy
    return caught.value


async def test_the_server_sees_the_question_as_it_was_asked(server, model):
    assert await text_of(model(), Question("What is this?", PICTURES, 7)) == "A person sits at a desk with"
    (asked,) = server.asked
    assert (asked.prompt, asked.pictures) == ("What is this?", [picture.jpeg for picture in PICTURES])
    assert asked.body["max_tokens"] == 7
    assert asked.headers["User-Agent"].startswith("live-vlm-webui/")


async def test_pieces_come_as_they_are_made(server, model):
    server.behave(text="one two three", first_token=0.2, per_token=0.5)
    began = time.monotonic()
    pieces = [(delta.text, time.monotonic() - began) async for delta in model().answer(QUESTION) if delta.text]
    assert [text for text, _ in pieces] == ["one", " two", " three"]
    for (_, at), due in zip(pieces, (0.2, 0.7, 1.2), strict=True):
        assert at >= due - 0.01
    assert pieces[-1][1] - pieces[0][1] > 0.3  # and not all at the end


async def test_the_number_of_tokens_is_told(model):
    assert [delta.completion_tokens async for delta in model().answer(QUESTION)][-1] == 9


async def test_a_server_that_tells_no_number_of_tokens_answers_all_the_same(server, model):
    server.behave(usage=False)
    assert await text_of(model()) == ANSWER


@pytest.mark.parametrize(
    "fault", ["bytes", "crlf", "comments", "multi-line", "no-done", "ignores-stream", "wrong-shape"]
)
async def test_all_forms_of_a_stream_give_the_same_answer(model, fault):
    assert await text_of(model(f"some-vlm;fault={fault}")) == ANSWER


async def test_bytes_that_are_no_text_do_not_end_an_answer(model):
    assert "caf\ufffd sits" in await text_of(model("some-vlm;fault=not-utf8"))


async def test_thoughts_are_no_part_of_the_answer(server, model):
    server.behave(reasoning="Let me look.")
    assert await text_of(model()) == ANSWER
    server.behave(text="<think>Let me look.</think> A cat.", reasoning="")
    assert await text_of(model()) == "A cat."


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("stall", "timeout"),
        ("stall-headers", "timeout"),
        ("stall-mid", "timeout"),
        ("drop", "unreachable"),
        ("drop-headers", "unreachable"),
        ("drop-mid", "unreachable"),
        ("redirect", "refused"),
        ("html", "bad-answer"),
        ("garbage", "bad-answer"),
        ("invalid-json", "bad-answer"),
        ("long-line", "bad-answer"),
        ("endless", "bad-answer"),
        ("endless-line", "bad-answer"),
        ("endless-error", "refused"),
        ("error-mid", "refused"),
    ],
)
async def test_every_fault_has_a_cause_and_ends_at_once(server, model, fault, code):
    began = time.monotonic()
    limits = QUICK if code == "timeout" else None
    assert (await failure_of(model(f"some-vlm;fault={fault}", limits=limits))).code == code
    assert time.monotonic() - began < 30
    assert await server.ended(server.requests[-1]) in {"done", "disconnected"}
    assert await text_of(model()) == ANSWER


@pytest.mark.parametrize("failure", FAILURES)
async def test_failures_of_real_servers_are_explained_with_their_words(model, failure):
    error = await failure_of(model(f"some-vlm;fail={failure}"))
    words = FAILURES[failure][1]
    if isinstance(words, dict) and isinstance(words.get("error"), dict):
        assert words["error"]["message"][:20].replace("{model}", "some-vlm") in error.message


async def test_a_limit_tells_how_long_to_wait(model):
    error = await failure_of(model("some-vlm;fail=openai-429;retry_after=7"))
    assert (error.code, error.retry_after) == ("rate-limited", 7.0)


async def test_a_model_that_talks_for_ever_is_stopped_in_time(server, model):
    server.behave(text="word " * 1000, per_token=0.05)
    error = await failure_of(model(limits=Limits(total=1.0)), replace(QUESTION, max_tokens=10_000))
    assert error.code == "timeout"
    assert "did not finish its answer within 1 s" in error.message
    assert await server.ended(server.requests[-1]) == "disconnected"


async def test_a_model_that_is_slow_to_begin_is_waited_for_longer_than_between_pieces(server, model):
    server.behave(first_token=2.5)
    assert await text_of(model(limits=Limits(connect=60, next_token=2.0))) == ANSWER


async def test_signs_of_life_are_no_beginning_of_an_answer(http):
    async def keep_alive(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        while not writer.is_closing():
            writer.write(b": still here\n\n")
            await asyncio.sleep(0.05)

    async with raw_server(keep_alive) as api_base:
        error = await failure_of(model_at(api_base, http, limits=QUICK))
    assert (error.code, "0.4 s" in error.message) == ("timeout", True)


async def test_an_answer_that_is_closed_closes_its_connection_at_once(server, model):
    server.behave(per_token=600)
    answer = model().answer(QUESTION)
    await anext(answer)
    began = time.monotonic()
    await answer.aclose()
    assert await server.ended(server.requests[-1]) == "disconnected"
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("fault", ["stall", "stall-headers", "stall-mid"])
async def test_a_question_that_is_cancelled_closes_its_connection_at_once(server, model, fault):
    task = asyncio.create_task(text_of(model(f"some-vlm;fault={fault}")))
    await server.seen(questions=1)
    await asyncio.sleep(0.05)
    began = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await server.ended(server.requests[-1]) == "disconnected"
    assert time.monotonic() - began < 30


async def test_questions_in_turn_share_one_connection(server, model):
    for _ in range(5):
        await text_of(model())
    assert len({asked.connection for asked in server.asked}) == 1


async def test_the_connection_is_kept_though_its_stream_ends_a_little_after_the_answer(http):
    connections = []

    async def answer(reader, writer):
        connections.append(writer)
        while await read_request(reader):
            event = b'data: {"choices": [{"delta": {"content": "A cat."}}]}\n\ndata: [DONE]\n\n'
            head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
            writer.write(head + b"%x\r\n%s\r\n" % (len(event), event))
            await asyncio.sleep(0.01)
            writer.write(b"0\r\n\r\n")

    async with raw_server(answer) as api_base:
        model = model_at(api_base, http)
        assert [await text_of(model) for _ in range(3)] == ["A cat."] * 3
    assert len(connections) == 1


async def test_a_stream_that_never_says_anything_is_stopped(http):
    async def chatter(reader, writer):
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        while True:
            writer.write(b": nothing\n\n" * 1000)
            await writer.drain()

    async with raw_server(chatter) as api_base:
        error = await failure_of(model_at(api_base, http, limits=Limits(stream=1 << 20)))
    assert (error.code, "1048576 bytes" in error.message) == ("bad-answer", True)


async def test_a_server_that_is_restarted_is_found_again_by_the_next_question(server, model):
    asked = model()
    assert await text_of(asked) == ANSWER
    await server.stop()
    error = await failure_of(asked)
    assert (error.code, "Start the model server" in error.remedy) == ("unreachable", True)
    await server.start()
    assert await text_of(asked) == ANSWER


async def test_a_connection_that_has_gone_stale_is_replaced_once(http):
    connections = []

    async def answer_once(reader, writer):
        connections.append(0)
        number = len(connections)
        while await read_request(reader):
            connections[number - 1] += 1
            if number == 1 and connections[0] == 2:
                break
            writer.write(WHOLE_ANSWER)
        writer.close()

    async with raw_server(answer_once) as api_base:
        model = model_at(api_base, http)
        assert await text_of(model) == "A cat."
        assert await text_of(model) == "A cat."
    assert connections == [2, 1]


async def test_a_server_that_breaks_off_is_asked_twice_and_no_more(http):
    requests = []

    async def break_off(reader, writer):
        requests.append(await read_request(reader))
        writer.close()

    async with raw_server(break_off) as api_base:
        assert (await failure_of(model_at(api_base, http))).code == "unreachable"
    assert len(requests) == 2


async def test_what_a_server_refuses_is_learned_and_not_tried_again(server, model):
    server.behave(rejects="max_tokens+stream_options")
    asked = model()
    assert await text_of(asked) == ANSWER
    first = server.questions
    assert await text_of(asked) == ANSWER
    assert server.questions == first + 1
    body = server.asked[-1].body
    assert body["max_completion_tokens"] == 100
    assert not {"max_tokens", "stream_options"} & body.keys()


THOUGHTS = " ".join(["hm"] * 150)


@pytest.mark.parametrize("quiet", ["reasoning_effort", "chat_template_kwargs", "think"])
async def test_a_model_that_reasons_is_asked_at_once_and_from_then_on_not_to(server, model, quiet):
    server.behave(reasoning=THOUGHTS, quiet=quiet)
    asked = model()
    assert await text_of(asked) == ANSWER
    assert (server.questions, quiet in server.asked[0].body) == (2, False)
    assert await text_of(asked) == ANSWER
    assert server.questions == 3


async def test_a_server_that_rejects_parameters_against_reasoning_is_sent_those_that_it_knows(server, model):
    server.behave(reasoning=THOUGHTS, quiet="chat_template_kwargs", rejects="reasoning_effort+think")
    asked = model()
    assert await text_of(asked) == ANSWER
    so_far = server.questions
    assert await text_of(asked) == ANSWER
    assert server.questions == so_far + 1
    assert not {"reasoning_effort", "think"} & server.asked[-1].body.keys()


async def test_a_model_that_reasons_all_the_same_may_think_longer_and_answers(server, model):
    server.behave(reasoning=THOUGHTS)
    asked = model()
    assert "still reasoning" in (await failure_of(asked)).message
    assert await text_of(asked) == ANSWER


async def test_a_question_that_is_refused_in_every_dialect_fails(server, model):
    server.behave(rejects="max_tokens+stream_options+max_completion_tokens+messages")
    assert (await failure_of(model())).code == "refused"
    assert server.questions == 4


async def test_eight_large_pictures_are_one_question(server, model):
    pictures = (Picture(bytes(range(256)) * 1024, 1000, 1000),) * 8
    assert await text_of(model(), Question("What moves?", pictures, 100)) == ANSWER
    assert server.asked[-1].pictures == [picture.jpeg for picture in pictures]


async def test_a_key_is_sent_with_each_question(http):
    async with OpenAIServer(api_key="sk-right") as server:
        assert await text_of(model_at(server.api_base, http, key="sk-right")) == ANSWER
        wrong = await failure_of(model_at(server.api_base, http, key="sk-wrong"))
        none = await failure_of(model_at(server.api_base, http))
    assert (wrong.code, none.code) == ("unauthorised", "unauthorised")
    assert "rejected the API key" in wrong.message
    assert "none is set" in none.message
    assert "sk-wrong" not in str(wrong)


WHOLE_ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n"
    b'{"choices": [{"message": {"content": "A cat."}}]} '
)


@asynccontextmanager
async def raw_server(serve) -> AsyncIterator[str]:
    """Serves connections by a callback, byte by byte; gives its API's address."""
    connections = set()

    async def handle(reader, writer):
        connections.add(asyncio.current_task())
        with suppress(asyncio.CancelledError, ConnectionError):
            await serve(reader, writer)
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    finally:
        server.close()
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections)


async def read_request(reader) -> bool:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return False
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    return bool(await reader.readexactly(length))


TOLD = Question("What is this?", PICTURES[:1], 100, system_prompt="Be brief.", temperature=0.2)


def asked_anew() -> Question:
    return replace(TOLD, exchange=Exchange())


async def test_system_prompt_and_temperature_are_sent_as_openai_describes_them(server, model):
    assert await text_of(model(), asked_anew()) == ANSWER
    body = server.asked[-1].body
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}
    assert [message["role"] for message in body["messages"]] == ["system", "user"]
    assert body["temperature"] == 0.2
    assert await text_of(model()) == ANSWER
    body = server.asked[-1].body
    assert [message["role"] for message in body["messages"]] == ["user"]
    assert "temperature" not in body


async def test_a_model_that_rejects_both_is_asked_without_at_once_and_from_then_on(server, model):
    server.behave(rejects="temperature+system")
    asked, question = model(), asked_anew()
    assert await text_of(asked, question) == ANSWER
    assert question.exchange.left_out == ("temperature",)
    assert [one["status"] for one in question.exchange.refused] == [400, 400]
    assert "temperature" in question.exchange.refused[0]["message"]
    so_far = server.questions
    question = asked_anew()
    assert await text_of(asked, question) == ANSWER
    assert server.questions == so_far + 1
    assert server.asked[-1].prompt == "Be brief.\n\nWhat is this?"
    assert (question.exchange.left_out, question.exchange.refused) == (("temperature",), [])


async def test_what_was_sent_and_came_back_is_recorded_without_pictures_and_keys(http):
    async with OpenAIServer(api_key="sk-right") as server:
        right, wrong = asked_anew(), asked_anew()
        assert await text_of(model_at(server.api_base, http, key="sk-right"), right) == ANSWER
        await failure_of(model_at(server.api_base, http, key="sk-wrong"), wrong)
        sent = server.asked[0].body
    exchange = right.exchange
    assert exchange.url == f"{server.api_base}/chat/completions"
    assert (exchange.with_key, exchange.status, exchange.finish_reason) == (True, 200, "stop")
    assert exchange.usage == {"prompt_tokens": 300, "completion_tokens": 9, "total_tokens": 309}
    assert exchange.body["messages"][1]["content"][0]["image_url"]["url"] == "data:image/jpeg;base64,(4x3, 7 bytes)"
    for body in (sent, exchange.body):
        del body["messages"][1]["content"][0]
    assert exchange.body == sent
    assert wrong.exchange.status == 401
    assert wrong.exchange.message
    assert not {key for key in ("sk-right", "sk-wrong") if key in f"{right.exchange}{wrong.exchange}"}
