from __future__ import annotations

import pytest


@pytest.fixture
def server(serve):
    """A server that asks its own describer, whatever else this machine has."""
    return serve("--model", "describer")


@pytest.mark.release
@pytest.mark.parametrize(
    ("photograph_of", "seen", "not_seen"),
    [("coffee", "cup", "dog"), ("chelsea", "cat", "dog"), ("astronaut", "person", "cat")],
)
def test_a_camera_on_a_machine_without_models_is_described_truly(
    camera_of, visit, record_property, photograph_of, seen, not_seen
):
    tab = visit(camera_of(photograph_of))
    tab.start_camera()
    started = tab.page.evaluate("() => performance.now()")
    tab.until_text("text", seen)
    took = tab.page.evaluate("() => performance.now()") - started
    record_property("milliseconds_to_first_answer", round(took))
    tab.expect("text").not_to_contain_text(not_seen, ignore_case=True)
    tab.expect("label").to_have_text("Built-in describer")
    tab.expect("numbers").not_to_contain_text("/s")  # it has no tokens, however its words arrive
    tab.until("document.getElementById('frame-image').naturalWidth > 0")
    assert tab.complaints == []


def test_a_question_that_needs_a_model_is_answered_with_that_truth(camera_of, visit):
    tab = visit(camera_of("coffee"))
    tab["prompt"].fill("Who invented this, and why?")
    tab["prompt"].press("Control+Enter")
    tab.start_camera()
    tab.until_text("text", "vision language model")
    assert tab.complaints == []
