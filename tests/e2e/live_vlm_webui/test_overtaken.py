"""What comes late never replaces what is newer on the page."""

from __future__ import annotations

REFUSE_THE_FIRST = """
const Real = WebSocket;
let made = 0;
window.WebSocket = class extends Real {
  constructor(address) {
    super((made += 1) === 1 ? address.replace("/ws", "/healthz") : address);
  }
};
window.socketsMade = () => made;
"""
SLOW_TO_SET = """
const set = RTCRtpSender.prototype.setParameters;
RTCRtpSender.prototype.setParameters = function (parameters) {
  if (window.release) return set.call(this, parameters);
  return new Promise((resolve) => (window.release = resolve));
};
"""
LAST_PICTURE = "[...document.querySelectorAll('#history img')].at(-1)"


def test_a_language_that_comes_after_another_was_chosen_is_not_shown(visit):
    tab = visit()
    held = tab.hold("**/words/de.json")
    tab["language"].select_option("de")
    tab.until_held(held)
    with tab.page.expect_response("**/words/en.json"):
        tab["language"].select_option("en")
    with tab.page.expect_response("**/words/de.json"):
        held[0].continue_()
    tab.settle()
    tab.until_is("document.documentElement.lang", "en")
    tab.expect("toggle").to_have_text("Start camera")


def test_a_language_that_does_not_come_is_told_and_not_shown_as_chosen(visit):
    tab = visit()
    tab.page.route("**/words/de.json", lambda route: route.abort())
    tab.button("Settings").click()
    tab["settings-language"].select_option("de")
    tab.until_text("notices", "The server does not respond")
    tab.expect("language").to_have_value("en")
    tab.expect("settings-language").to_have_value("en")


def test_the_picture_of_an_answer_that_comes_late_is_not_shown_with_another(visit):
    tab = visit()
    held = tab.hold("**/answers/1/frame.jpg")
    tab.start_camera()
    tab.until("document.querySelectorAll('#history .entry').length >= 3")
    entries = tab.page.locator("#history .entry")
    entries.last.click()
    tab.page.wait_for_selector("#detail[open]")
    tab.page.keyboard.press("Escape")
    tab.expect("detail").to_be_hidden()
    tab.page.get_by_role("button", name="Answer 2:").click()
    tab.until("document.getElementById('detail-frame').naturalWidth > 0")
    shown = tab["detail-frame"].get_attribute("src")
    tab.until_held(held)
    for route in held:
        route.continue_()
    tab.until(f"{LAST_PICTURE}.naturalWidth > 0")
    tab.expect("detail-frame").to_have_attribute("src", shown)


def test_a_camera_that_is_stopped_while_it_connects_can_be_started_again(visit):
    tab = visit(script=SLOW_TO_SET)
    tab.button("Start camera").click()
    tab.until("Boolean(window.release)")
    tab.button("Stop camera").click()
    tab.page.evaluate("() => window.release()")
    tab.settle()
    tab.start_camera()
    tab.until_text("camera-state", "WebRTC")
    tab.until_text("camera-state", "Live")
    tab.expect("notices").to_have_text("")


def test_why_a_connection_failed_does_not_end_the_next_one(visit_class, browser, url):
    held = []

    def prepare(page):
        page.clock.install()
        page.route("**/ws", lambda route: held.append(route) if route.request.method == "OPTIONS" else route.fallback())

    tab = visit_class(browser, url, script=REFUSE_THE_FIRST, prepare=prepare)
    tab.until_held(held)
    tab.page.clock.fast_forward(9_000)
    tab.connected()
    with tab.page.expect_response("**/ws"):
        held[0].continue_()
    tab.settle()
    tab.expect("connection").to_have_attribute("data-state", "open")
    tab.until_is("window.socketsMade()", 2)
    tab.expect("notices").to_have_text("")
