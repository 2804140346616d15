"""Answers of a fast model can be read: each that is shown stands whole and still, and those passed over are counted."""

from __future__ import annotations

import itertools
import re

import pytest

WORDS = " ".join(["word"] * 18)
WATCH = """
const Real = WebSocket;
window.sockets = [];
window.WebSocket = class extends Real {
  constructor(...how) {
    super(...how);
    sockets.push(this);
  }
};
window.isWhole = (text) => /^Number [0-9]+:( word){18}$/.test(text);
window.shown = [];
addEventListener("DOMContentLoaded", () => {
  const text = document.getElementById("text");
  new MutationObserver(() => shown.push([performance.now(), text.innerText])).observe(
    text, { childList: true, subtree: true, characterData: true });
});
"""


@pytest.fixture
def tab(visit, models):
    """A page that shows answers of twenty words, of which there are more than two a second."""
    models.behave(text=f"Number {{number}}: {WORDS}", total=0.4)
    tab = visit(showing="read", script=WATCH)
    tab.start_camera()
    tab.until("isWhole(document.getElementById('text').innerText)")
    return tab


def test_a_whole_answer_stands_still_for_as_long_as_its_words_take_to_read(tab):
    tab.until("new Set(shown.map(([, text]) => text).filter(isWhole)).size >= 3")

    changes = tab.page.evaluate("() => window.shown")
    whole = [(at, text) for at, text in changes if re.fullmatch(r"Number \d+:( word){18}", text)]
    began = {text: at for at, text in reversed(whole)}
    ended = [min(at for at, other in changes if at > began[text] and other != text) for text in list(began)[1:]]
    stood = [end - began[text] for text, end in zip(list(began)[1:], ended, strict=True)]
    assert stood
    assert min(stood) >= 4900


def test_those_that_were_passed_over_are_counted(tab):
    tab.until_text("about", "passed over")
    tab.expect("about").to_contain_text(re.compile(r"\b[1-9]\d* passed over"))


def hold(tab) -> str:
    """Hold what is shown, and return it: one that has just begun is held until it is whole."""
    tab.button("Hold").click()
    tab.until("isWhole(document.getElementById('text').innerText)")
    return tab["text"].inner_text()


def test_what_is_held_stays_until_it_is_released(tab):
    held = hold(tab)
    before = len(tab.page.evaluate("() => window.shown"))
    tab.page.wait_for_timeout(6000)  # longer than it takes to read
    assert tab.page.evaluate("() => window.shown")[before:] == []
    tab.button("Hold").click()
    tab.until(f"document.getElementById('text').innerText !== {held!r}")


def test_shown_live_each_answer_appears_as_it_comes(tab):
    tab["showing"].select_option("live")
    begun = "shown.slice(from).filter(([, text], at, all) => text.split(':')[0] !== all[at - 1]?.[1].split(':')[0])"
    tab.page.evaluate("() => { window.from = window.shown.length; }")
    tab.until(f"{begun}.length >= 5")
    began = [at for at, _ in tab.page.evaluate(f"() => {begun}")]
    assert min(after - before for before, after in itertools.pairwise(began)) < 4900  # none waits until another is read


def test_what_is_held_outlasts_a_failure_and_a_reconnection(tab, models):
    held = hold(tab)
    models.behave(fail="openai-500")
    tab.until_text("notices", "HTTP 500")
    tab.expect("text").to_have_text(held)
    models.behave(fail="", text="It works again.", total=0.1)
    tab.until_text("history", "It works again.")
    tab.expect("notices").to_have_text("")
    tab.page.evaluate("() => window.sockets[0].close()")
    tab.until("window.sockets.length === 2")
    tab.connected()
    tab.expect("text").to_have_text(held)
    tab.button("Hold").click()
    tab.until_text("text", "It works again.")


def test_a_failure_while_an_answer_is_held_is_shown_when_it_is_released(tab, models):
    tab.button("Hold").click()
    models.behave(fail="openai-500")
    tab.until_text("notices", "HTTP 500")
    tab.button("Hold").click()
    tab.until_text("text", "HTTP 500")
    tab.expect("notices").to_have_text("")


BEGIN_NEXT_AND_CLICK = """(button) => {
  const receive = (event) => sockets[0].dispatchEvent(new MessageEvent("message", { data: JSON.stringify(event) }));
  const about = { at: new Date().toISOString(), model: { name: "next", api_base: "" }, prompt: "", frame: "" };
  receive({ type: "answer.started", id: -1, ...about });
  receive({ type: "answer.delta", id: -1, text: "Another" });
  document.getElementById(button).click();
  return document.getElementById("text").innerText;
}"""


@pytest.fixture
def still(visit, models):
    """A page whose first answer is whole, and whose next question gets no answer."""
    models.behave(text="A **cup**.", total=0.1)
    tab = visit(script=WATCH)
    tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    tab.start_camera()
    tab.until_text("history", "A cup.")
    models.behave(held_at=0)
    models.until_asked(lambda question: question["held"])  # no answer comes after it
    tab.settle()
    tab.expect("text").to_have_text("A cup.")
    return tab


def test_what_is_copied_is_what_is_seen_although_the_next_answer_has_begun(still):
    still.page.evaluate(BEGIN_NEXT_AND_CLICK, "copy")
    still.until_is("navigator.clipboard.readText()", "A **cup**.")


def test_what_is_held_is_seen_at_once(still):
    assert still.page.evaluate(BEGIN_NEXT_AND_CLICK, "hold") == "Another"
