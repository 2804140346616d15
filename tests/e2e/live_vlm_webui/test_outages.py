"""Servers that are killed and hang: the page goes on by itself as it was, and says nothing that is not so."""

from __future__ import annotations

import os
import signal

import pytest

ANSWERED = 3
HANGS_MS = 40_000


@pytest.fixture
def tab(visit):
    """A page with a camera, a question of its own, and answers."""
    tab = visit()
    tab.start_camera()
    tab.button("Settings").click()
    tab["system_prompt"].fill("Answer as a museum guide would.")
    tab.page.keyboard.press("Escape")
    tab["prompt"].fill("Is there a cup?")
    tab["prompt"].press("Control+Enter")
    tab.until(f"document.querySelectorAll('#history .entry').length >= {ANSWERED}")
    tab.until("[...document.querySelectorAll('#history img')].every((image) => image.naturalWidth > 0)")
    return tab


def shows_all_as_before(tab, models, before) -> None:
    """Wait for more answers than those of before, to the same question about the same camera; nothing is clicked."""
    asked = len(models.questions)
    models.behave(text="Back again {number}.")

    tab.connected()

    tab.until_text("camera-state", "Live")
    # While an answer comes it is only in #text, and its entry is drawn some tenths of a second after its end.
    tab.until_text("history", "Back again")
    tab.expect("prompt").to_have_value("Is there a cup?")
    later = models.questions[asked:]
    assert all("Is there a cup?" in str(one) for one in later)
    assert all("museum guide" in str(one["body"]["messages"][0]) for one in later)
    tab.expect("notices").to_have_text("")
    tab.expect("toggle").to_have_text("Stop camera")
    assert set(before) < set(answers_in_history(tab))
    tab.until("[...document.querySelectorAll('#history img')].every((image) => image.naturalWidth > 0)")


def answers_in_history(tab) -> list[str]:
    """What the entries of the history say."""
    return tab.page.locator("#history .words").all_inner_texts()


@pytest.mark.release
def test_a_server_that_is_killed_and_started_again_loses_nothing_on_the_page(tab, serve, models, server, url):
    before = answers_in_history(tab)
    server._process.send_signal(signal.SIGKILL)
    server.stop()
    tab.until_text("notices", "Start live-vlm-webui again if it was stopped")
    tab.until_text("camera-state", "Not connected")
    tab.until_text("text", "Answer")
    serve("--api-base", models.api_base, "--port", url.rstrip("/").rpartition(":")[2]).line()

    shows_all_as_before(tab, models, before)


@pytest.mark.lengthy
def test_a_server_that_hangs_for_forty_seconds_loses_nothing_on_the_page(tab, models, server):
    before = answers_in_history(tab)
    os.kill(server._process.pid, signal.SIGSTOP)
    try:
        tab.page.wait_for_selector("#connection[data-state=lost]")
        tab.until_text("camera-state", "Not connected")
        tab.page.wait_for_timeout(HANGS_MS)
        tab.expect("notices").not_to_contain_text("Another source")
    finally:
        os.kill(server._process.pid, signal.SIGCONT)

    shows_all_as_before(tab, models, before)
