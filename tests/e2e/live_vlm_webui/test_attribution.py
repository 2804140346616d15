"""Each answer says whose it is, how old it is, and whether it is about what the camera shows now."""

from __future__ import annotations


def test_an_answer_says_whose_it_is_and_how_old(visit):
    tab = visit()
    tab.start_camera()
    tab.until_text("text", "cup")
    tab.button("Pause").click()
    tab.until_text("about", "2 s ago")
    assert "llava:7b" in tab.text("about")
    assert "2 s ago" in tab.text("about") or "3 s ago" in tab.text("about")


def test_a_slow_model_is_shown_as_being_waited_for(visit, models):
    models.behave(text="At last.", total=0.0, first_token=4.0)
    tab = visit()
    tab.start_camera()
    tab.until_text("empty", "Waiting for llava:7b")
    tab.until_text("text", "At last.")
    tab.until_text("about", "waiting for the next: 2 s")


def test_what_a_model_had_not_finished_goes_with_it(serve_models, serve, visit):
    server = serve_models("--play", "ollama", "--model", "llava:7b", "--model", "llava:13b")
    server.behave(text=" ".join(f"word{number}" for number in range(200)), total=40)
    address = serve("--api-base", server.api_base, "--model", "llava:7b").line().split(" is ready: ")[1].split(" ")[0]
    tab = visit(url=address)
    tab.start_camera()
    tab.until_text("text", "word1")
    server.behave(text="Something else.", total=0.0, first_token=6.0)
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
