from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import simplejpeg

from live_vlm_webui.describer.describer import KEPT_SECONDS, Describer
from live_vlm_webui.errors import ModelError
from live_vlm_webui.media.picture import Picture
from live_vlm_webui.models.model import BUILT_IN, ModelLabel, Question, VisionModel


def picture(pixels: np.ndarray) -> Picture:
    return Picture(simplejpeg.encode_jpeg(pixels, 90, colorspace="RGB"), pixels.shape[1], pixels.shape[0])


def plain(level: int) -> Picture:
    return picture(np.full((90, 160, 3), level, np.uint8))


NOISE = picture(np.random.default_rng(1).integers(0, 256, (180, 320, 3), np.uint8))


class NotedExecutor(ThreadPoolExecutor):
    """Notes what it is given."""

    submitted: list[object]

    def submit(self, function: Any, /, *arguments: Any, **named: Any) -> Future[Any]:
        self.submitted = [*getattr(self, "submitted", []), function]
        return super().submit(function, *arguments, **named)


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1, thread_name_prefix="looking") as threads:
        yield threads


async def ask(
    model: VisionModel, *pictures: Picture, prompt: str = "Describe the scene.", max_tokens: int = 200
) -> str:
    return "".join([delta.text async for delta in model.answer(Question(prompt, pictures, max_tokens))])


def test_it_is_called_what_it_is(executor: ThreadPoolExecutor) -> None:
    assert Describer(executor).model().label == ModelLabel(BUILT_IN, "describer", "built-in describer")


async def test_an_answer_comes_in_pieces_without_tokens(executor: ThreadPoolExecutor) -> None:
    model = Describer(executor).model()
    deltas = [delta async for delta in model.answer(Question("Describe the scene.", (NOISE,), 200))]
    text = "".join(delta.text for delta in deltas)
    assert len(deltas) > 2
    assert all(delta.completion_tokens is None for delta in deltas)  # it has none, and so no tokens a second
    assert text.startswith("I recognise nothing")


@pytest.mark.parametrize("max_tokens", [1, 3, 8])
async def test_no_answer_is_longer_than_asked(executor: ThreadPoolExecutor, max_tokens: int) -> None:
    model = Describer(executor).model()
    for prompt in ("Describe the scene.", "Why?", "List the objects."):
        assert len((await ask(model, plain(90), prompt=prompt, max_tokens=max_tokens)).split()) <= max_tokens


async def test_each_session_remembers_its_own_last_answer(executor: ThreadPoolExecutor) -> None:
    describer = Describer(executor)
    one, other = describer.model(), describer.model()
    await ask(one, plain(20))
    assert "last answer" not in await ask(other, plain(200))
    assert "the picture has become brighter" in await ask(one, plain(200))
    assert "last answer" not in await ask(one, plain(200))


async def test_several_pictures_are_compared_with_each_other_alone(executor: ThreadPoolExecutor) -> None:
    model = Describer(executor).model()
    await ask(model, plain(200))
    said = await ask(model, plain(20), NOISE, plain(20))
    assert "From the first to the last of these 3 pictures: I see no change." in said


async def test_json_is_json(executor: ThreadPoolExecutor) -> None:
    said = json.loads(await ask(Describer(executor).model(), NOISE, prompt='Answer as {"people": 0, "mood": ""}'))
    assert said == {"people": 0, "mood": None, "answered_by": "built-in describer"}


async def test_imports_and_answers_run_in_the_executor() -> None:
    with NotedExecutor(1) as executor:
        model = Describer(executor).model()
        await ask(model, NOISE)
        await ask(model, NOISE)
    assert len(executor.submitted) == 3


async def test_an_answer_that_is_not_wanted_any_more_is_not_the_last_one(executor: ThreadPoolExecutor) -> None:
    model = Describer(executor).model()
    await ask(model, plain(20))
    unwanted = model.answer(Question("Describe the scene.", (plain(200),), 200))
    await unwanted.aclose()
    assert "last answer" not in await ask(model, plain(20))


async def test_the_networks_are_freed_with_the_last_session_that_used_them(executor: ThreadPoolExecutor) -> None:
    describer = Describer(executor)
    one, other, idle = describer.model(), describer.model(), describer.model()
    assert not describer.loaded
    await ask(one, NOISE)
    await ask(other, NOISE)
    await idle.close()
    await one.close()
    assert describer.loaded
    await other.close()
    assert not describer.loaded
    await ask(idle, NOISE)
    assert describer.loaded


async def test_what_is_no_picture_is_a_model_error(executor: ThreadPoolExecutor) -> None:
    with pytest.raises(ModelError, match="invalid JPEG") as caught:
        await ask(Describer(executor).model(), Picture(b"no picture", 10, 10))
    assert caught.value.code == "bad-answer"


def test_nothing_heavy_is_loaded_before_the_first_question() -> None:
    program = (
        "import sys; from concurrent.futures import ThreadPoolExecutor;"
        "from live_vlm_webui.describer.describer import Describer; Describer(ThreadPoolExecutor(1)).model();"
        "print({'numpy', 'onnxruntime', 'av', 'simplejpeg'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout.strip() == "set()"


async def expected() -> bool:
    return True


async def test_networks_that_were_loaded_in_advance_answer_the_first_question(executor: ThreadPoolExecutor) -> None:
    describer = Describer(executor)
    describer.warm_up(expected)
    model = describer.model()
    assert (await ask(model, NOISE)).startswith("I recognise nothing")
    assert describer.loaded
    await model.close()
    assert not describer.loaded


async def test_nothing_is_loaded_in_advance_where_another_model_will_be_asked(executor: ThreadPoolExecutor) -> None:
    describer = Describer(executor)
    looked = asyncio.Event()

    async def unexpected() -> bool:
        looked.set()
        return False

    describer.warm_up(unexpected)
    await looked.wait()
    await asyncio.sleep(0)
    await asyncio.get_running_loop().run_in_executor(executor, int)  # whatever was given to the thread is done
    assert not describer.loaded


async def test_networks_that_were_loaded_in_advance_are_freed_if_nothing_is_asked(
    executor: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, waiting = asyncio.get_running_loop(), asyncio.Queue[Callable[[], object]]()
    later = loop.call_later

    def call_later(delay: float, callback: Callable[..., object], *arguments: Any) -> asyncio.TimerHandle:
        if delay == KEPT_SECONDS:
            waiting.put_nowait(callback)
        return later(delay, callback, *arguments)

    monkeypatch.setattr(loop, "call_later", call_later)
    describer = Describer(executor)
    describer.warm_up(expected)
    time_is_over = await waiting.get()
    assert describer.loaded
    time_is_over()
    assert not describer.loaded


async def test_loading_in_advance_ends_with_the_server(executor: ThreadPoolExecutor) -> None:
    describer = Describer(executor)
    asked = asyncio.Event()

    async def never_known() -> bool:
        asked.set()
        await asyncio.Event().wait()
        return True

    await describer.close()
    describer.warm_up(never_known)
    await asked.wait()
    await describer.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert not describer.loaded
