"""What a user does with a camera and a model, from opening the page to changing everything while it runs.

Of a wheel this runs too. A vision model of an Ollama on this machine is asked if there is one, else the built-in
describer; which one it was is printed, and in the JUnit report.
"""

from __future__ import annotations

import json
import re
import sys
import time
import urllib.request

import pytest

PICTURE, FITS, FITS_NOT = "coffee", r"coffee|cup|mug|espresso|cappuccino", r"\b(dog|cat|car|person|people)\b"
STAND_IN = "stand-in:1b"
MODEL_SECONDS = 180
"""The first answer of a large model waits until it is in memory."""


@pytest.fixture
def models(serve_models):
    """A second server of models, so that there is always one to switch to."""
    server = serve_models("--play", "ollama", "--model", STAND_IN)
    server.behave(text="The second model's answer {number}.", total=0.3)
    return server


def real_model(url: str) -> tuple[str, str]:
    """The address and the name of the model to try: of a real server on this machine, else the describer."""
    with urllib.request.urlopen(f"{url.rstrip('/')}/api/models?refresh=true", timeout=30) as answer:
        offers = json.load(answer)["models"]
    seeing = [one for one in offers if one["vision"] and one["name"] != STAND_IN]
    chosen = next((one for one in seeing if one["server"] == "Ollama"), seeing[-1])
    return chosen["api_base"], chosen["name"]


def choose_model(tab, name: str) -> None:
    """Chooses a model by its name, as the list shows it."""
    tab.until(f"[...document.querySelectorAll('#model option')].some((one) => one.text === {json.dumps(name)})")
    tab["model"].select_option(label=name)
    tab.until(f"JSON.parse(sessionStorage.getItem('settings')).model === {json.dumps(name)}")


def answers(tab) -> list[dict[str, str]]:
    """The history that the server keeps of the page's session, oldest first."""
    path = "`api/sessions/${sessionStorage.getItem('session')}/answers`"
    return tab.page.evaluate(f"async () => (await (await fetch({path})).json()).answers")


def wait_for_answers(tab, model: str, count: int, prompt: str = "") -> list[str]:
    """The texts of the last ``count`` answers of ``model`` to ``prompt`` or any, once it has given as many."""
    deadline = time.monotonic() + MODEL_SECONDS
    while time.monotonic() < deadline:
        texts = [one["text"] for one in answers(tab) if one["model"]["name"] == model and prompt in one["prompt"]]
        if len(texts) >= count:
            return texts[-count:]
        tab.page.wait_for_timeout(250)
    raise AssertionError(f"{model} gave fewer than {count} answers\n{tab.page.inner_text('body')}")


def video_runs(tab) -> None:
    """Waits until the picture is there and its time goes on."""
    began = tab["video"].evaluate("(video) => video.currentTime")
    tab.until(f"document.getElementById('video').currentTime > {began}")
    tab.expect("video").to_be_visible()
    tab.until("document.getElementById('video').videoWidth === 1280 && !document.getElementById('video').paused")


@pytest.mark.release
def test_full_video_analysis_workflow(camera_of, visit, url, models, record_property):
    api_base, model = real_model(url)
    sys.stdout.write(f"\nasked: {model} at {api_base}\n")
    record_property("model", f"{model} at {api_base}")

    # The camera is granted and its picture is seen.
    tab = visit(camera_of(PICTURE))
    choose_model(tab, model)
    tab.start_camera()
    video_runs(tab)
    tab.until_text("camera-state", "Live")

    # The analysis has started, and what is said fits the picture.
    first = wait_for_answers(tab, model, 1)
    tab.until(f"/{FITS}/i.test(document.getElementById('text').innerText)")
    assert tab.page.locator("#frame-image").evaluate("(image) => image.decode().then(() => image.naturalWidth)") >= 320
    tab.expect("label").to_contain_text(model, ignore_case=True)
    for said in first:
        assert re.search(FITS, said, re.IGNORECASE)
        assert not re.search(FITS_NOT, said, re.IGNORECASE)

    # The machine's numbers move.
    tab["interval"].select_option("0.25")
    line = tab.page.locator("#gauges .line").first
    drawn = line.get_attribute("d")
    tab.until(f"document.querySelector('#gauges .line').getAttribute('d') !== {json.dumps(drawn)}")
    tab.expect("gauges").to_contain_text(re.compile(r"\d ?%"))

    # Theme, question and settings change while it runs.
    shade = "getComputedStyle(document.body).backgroundColor"
    before = tab.page.evaluate(shade)
    tab["theme"].select_option("dark")
    tab.until(f"{shade} !== {json.dumps(before)}")
    tab["prompt"].fill("List the objects.")
    tab["prompt"].press("Control+Enter")
    assert re.search(FITS, wait_for_answers(tab, model, 2, "List the objects.")[-1], re.IGNORECASE)
    video_runs(tab)

    # Another model is asked, and then the first one again.
    choose_model(tab, STAND_IN)
    assert wait_for_answers(tab, STAND_IN, 2)[-1].startswith("The second model's answer")
    models.until_asked(lambda question: question["prompt"] == "List the objects.")
    given = sum(one["model"]["name"] == model for one in answers(tab))
    choose_model(tab, model)
    assert re.search(FITS, wait_for_answers(tab, model, given + 1)[-1], re.IGNORECASE)

    # The picture is still there, and nothing was complained about.
    video_runs(tab)
    tab.until_text("camera-state", "Live")
    assert tab.hosts - {""} == {url.split("/")[2]}
    assert tab.complaints == []
