from __future__ import annotations

import re

import pytest

HOSTILE = (
    '<img src=x onerror="window.hacked = 1"><script>window.hacked = 2</script> [press](javascript:window.hacked=3)'
    " ![](http://evil.example/pixel.png) **bold** <b>not bold</b>\n\n- one\n- two\n\n```\n<i>code</i>\n```"
)


DIGEST_COPIES = """
const create = URL.createObjectURL;
window.digests = {};
URL.createObjectURL = (blob) => {
  const address = create.call(URL, blob);
  blob.arrayBuffer().then((bytes) => crypto.subtle.digest("SHA-256", bytes)).then((digest) => {
    window.digests[address] = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  });
  return address;
};
"""
"""The page's policy lets no script read an address of a copy again, so its digest is taken when it is made."""


def entries(tab):
    return tab.page.locator("#history li")


def test_an_answer_appears_word_by_word_next_to_its_frame(visit, models):
    models.behave(text=" ".join(f"word{number}" for number in range(30)), total=3)
    tab = visit()
    tab.start_camera()
    tab.until_text("text", "word3")
    assert "word29" not in tab.text("text")
    assert tab["answer"].get_attribute("data-state") == "answering"
    tab.until("document.getElementById('frame-image').naturalWidth > 0")
    tab.until_text("text", "word29")
    # Looked at in the browser: the next answer takes them away.
    tab.until(
        "/^\\d\\.\\d+ s · first token \\d+ ms · [\\d.]+ tokens\\/s/.test(document.getElementById('numbers').innerText)"
    )
    assert tab.complaints == []


def test_a_strong_part_that_is_still_coming_shows_no_asterisks(visit):
    coming = ["A **", "A **cup", "A **cup*", "A **cup**", "A `2**3`", "A\n**cup", "**A** and **", "2 * 3"]
    closed = visit().page.evaluate(
        """async (texts) => {
          const { closed } = await import("/static/answers/markdown.js");
          return texts.map(closed);
        }""",
        coming,
    )
    assert closed == ["A", *["A **cup**"] * 3, "A `2**3`", "A\n**cup**", "**A** and", "2 * 3"]


def test_what_came_back_is_completed_while_one_looks_at_it(visit, models):
    models.behave(text=" ".join(f"word{number}" for number in range(30)), total=4)
    tab = visit()
    tab.start_camera()
    tab.until_text("text", "word3")
    tab["inspect"].click()
    tab.until_text("exchange-body", "HTTP 200")
    assert "word29" not in tab.text("detail-text")
    tab.until_text("exchange-body", "completion_tokens")
    assert tab.text("detail-text").endswith("word29")
    assert "first token" in tab.text("detail-numbers").lower()
    assert tab.complaints == []


def test_the_frame_of_an_answer_is_the_picture_sent_to_the_model(visit, models):
    models.behave(text="frame {digest}", total=0.2)
    tab = visit(script=DIGEST_COPIES)
    tab.start_camera()
    tab.until("document.querySelectorAll('#history li').length >= 2")
    tab.button("Pause").click()
    tab.page.wait_for_timeout(600)
    tab.until("[...document.querySelectorAll('#history img')].every(({ src }) => window.digests[src])")
    for at in range(2):
        entry = entries(tab).nth(at)
        digest = entry.locator(".words").inner_text().removeprefix("frame ")
        assert tab.page.evaluate("(src) => window.digests[src]", entry.locator("img").get_attribute("src")).startswith(
            digest
        )


