from __future__ import annotations

import itertools
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
    models.behave(text=" ".join(f"word{number}" for number in range(30)), total=3, held_at=10)
    tab = visit(notes=["text", "numbers"])
    tab.start_camera()
    tab.until_text("text", "word9")
    tab.expect("text").not_to_contain_text("word10")
    tab.expect("answer").to_have_attribute("data-state", "answering")
    tab.until("document.getElementById('frame-image').naturalWidth > 0")
    models.release()
    tab.until_noted("text", "word29")
    tab.until_noted(
        "numbers", r"^[\d.]+ m?s · first token [\d.]+ m?s · [\d.]+ tokens/s"
    )  # until the next answer begins
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
    models.behave(text=" ".join(f"word{number}" for number in range(30)), total=1, held_at=10)
    tab = visit()
    tab.start_camera()
    tab.until_text("text", "word9")
    tab["inspect"].click()
    tab.until_text("exchange-body", "HTTP 200")
    tab.expect("detail-text").not_to_contain_text("word10")
    models.release()
    tab.until_text("exchange-body", "completion_tokens")
    tab.until_text("detail-text", "word29")
    tab.expect("detail-numbers").to_contain_text("first token", ignore_case=True)
    assert tab.complaints == []


def test_the_frame_of_an_answer_is_the_picture_sent_to_the_model(visit, models):
    models.behave(text="frame {digest}", total=0.2)
    tab = visit(script=DIGEST_COPIES)
    tab.start_camera()
    shown = """[...document.querySelectorAll("#history li")].filter((one) => digests[one.querySelector("img").src])"""
    tab.until(f"{shown}.length >= 2")
    told = f"""{shown}.map((one) => [one.querySelector(".words").innerText, digests[one.querySelector("img").src]])"""
    for words, digest in tab.page.evaluate(told):  # all at once: entries move down with each answer
        assert digest.startswith(words.removeprefix("frame "))


def test_the_history_has_the_newest_answer_first_and_opens_one_at_full_size(visit):
    tab = visit()
    tab.expect("no-history").to_be_visible()
    tab.start_camera()
    tab.until("document.querySelectorAll('#history li').length >= 3")
    words = entries(tab).locator(".words").all_inner_texts()
    numbers = [int(re.search(r"Answer (\d+)", text)[1]) for text in words]
    assert numbers == sorted(numbers, reverse=True)
    tab.expect("no-history").to_be_hidden()

    tab.page.get_by_role("button", name=f"Answer {numbers[1]}:").click()
    detail = tab.page.get_by_role("dialog")
    tab.expect(detail).to_contain_text(f"Answer {numbers[1]}: a cup of coffee")
    tab.expect(detail).to_contain_text("Describe what you see")
    tab.expect(detail).to_contain_text("First token")
    tab.until("document.getElementById('detail-frame').naturalWidth === 640")
    tab.page.keyboard.press("Escape")
    tab.expect(detail).to_be_hidden()
    assert tab.complaints == []


def test_answers_with_the_same_words_are_one_entry(visit, models):
    models.behave(text="Always the same.", total=0.1)
    tab = visit()
    tab.start_camera()
    tab.until_text("history", " times")
    tab.expect(entries(tab)).to_have_count(1)


def test_the_history_is_there_again_after_a_reload(visit):
    tab = visit()
    tab.start_camera()
    tab.until("document.querySelectorAll('#history li').length >= 2")
    tab.page.reload()
    tab.connected()
    tab.until_text("history", "Answer 1: a cup of coffee")
    tab.until_text("history", "Answer 2: a cup of coffee")


def test_the_history_can_be_taken_home(visit):
    tab = visit()
    tab.expect("exports").to_be_hidden()
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
    entries(tab).first.get_by_role("button").click()
    shown = tab.page.locator("#detail-text")
    for place in (tab["text"], tab["history"], shown):
        tab.expect(place).to_contain_text("<b>not bold</b>")
        tab.expect(place.locator("script, b, i, a")).to_have_count(0)
        tab.expect(place.locator("img[src*=evil], img[src=x]")).to_have_count(0)
    tab.expect(shown.locator("strong")).to_have_text("bold")
    tab.expect(shown.locator("li")).to_have_text(["one", "two"])
    tab.expect(shown.locator("pre code")).to_have_text("<i>code</i>")
    tab.expect(shown).to_contain_text("press (javascript:window.hacked=3)")
    tab.until_is("window.hacked", None)
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
    tab.expect(shown.locator(".heading")).to_have_text("Table")
    tab.expect(shown.locator("strong")).to_have_text("red cup")
    tab.expect(shown.locator("em")).to_have_text("hot")
    tab.expect(shown.locator("ul ul li")).to_have_text("of steel")
    tab.expect(shown.locator("ol li")).to_have_text(["first", "second"])
    tab.expect(shown.locator("blockquote")).to_have_text("said")
    tab.expect(shown.locator("th")).to_have_text(["what", "count"])
    tab.expect(shown.locator("td")).to_have_text(["cup", "1"])
    tab.expect(shown).to_contain_text("snake_case_name 2 * 3 * 4")
    tab.page.keyboard.press("Escape")
    tab.expect(entries(tab).first.locator(".words")).to_contain_text("cup of steel spoon first second said what count")


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


