"""The page in another language: nothing of it is in English, and it can be changed."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import live_vlm_webui

STATIC = Path(live_vlm_webui.__file__).parent / "static"
WORDS = {name: json.loads((STATIC / "words" / f"{name}.json").read_text("utf-8"))["page"] for name in ("en", "de")}
ANSWER = "Eine Tasse Kaffee auf einem Tisch."
ENGLISH_WORDS = re.compile(
    r"\b(the|and|is|are|of|with|your|from|for|this|not|does|wait|choose|use|every|ago|answers?|frames?)\b",
    re.IGNORECASE,
)
READABLE = """() => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (node.parentElement.closest('script, option[lang], #machine, .text, .words')) continue;
    if (node.textContent.trim()) found.push(node.textContent.trim());
  }
  for (const name of ['alt', 'title', 'aria-label', 'placeholder', 'label'])
    for (const one of document.querySelectorAll(`[${name}]`)) found.push(one.getAttribute(name));
  return [...found, document.getElementById('prompt').value];
}"""


def is_in_german(tab) -> None:
    """Waits until the page shows or tells screen readers nothing that only English has: some words are loaded late."""
    deadline = time.monotonic() + 45
    while english := english_in(tab):
        assert time.monotonic() < deadline, english
        tab.page.wait_for_timeout(50)


def english_in(tab) -> set[str]:
    own = {text for text in WORDS["en"].values() if isinstance(text, str)} - set(map(str, WORDS["de"].values()))
    texts = {text for text in tab.page.evaluate(READABLE) if text}
    return {text for text in texts if text in own or ENGLISH_WORDS.search(re.sub(r"\S+://\S+|live-\S+", "", text))}


def test_a_german_browser_gets_all_in_german_and_can_change_it(visit, models):
    models.behave(text=ANSWER, total=0.2)
    first: list[str] = []
    tab = visit(locale="de-DE", prepare=lambda page: page.on("response", lambda answer: first.append(answer.url)))
    tab.until_is("document.documentElement.lang", "de")
    tab.until_text("message", "Die Kamera ist aus.")
    tab.until("document.getElementById('prompt').value.startsWith('Beschreibe')")
    assert not any("/words/" in address for address in first)  # the document has what a page needs at once
    is_in_german(tab)

    tab.button("Kamera starten").click()
    tab.until_text("text", ANSWER)
    models.until_asked(lambda question: "auf Deutsch" in question["prompt"])
    tab.until_text("history", ANSWER)
    is_in_german(tab)
    tab.page.locator("#history button").first.click()
    tab.page.wait_for_selector("#detail[open]")
    is_in_german(tab)
    tab.button("Schließen").click()

    for behaviour in ({"fail": "ollama-404"}, {"fail": "openai-500"}, {"fault": "empty"}):
        models.behave(**behaviour)
        tab.page.wait_for_selector("#answer[data-state=failed]")
        quoted = r"\S+://\S+|: .*$"  # what the model's server says stays as it is
        is_in_german(tab)
        for line in tab["text"].inner_text().splitlines():
            assert not ENGLISH_WORDS.search(re.sub(quoted, "", line)), line
        models.behave(fail="", fault="", text=ANSWER, total=0.2)
        tab.until_text("text", ANSWER)

    tab.page.get_by_text("Stream, Datei").click()
    tab["address"].fill("/dev/video0")
    tab.button("Verbinden").click()
    tab.until_text("message", "ist eine Kamera des Server-Rechners")
    is_in_german(tab)

    tab["language"].select_option("en")
    tab.until_text("message", "is a camera of the server's machine")
    tab.until_is("document.documentElement.lang", "en")
    tab.page.reload()
    tab.connected()
    tab.expect("history-heading").to_have_text("Earlier answers")  # remembered, against the browser's language
    assert tab.complaints == [] or all("Failed to load resource" in line for line in tab.complaints)


def test_the_first_paint_has_the_right_texts_before_any_script(browser, url):
    page = browser.new_context(locale="de-AT", java_script_enabled=False).new_page()
    page.goto(url)
    assert page.locator("#history-heading").inner_text() == "Frühere Antworten"  # no script changes it any more
    assert page.locator("html").get_attribute("lang") == "de"