def test_the_history_has_the_newest_answer_first_and_opens_one_at_full_size(visit):
    tab = visit()
    assert tab["no-history"].is_visible()
    tab.start_camera()
    tab.until("document.querySelectorAll('#history li').length >= 3")
    tab.button("Pause").click()
    tab.page.wait_for_timeout(600)
    words = entries(tab).locator(".words").all_inner_texts()
    numbers = [int(re.search(r"Answer (\d+)", text)[1]) for text in words]
    assert numbers == sorted(numbers, reverse=True)
    assert tab["no-history"].is_hidden()

    entries(tab).nth(1).get_by_role("button").click()
    detail = tab.page.get_by_role("dialog")
    assert f"Answer {numbers[1]}: a cup of coffee" in detail.inner_text()
    assert "Describe what you see" in detail.inner_text()
    assert "First token" in detail.inner_text()
    tab.until("document.getElementById('detail-frame').naturalWidth === 640")
    tab.page.keyboard.press("Escape")
    assert detail.is_hidden()
    assert tab.complaints == []


def test_answers_with_the_same_words_are_one_entry(visit, models):
    models.behave(text="Always the same.", total=0.1)
    tab = visit()
    tab.start_camera()
    tab.until_text("history", " times")
    assert entries(tab).count() == 1


def test_the_history_is_there_again_after_a_reload(visit):
    tab = visit()
    tab.start_camera()
    tab.until("document.querySelectorAll('#history li').length >= 2")
    tab.page.reload()
    tab.connected()
    tab.until("document.querySelectorAll('#history li').length >= 2")
    assert "a cup of coffee" in tab.text("history")


def test_the_history_can_be_taken_home(visit):
    tab = visit()
    assert tab["exports"].is_hidden()
    tab.start_camera()
    tab.until("document.querySelectorAll('#history li').length >= 1")
    for link, start in (("zip with frames", b"PK"), ("JSONL", b'{"id"'), ("CSV", b"id,")):
        with tab.page.expect_download() as download:
            tab.page.get_by_role("link", name=link).click()
        assert download.value.path().read_bytes().startswith(start)
    assert tab.complaints == []


def test_a_models_markup_is_shown_as_text_and_never_becomes_part_of_the_page(visit, models):
    models.behave(text=HOSTILE, total=0.2)
    tab = visit()
    tab.start_camera()
    tab.until_text("text", "<b>not bold</b>")
    tab.until("document.querySelectorAll('#history li').length >= 1")
    tab.button("Pause").click()
    tab.page.wait_for_timeout(600)
    entries(tab).first.get_by_role("button").click()
    shown = tab.page.locator("#detail-text")
    for place in (tab["text"], tab["history"], shown):
        assert "<b>not bold</b>" in place.inner_text()
        assert place.locator("script, b, i, a").count() == 0
        assert place.locator("img[src*=evil], img[src=x]").count() == 0
    assert shown.locator("strong").inner_text() == "bold"
    assert shown.locator("li").all_inner_texts() == ["one", "two"]
    assert shown.locator("pre code").inner_text() == "<i>code</i>"
    assert "press (javascript:window.hacked=3)" in shown.inner_text()
    assert tab.page.evaluate("() => window.hacked") is None
    assert tab.complaints == []
    assert not any("evil" in host for host in tab.hosts)


@pytest.mark.release
def test_markdown_is_drawn_as_it_is_meant(visit, models):
    lines = ["## Table", "A **red cup**, *hot*, with `sugar`.", "- cup", "  - of steel", "- spoon", "", "1. first"]
    lines += [
        "2. second",
        "",
        "> said",
        "",
        "| what | count |",
        "|---|--:|",
        "| cup | 1 |",
        "",
        "snake_case_name 2 * 3 * 4",
    ]
    models.behave(text="\n".join(lines), total=0.2)
    tab = visit()
    tab.start_camera()
    tab.until("document.querySelectorAll('#history li').length >= 1")
    entries(tab).first.get_by_role("button").click()
    shown = tab["detail-text"]
    assert shown.locator(".heading").inner_text() == "Table"
    assert (shown.locator("strong").inner_text(), shown.locator("em").inner_text()) == ("red cup", "hot")
    assert shown.locator("ul ul li").inner_text() == "of steel"
    assert shown.locator("ol li").all_inner_texts() == ["first", "second"]
    assert shown.locator("blockquote").inner_text() == "said"
    assert shown.locator("th").all_inner_texts() == ["what", "count"]
    assert shown.locator("td").all_inner_texts() == ["cup", "1"]
    assert "snake_case_name 2 * 3 * 4" in shown.inner_text()
    tab.page.keyboard.press("Escape")
    assert "cup of steel spoon first second said what count" in entries(tab).first.locator(".words").text_content()