DRAW = """async (shape) => {
  const { plain, render } = await import("/static/answers/markdown.js");
  const place = document.createElement("div");
  for (const text of [shape.repeat(20000), shape.repeat(1000) + "x", shape.repeat(1200) + "\\nx" + shape]) {
    render(place, text);
    plain(text);
  }
}"""


def test_text_of_any_shape_is_drawn_in_no_time(visit):
    tab = visit()
    chromium = tab.context.new_cdp_session(tab.page)
    chromium.send("Performance.enable")

    def seconds() -> float:
        """What the page has had of a processor, whatever else the machine does."""
        return {one["name"]: one["value"] for one in chromium.send("Performance.getMetrics")["metrics"]}["ThreadTime"]

    took = {}
    for shape in SHAPES:
        began = seconds()
        tab.page.evaluate(DRAW, shape)
        took[shape] = seconds() - began
    assert {shape: time for shape, time in took.items() if time > 1.5} == {}
    assert sum(took.values()) > 0


def test_an_answer_can_be_copied(visit, models):
    models.behave(text="**A cup** to copy.", total=0.1)
    tab = visit(notes=["copy"])
    tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    tab.expect("copy").to_be_hidden()
    tab.start_camera()
    tab.until_text("history", "A cup to copy.")
    tab.button("Hold").click()  # one that has just begun is held too, and becomes whole
    tab.expect("text").to_have_text("A cup to copy.")
    tab.button("Copy").click()
    tab.until_noted("copy", "Copied")
    tab.until_is("navigator.clipboard.readText()", "**A cup** to copy.")


def test_a_finished_answer_is_told_to_screen_readers_and_not_each_word(visit, models):
    tab = visit(
        script="""
        addEventListener("DOMContentLoaded", () => {
          window.told = [];
          const place = document.getElementById("announcement");
          const note = () => window.told.push([performance.now(), place.textContent]);
          new MutationObserver(note).observe(place, { childList: true });
        });
        """
    )
    tab.start_camera()
    tab.until("document.querySelectorAll('#history li').length >= 3")
    told = tab.page.evaluate("() => window.told")
    least = min((after - before for (before, _), (after, _) in itertools.pairwise(told)), default=6000)
    assert least > 5000, told  # milliseconds: not more than one can listen to
    assert told[0][1].startswith("Answer ")
    tab.expect("announcement").to_have_attribute("aria-live", "polite")
    tab.expect(tab.page.locator("#text[aria-live], #answer[aria-live], #history[aria-live]")).to_have_count(0)


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
    tab.until_text("text", told)
    tab.expect(tab.page.locator("#text .quiet")).not_to_be_empty()
    models.behave(fail="", fault="", text="Well again.", total=0.1)
    tab.until_text("text", "Well again.")
    assert tab.complaints == []


def test_pausing_stops_the_questions_and_resuming_goes_on(visit, models):
    tab = visit()
    tab.start_camera()
    tab.until_text("text", "cup")
    with tab.page.expect_response(lambda response: response.request.method == "PATCH"):
        tab.button("Pause").click()
    tab.until_session("asking", None)
    asked = len(models.questions)
    tab.page.wait_for_timeout(1300)  # more than four times as long as an answer takes
    assert len(models.questions) == asked
    tab.button("Resume").click()
    tab.until_answer(asked + 1)


def test_an_earlier_answer_keeps_the_focus_while_the_same_is_answered_again(visit, models):
    models.behave(text="A cup.", total=0.1)
    tab = visit()
    tab.start_camera()
    entry = tab.page.locator("#history .entry").first
    entry.focus()
    tab.until("(window.before = document.querySelector('#history .entry').innerText)")
    tab.until("document.querySelector('#history .entry').innerText !== window.before")
    tab.until_is("document.activeElement.className", "entry")
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
    tab.expect("copy").to_have_text("Copy")
