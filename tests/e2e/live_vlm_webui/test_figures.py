"""Numbers of each model and question by themselves, thoughts on request, and what exports hold."""

from __future__ import annotations

import re


def test_numbers_are_those_of_one_model_and_question_in_words_with_charts_that_are_loaded_when_wanted(
    serve_models, serve, visit
):
    server = serve_models("--model", "llava:7b")
    server.behave(text="A cup of coffee on a table.", total=1.2)
    loaded: list[str] = []
    tab = visit(
        url=serve("--api-base", server.api_base).line().split(" is ready: ")[1].split(" ")[0],
        prepare=lambda page: page.on("request", lambda request: loaded.append(request.url)),
    )
    tab.start_camera()
    tab.until("document.querySelectorAll('#history li').length > 0")
    tab["prompt"].fill("Is there a cup?")
    tab.button("Ask this").click()
    server.until_asked(lambda question: "Is there a cup?" in question["prompt"])
    server.behave(text="A cup.", total=0.1)  # of the question before, all answers are slow ones
    tab.until("document.querySelector('#history .entry').textContent.includes('A cup.')")
    tab.expect("percentiles").to_contain_text(
        re.compile(r"median (\d+ ms|1\.[01]\d s)")
    )  # of these alone: all before took longer
    assert not any("figures.js" in url for url in loaded)
    tab.page.locator("#figures summary").click()
    sections = tab.page.locator("#figures section")
    tab.expect(sections).to_have_count(2)
    newest, before = sections.first, sections.last
    tab.expect(newest).to_contain_text("Is there a cup?")
    tab.expect(newest.locator(".figure").nth(1)).to_contain_text(re.compile(r"median (\d+ ms|1\.[01]\d s)"))
    tab.expect(before.locator(".figure").nth(1)).to_contain_text(re.compile(r"median (1\.[2-9]|[2-9]|\d\d)[\d.]* s"))
    tab.expect(newest.locator("svg .line").nth(1)).to_have_attribute("d", re.compile("^M"))
    assert tab.complaints == []


def test_numbers_of_the_last_answer_before_a_pause_are_shown_too(visit, models):
    models.behave(text="Answer {number}", total=0.1)
    tab = visit()
    tab.start_camera()
    tab.page.locator("#figures summary").click()
    tab.until("document.querySelectorAll('#history .entry').length >= 5")
    models.behave(held_at=0)
    models.until_asked(lambda question: question["held"])  # no answer comes after it
    of_all = "`${document.querySelectorAll('#history .entry').length} answers`"
    tab.until(f"document.querySelector('#figures section').innerText.includes({of_all})")


def test_a_model_reasons_only_if_it_is_let_and_its_thoughts_are_shown_on_request(visit, models):
    models.behave(text="A cup.", total=0.2, reasoning="First I look at the table", quiet="think")
    tab = visit()
    tab.start_camera()
    tab.until("document.querySelectorAll('#history .entry').length > 0")
    models.until_asked(is_not_to_think)
    tab.until("document.getElementById('thoughts').hidden")
    tab["reasoning"].check()
    tab.until("!document.getElementById('thoughts').hidden")
    tab.expect("thoughts-text").to_be_hidden()
    tab.page.locator("#thoughts summary").click()
    tab.expect("thoughts-text").to_have_text("First I look at the table")
    models.until_asked(lambda question: "think" not in question["body"])
    tab["reasoning"].uncheck()
    tab.until("document.getElementById('thoughts').hidden")
    models.until_asked(is_not_to_think)


def test_what_is_gone_is_not_offered_and_exports_say_what_they_hold(visit, models):
    models.behave(text="Answer {number}", total=0.01)
    tab = visit()
    tab.start_camera()
    tab.until("/last 100 of [0-9]+ answers, since /.test(document.getElementById('exports').innerText)")
    models.behave(text="The same", total=0.3)
    tab.until_text("history", "The same")
    tab["hold"].click()
    models.behave(text="Answer {number}", total=0.01)
    tab.until("/last 100 of [2-9][0-9][0-9] answers/.test(document.getElementById('exports').innerText)")
    tab["frame"].click()  # of an answer that the server no longer has
    tab.page.wait_for_selector("#detail[open]")
    tab.until(
        "document.getElementById('detail-frame').hidden || document.getElementById('detail-frame').naturalWidth > 0"
    )
    assert not [line for line in tab.complaints if "404" in line]


def test_a_notice_goes_with_its_cause_and_is_seen_from_the_bottom_and_many_models_are_searched(visit, serve_models):
    names = [argument for number in range(425) for argument in ("--model", f"vendor/model-{number}-vision")]
    other = serve_models("--api-key", "right", *names)
    tab = visit()
    tab.expect("model-search").to_be_hidden()
    tab.page.locator("summary", has_text="Another server").click()
    tab["api_base"].fill(other.api_base)
    tab["api_key"].fill("wrong")
    tab.page.evaluate("document.body.style.minHeight = '4000px'; scrollTo(0, 1500)")
    tab["endpoint"].evaluate("(form) => form.requestSubmit()")
    tab.page.wait_for_selector("#notices .notice")
    tab.expect(tab.page.locator("#notices .notice")).to_be_in_viewport()
    tab.until("document.querySelector('#notices .notice').getBoundingClientRect().y < 200")
    tab["api_key"].fill("right")
    tab.button("List models").click()
    tab.until_text("model-note", "Choose one of its 425 models above.")
    tab.expect(tab.page.locator("#notices .notice")).to_have_count(0)
    tab["model-search"].fill("417 vendor")
    tab.expect(tab.page.locator("#model option", has_text="vendor/")).to_have_text(["vendor/model-417-vision"])
    tab["model-search"].press("Enter")
    tab.until("document.getElementById('model').selectedOptions[0].text === 'vendor/model-417-vision'")


def is_not_to_think(question) -> bool:
    return question["body"].get("think") is False