def test_links_tasks_formulas_and_json_are_drawn_as_they_are_meant(visit):
    texts = {
        "web": "See [the docs](https://example.com/a_b) and https://example.org/x?y=1.",
        "other": "[a](javascript:alert(1)) ![b](https://example.com/b.png) [c](data:text/html,x) [d](//example.com)",
        "struck": "~~wrong~~ right",
        "tasks": "- [x] done\n- [ ] to do",
        "formula": r"So $a_1 * b_2 * c_{12}$ and \(x_i * y_i *z\) for $5 or $6, *really*",
        "block": "$$\na_1 * b_2 *\nc_3\n$$",
        "data": '```json\n{"cups": [12345678901234567890, 2.5e3], "hot": true, '
        '"said": "a \\"b\\": <i>", "no": [], "un": {}}\n```',
        "partial": '{"cups": [1,',
    }
    drawn = visit().page.evaluate(
        """async (texts) => {
          const { render } = await import("/static/answers/markdown.js");
          return Object.fromEntries(Object.entries(texts).map(([name, text]) => {
            const place = document.createElement("div");
            render(place, text);
            return [name, [place.innerHTML, place.textContent]];
          }));
        }""",
        texts,
    )
    link = r'<a href="(\S+)" title="\S+" target="_blank" rel="noopener noreferrer nofollow">'
    assert re.findall(link, drawn["web"][0]) == ["https://example.com/a_b", "https://example.org/x?y=1"]
    assert drawn["web"][1] == "See the docs and https://example.org/x?y=1."
    assert not re.search(r"<(a|img)\b", drawn["other"][0])
    assert drawn["struck"][0] == "<p><s>wrong</s> right</p>"
    assert drawn["tasks"][0].count('<input type="checkbox" disabled="">') == 2
    assert drawn["formula"][1] == texts["formula"].replace("*really*", "really")
    assert "<em>really</em>" in drawn["formula"][0]
    assert drawn["block"][1] == texts["block"]
    assert drawn["data"][1] == (
        '{\n  "cups": [\n    12345678901234567890,\n    2.5e3\n  ],\n  "hot": true,\n'
        '  "said": "a \\"b\\": <i>",\n  "no": [],\n  "un": {}\n}'
    )
    assert re.findall(r'class="json-(\w+)"', drawn["data"][0]) == [
        "name",
        "value",
        "value",
        "name",
        "value",
        "name",
        "text",
        "name",
        "name",
    ]
    assert drawn["partial"][1] == texts["partial"]


SHAPES = [
    "** ",
    "> ",
    ">",
    "#",
    "# " + " ",
    "`",
    "```\n",
    "[",
    "](",
    "![",
    "| ",
    "|-|\n",
    "- ",
    "  - x\n",
    "*a ",
    "1. ",
    "-",
    "~~a",
    "$a_",
    "$$\n",
    "\\[\n",
    "\\(a",
    "https://a.",
    "{",
    '{"a": [',
]


def test_text_of_any_shape_is_drawn_in_no_time(visit):
    took = visit().page.evaluate(
        """async (shapes) => {
          const { plain, render } = await import("/static/answers/markdown.js");
          const place = document.createElement("div");
          const took = {};
          for (const shape of shapes) {
            const started = performance.now();
            for (const text of [shape.repeat(20000), shape.repeat(1000) + "x", shape.repeat(1200) + "\\nx" + shape]) {
              render(place, text);
              plain(text);
            }
            took[shape] = performance.now() - started;
          }
          return took;
        }""",
        SHAPES,
    )
    assert {shape: ms for shape, ms in took.items() if ms > 1500} == {}


