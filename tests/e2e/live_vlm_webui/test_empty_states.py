"""What the page says where there is no camera and no answer yet: what happened, and what to do about it."""

from __future__ import annotations

import io
import re

import pytest

REFUSING = """
window.refusal = null;
const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wanted) => {
  if (window.refusal) throw new DOMException("as told", window.refusal);
  return open(wanted);
};
"""
REFUSALS = {
    "NotFoundError": ("No camera found", "Connect a camera", "Keine Kamera gefunden", "Schließen Sie eine Kamera an"),
    "NotAllowedError": ("did not allow", "site settings", "nicht erlaubt", "Website-Einstellungen"),
    "NotReadableError": ("in use", "video call", "wird verwendet", "Videoanruf"),
    "AbortError": ("in use", "unplug it", "wird verwendet", "stecken Sie sie ab"),
    "OverconstrainedError": ("no longer available", "another camera", "nicht mehr verfügbar", "eine andere Kamera"),
    "SecurityError": ("allows no camera", "policy", "keine Kamera", "Richtlinie"),
    "TypeError": ("did not start: as told", "Try again", "nicht starten: as told", "Versuchen Sie"),
}
UNPLUG = "() => document.getElementById('video').srcObject.getVideoTracks()[0].dispatchEvent(new Event('ended'))"


def reads(tab, what: str, todo: str) -> None:
    tab.until_text("message", what)
    tab.until_text("todo", todo)


def test_each_way_to_have_no_camera_is_told_with_what_to_do_in_each_language(visit, models):
    tab = visit(script=REFUSING)
    tab.until_text("empty", "No answers yet")
    tab.button("Start camera").wait_for()
    start = "toggle"
    for refusal, (what, todo, was, tun) in REFUSALS.items():
        tab.page.evaluate(f"() => {{ window.refusal = '{refusal}'; }}")
        tab[start].click()
        reads(tab, what, todo)
        tab.speak("de")
        reads(tab, was, tun)
        tab.speak("en")
        start = "way-again"
    tab.page.evaluate("() => { window.refusal = null; }")
    tab.button("Try again").click()
    tab.until_text("camera-state", "Live")
    tab.expect("way-again").to_be_hidden()
    tab.page.evaluate(UNPLUG)
    reads(tab, "was disconnected", "Connect it again")
    tab.speak("de")
    reads(tab, "wurde getrennt", "Schließen Sie sie wieder an")
    tab.speak("en")

    tab.button("Enter an address").click()
    tab.expect("address").to_be_focused()
    tab.expect("way-again").to_be_hidden()
    tab.page.locator("input[value=camera]").check(force=True)
    assert tab.complaints == []


def test_a_picture_can_be_asked_about_where_the_address_allows_no_camera(visit, models):
    image = pytest.importorskip("PIL.Image", reason="Pillow, which draws a picture, is missing")
    drawn = io.BytesIO()
    image.new("RGB", (320, 180), "teal").save(drawn, "PNG")
    tab = visit(script="Object.defineProperty(window, 'isSecureContext', { value: false });")
    reads(tab, "only over HTTPS", "Start the server without --no-ssl")
    tab.expect("toggle").to_be_hidden()
    tab.expect("way-again").to_be_hidden()
    with tab.page.expect_file_chooser() as chooser:
        tab["way-picture"].click()
    chooser.value.set_files({"name": "teal.png", "mimeType": "image/png", "buffer": drawn.getvalue()})
    tab.until_text("text", "a cup of coffee")
    tab.expect("empty").to_be_hidden()
    assert tab.complaints == []


def test_before_the_first_answer_the_page_says_what_is_missing_and_how_long_it_waits(visit, models):
    models.behave(text="A late answer.", held_at=0)
    tab = visit()
    tab.until_text("empty", "Start the camera, or choose a stream or a picture.")
    tab.expect("hold").to_be_hidden()
    tab.button("Pause").click()
    tab.until_text("empty", "Paused: no questions are asked")
    tab.button("Continue asking").click()
    tab.until_text("empty", "No answers yet")
    tab.start_camera()
    tab.expect("empty").to_contain_text(re.compile(r"Waiting for llava:7b · Ollama: [1-9] s"))
    tab.expect("empty-model").to_be_hidden()

    tab.page.evaluate("() => { const real = Date.now; Date.now = () => real() + 60000; }")
    tab.until_text("empty", "Still waiting for llava:7b")
    tab.until_text("empty", "loaded before its first answer")
    tab.speak("de")
    tab.until_text("empty", "Warten immer noch auf llava:7b")
    tab.button("Anderes Modell wählen").click()
    tab.expect("model").to_be_focused()

    models.release()
    tab.until_text("text", "A late answer.")
    tab.expect("empty").to_be_hidden()
    tab.expect("hold").to_be_visible()
    assert tab.complaints == []
