"""Each answer says whose it is, how old it is, and whether it is about what the camera shows now."""

from __future__ import annotations

import re


def test_an_answer_says_whose_it_is_and_how_old(visit):
    tab = visit()
    tab.start_camera()
    tab.until_text("text", "cup")
    tab.button("Pause").click()
    tab.expect("about").to_have_text(re.compile(r"^llava:7b\b.* ([2-9]|[1-9]\d) s ago"))


def test_a_slow_model_is_shown_as_being_waited_for(visit, models):
    models.behave(text="At last.", held_at=0)
    tab = visit()
    tab.start_camera()
    tab.until_text("empty", "Waiting for llava:7b")
    models.release()
    tab.until_text("text", "At last.")
    models.behave(held_at=0)
    tab.expect("about").to_contain_text(re.compile(r"waiting for the next: ([2-9]|[1-9]\d) s"))


def test_what_a_model_had_not_finished_goes_with_it(serve_models, serve, visit):
    server = serve_models("--play", "ollama", "--model", "llava:7b", "--model", "llava:13b")
    server.behave(text=" ".join(f"word{number}" for number in range(200)), held_at=10)
    address = serve("--api-base", server.api_base, "--model", "llava:7b").line().split(" is ready: ")[1].split(" ")[0]
    tab = visit(url=address)
    tab.start_camera()
    tab.until_text("text", "word1")
    server.behave(text="Something else.", held_at=0)
    tab["model"].select_option(label="llava:13b")
    tab.until("!document.getElementById('text').innerText.includes('word1')")
    tab.until_text("empty", "Waiting for llava:13b")


def test_the_answer_of_a_camera_that_stopped_does_not_look_current(visit):
    tab = visit()
    tab.start_camera()
    tab.until_text("text", "cup")
    tab.until("!document.getElementById('answer').hasAttribute('data-stale')")
    tab.button("Stop camera").click()
    tab.until_text("about", "not what the camera shows now")