def test_an_answer_can_be_copied(visit, models):
    models.behave(text="**A cup** to copy.", total=0.1)
    tab = visit()
    tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    assert tab["copy"].is_hidden()
    tab.start_camera()
    tab.until_text("text", "A cup to copy.")
    tab.button("Pause").click()
    tab.page.wait_for_timeout(500)
    tab.button("Copy").click()
    tab.page.wait_for_selector("#copy:has-text('Copied')")
    assert tab.page.evaluate("() => navigator.clipboard.readText()") == "**A cup** to copy."


def test_a_finished_answer_is_told_to_screen_readers_and_not_each_word(visit, models):
    tab = visit(
        script="""
        addEventListener("DOMContentLoaded", () => {
          window.told = [];
          const place = document.getElementById("announcement");
          new MutationObserver(() => window.told.push(place.textContent)).observe(place, { childList: true });
        });
        """
    )
    tab.start_camera()
    tab.until("document.querySelectorAll('#history li').length >= 3")
    told = tab.page.evaluate("() => window.told")
    assert 1 <= len(told) <= 2  # not more than one can listen to
    assert told[0].startswith("Answer ")
    assert tab["announcement"].get_attribute("aria-live") == "polite"
    assert tab.page.locator("#text[aria-live], #answer[aria-live], #history[aria-live]").count() == 0


@pytest.mark.parametrize(
    ("behaviour", "told"),
    [
        ({"fail": "ollama-404"}, "llava:7b"),
        ({"fail": "openai-500"}, "500"),
        ({"fault": "empty"}, ""),
    ],
    ids=["model missing", "server fails", "empty answer"],
)
def test_a_model_that_fails_is_told_with_a_remedy_until_it_answers_again(visit, models, behaviour, told):
    models.behave(**behaviour)
    tab = visit()
    tab.start_camera()
    tab.page.wait_for_selector("#answer[data-state=failed]")
    assert told in tab.text("text")
    assert tab.page.locator("#text .quiet").inner_text()
    models.behave(fail="", fault="", text="Well again.", total=0.1)
    tab.until_text("text", "Well again.")
    assert tab.complaints == []


def test_pausing_stops_the_questions_and_resuming_goes_on(visit, models):
    tab = visit()
    tab.start_camera()
    tab.until_text("text", "cup")
    tab.button("Pause").click()
    tab.page.wait_for_selector("#pause[aria-pressed=true]")
    tab.page.wait_for_timeout(600)
    asked = len(models.questions)
    tab.page.wait_for_timeout(700)
    assert len(models.questions) == asked
    tab.button("Resume").click()
    tab.until_text("text", f"Answer {asked + 1}")


def test_an_earlier_answer_keeps_the_focus_while_the_same_is_answered_again(visit, models):
    models.behave(text="A cup.", total=0.1)
    tab = visit()
    tab.start_camera()
    entry = tab.page.locator("#history .entry").first
    entry.focus()
    tab.page.evaluate("() => { window.before = document.querySelector('#history .entry').innerText; }")
    tab.until("document.querySelector('#history .entry').innerText !== window.before")
    assert tab.page.evaluate("() => document.activeElement.className") == "entry"
    tab.until("document.querySelector('#history img').naturalWidth > 0")
    with tab.page.expect_response("**/exchange") as answer:
        tab.page.keyboard.press("Enter")
        tab["exchange"].locator("summary").click()
    assert answer.value.json()["id"] > 1  # the newest of them


NO_COPYING = """
Object.defineProperty(navigator, "clipboard", { value: undefined });
document.execCommand = () => { window.tried = true; return false; };
"""


def test_what_the_browser_does_not_let_be_copied_is_not_said_to_be(visit):
    tab = visit(script=NO_COPYING)
    tab.start_camera()
    tab.until_text("text", "cup")
    tab.button("Copy").click()
    tab.until("window.tried")
    tab.page.evaluate("() => new Promise(requestAnimationFrame)")
    assert tab.text("copy") == "Copy"
