from __future__ import annotations

import re

import pytest


def choose(tab, name, **what):
    tab.page.get_by_role("combobox", name=name, exact=True).select_option(**what)


@pytest.mark.release
def test_a_preset_is_asked_from_the_next_frame_on(visit, models):
    tab = visit()
    tab.start_camera()
    tab.until_text("text", "cup")
    choose(tab, "Preset", label="Text in the picture")
    tab.expect("prompt").to_have_value(re.compile("^Read all text"))
    models.until_asked(lambda question: question["prompt"].startswith("Read all text"))
    tab.until_answer(len(models.questions))
    assert tab.complaints == []


def test_own_words_are_asked_and_can_be_kept_as_a_preset(visit, models):
    tab = visit()
    tab.start_camera()
    tab.expect(tab.button("Ask this")).to_be_hidden()
    tab["prompt"].fill("Is the cup full?")
    tab["prompt"].press("Control+Enter")
    tab.page.wait_for_selector("#apply[hidden]", state="attached")
    models.until_asked(lambda question: question["prompt"] == "Is the cup full?")
    tab.until_answer(len(models.questions))

    tab.button("Save as preset").click()
    tab.page.get_by_placeholder("Name").fill("<b>Cup</b>")
    tab.button("Save").click()
    tab.page.reload()
    tab.connected()
    choose(tab, "Preset", label="Objects")
    choose(tab, "Preset", label="<b>Cup</b>")
    tab.expect("prompt").to_have_value("Is the cup full?")
    tab.button("Delete preset").click()
    tab.expect(tab.page.locator("#preset option", has_text="Cup")).to_have_count(0)
    assert tab.complaints == []


def save_preset(page, name, prompt):
    page.locator("#prompt").fill(prompt)
    page.get_by_role("button", name="Save as preset", exact=True).click()
    page.get_by_placeholder("Name").fill(name)
    page.get_by_role("button", name="Save", exact=True).click()


def test_presets_that_two_tabs_save_are_all_kept(visit):
    tab = visit()
    second = tab.context.new_page()
    second.goto(tab.page.url)
    second.wait_for_selector("#connection[data-state=open]")
    save_preset(tab.page, "Cup", "Is the cup full?")
    save_preset(second, "Dog", "Is there a dog?")
    tab.until("[...document.querySelectorAll('#preset option')].some(({ text }) => text === 'Dog')")
    tab["preset"].select_option(label="Cup")
    tab.button("Delete preset").click()
    second.reload()
    second.wait_for_selector("#connection[data-state=open]")
    tab.expect(second.locator("#preset optgroup:last-child option")).to_have_text(["Dog"])


FULL = """
const presets = Array.from({ length: 50 }, (_, number) => [`Own ${number}`, `Is there a ${number}?`]);
if (!localStorage.getItem("presets")) localStorage.setItem("presets", JSON.stringify(presets));
"""


def test_a_preset_more_than_the_browser_keeps_is_refused_and_replaces_none(visit):
    tab = visit(script=FULL)
    own = tab.page.locator("#preset optgroup:last-child option")
    save_preset(tab.page, "Cup", "Is the cup full?")
    tab.until_text("notices", "No more presets fit in this browser")
    tab.expect(own).to_have_text([f"Own {number}" for number in range(50)])
    tab.expect("prompt").to_have_value("Is the cup full?")

    tab.page.get_by_placeholder("Name").fill("Own 7")
    tab.button("Save").click()
    tab.expect(tab["preset"].locator("option:checked")).to_have_text("Own 7")
    tab.expect(own).to_have_count(50)
    tab.expect("notices").to_have_text("")


CHOICES = """() => {
  window.choices = [];
  const list = document.getElementById("preset");
  new MutationObserver(() => window.choices.push(list.value)).observe(list, { childList: true });
}"""


def let_through(tab, held, number):
    """Let a held change reach the server, once the page has sent it; none after it may be sent before."""
    tab.until_held(held, number + 1)
    assert len(held) == number + 1, "a change overtakes another"
    with tab.page.expect_response("**/api/sessions/*"):
        held[number].continue_()
    tab.settle()


def test_of_choices_made_faster_than_the_server_confirms_them_the_last_counts_and_none_comes_back(visit, url):
    tab = visit()
    held = tab.hold("**/api/sessions/*", "PATCH")
    choose(tab, "Preset", label="Objects")
    tab.expect(tab.button("Ask this")).to_be_hidden()
    choose(tab, "Preset", label="Scene")
    tab["max_tokens"].fill("77")
    tab["max_tokens"].press("Enter")
    tab.page.evaluate(CHOICES)
    for number in range(3):
        let_through(tab, held, number)
    session = tab.page.evaluate("() => sessionStorage.getItem('session')")
    settings = tab.page.context.request.get(f"{url}api/sessions/{session}").json()["settings"]
    tab.expect("prompt").to_have_value(settings["prompt"])
    assert settings["max_tokens"] == 77
    assert set(tab.page.evaluate("() => window.choices")) == {"0"}
    assert tab.complaints == []


def test_what_was_confirmed_while_a_change_was_on_its_way_stays(visit):
    tab = visit()
    held = tab.hold("**/api/sessions/*", "PATCH")
    choose(tab, "Preset", label="Objects")
    tab["max_tokens"].fill("77")
    tab["max_tokens"].press("Enter")
    tab.page.evaluate(CHOICES)
    for number in range(2):
        let_through(tab, held, number)
    tab.until("document.getElementById('max_tokens').value === '77'")
    tab.until("window.choices.length > 3")
    assert set(tab.page.evaluate("() => window.choices")) == {"1"}
    assert tab.complaints == []


def test_words_that_the_server_refuses_stay_where_they_were_typed(visit):
    tab = visit()
    tab.page.evaluate("() => document.getElementById('prompt').removeAttribute('maxlength')")
    words = "cup " * 5000
    tab["prompt"].fill(words)
    tab.button("Ask this").click()
    tab.page.wait_for_selector("#notices .notice")
    tab.until_text("notices", "prompt")
    tab.expect("prompt").to_have_value(words)
    tab.expect(tab.button("Ask this")).to_be_visible()


def test_what_somebody_is_typing_is_not_replaced_by_what_the_session_says(visit):
    tab = visit()
    session = tab.page.evaluate("() => sessionStorage.getItem('session')")
    other = visit(fragment=f"#session={session}")
    tab["prompt"].fill("I am still typing")
    choose(other, "Preset", label="Objects")
    other.expect("apply").to_be_hidden()
    tab.until_is("JSON.parse(sessionStorage.getItem('settings')).prompt", other["prompt"].input_value())
    tab.expect("apply").to_be_visible()
    tab.expect("prompt").to_have_value("I am still typing")


def test_a_setting_that_is_changed_in_one_browser_shows_in_the_others(visit):
    tab = visit()
    session = tab.page.evaluate("() => sessionStorage.getItem('session')")
    other = visit(fragment=f"#session={session}")
    tab["max_tokens"].fill("77")
    tab["max_tokens"].press("Enter")
    choose(tab, "When to ask", value="seconds")
    tab["every"].fill("2.5")
    tab["every"].press("Enter")
    other.until("document.getElementById('max_tokens').value === '77'")
    other.until("document.getElementById('every').value === '2.5'")
    other.expect("sampling").to_have_value("seconds")


def test_the_longest_answer_is_sent_to_the_model(visit, models):
    tab = visit()
    tab["max_tokens"].fill("5")
    tab["max_tokens"].press("Enter")
    tab.start_camera()
    tab.until_text("text", "Answer")
    models.until_asked(lambda question: question["body"]["max_tokens"] == 5)


@pytest.mark.parametrize(
    ("mode", "shown"), [("frames", "30"), ("seconds", "5"), ("change", "5")], ids=["frames", "seconds", "change"]
)
def test_when_to_ask_can_be_chosen_and_set(visit, mode, shown):
    tab = visit()
    tab.expect("every").to_be_hidden()
    choose(tab, "When to ask", value=mode)
    tab.page.wait_for_selector("#every:visible")
    tab.expect("every").to_have_value(shown)
    with tab.page.expect_response("**/api/sessions/*"):  # a reload would take back what was not sent yet
        tab["every"].fill("12")
        tab["every"].press("Enter")
    tab.page.reload()
    tab.connected()
    tab.until("document.getElementById('every').value === '12'")
    assert tab["sampling"].input_value() == mode
    choose(tab, "When to ask", value="free")
    tab.until("document.getElementById('every-field').hidden")
    assert tab.complaints == []


def test_a_new_threshold_leaves_the_longest_silence_that_a_program_has_set(visit, url):
    tab = visit()
    session = f"{url}api/sessions/{tab.page.evaluate('() => sessionStorage.getItem(`session`)')}"
    sampling = {"mode": "change", "threshold": 0.1, "max_silence": 7}
    assert tab.page.context.request.patch(session, data={"sampling": sampling}).ok
    tab.until("document.getElementById('every').value === '10'")
    with tab.page.expect_response("**/api/sessions/*"):
        tab["every"].fill("20")
        tab["every"].press("Enter")
    changed = tab.page.context.request.get(session).json()["settings"]["sampling"]
    assert changed == {**sampling, "threshold": 0.2}


def test_asking_every_so_many_seconds_asks_no_more(visit, models):
    tab = visit()
    choose(tab, "When to ask", value="seconds")
    tab.page.wait_for_selector("#every:visible")
    tab["every"].fill("3600")
    tab["every"].press("Enter")
    tab.until_session("settings.sampling.every", 3600)
    tab.start_camera()
    tab.until_text("text", "Answer 1")
    tab.page.wait_for_timeout(1300)  # more than four times as long as an answer takes
    assert len(models.questions) == 1


def test_a_number_that_is_emptied_is_shown_again(visit):
    tab = visit().connected()
    tab.until("document.getElementById('max_tokens').value === '256'")
    tab["sampling"].select_option("seconds")
    tab.until("document.getElementById('every').value === '5'")
    for field, holds in (("max_tokens", "256"), ("every", "5")):
        tab[field].fill("")
        tab[field].press("Tab")
        tab.until(f"document.getElementById('{field}').value === '{holds}'")


def test_a_number_that_the_server_refuses_is_told_and_taken_back(visit):
    tab = visit()
    tab.button("Settings").click()
    tab.page.wait_for_selector("#settings[open]")
    tab.page.evaluate("() => { document.getElementById('long_side').max = 99999; }")
    tab["long_side"].fill("9999")
    tab["long_side"].press("Enter")
    tab.page.wait_for_selector("#notices .notice")
    tab.until_text("notices", "long_side")
    tab.until("document.getElementById('long_side').value === '640'")
    tab.button("Dismiss").click()
    tab.expect(tab.page.locator("#notices .notice")).to_have_count(0)
    tab.page.keyboard.press("Escape")
    tab.until("!document.querySelector('#settings #notices')")


def test_models_are_listed_with_those_that_see_no_pictures_marked(visit):
    tab = visit()
    tab.until("document.querySelectorAll('#model option').length >= 3")
    tab.expect(tab.page.locator("#model option", has_text="llava:7b").last).to_have_text("llava:7b")
    choose(tab, "Model", label="llama3:8b (no pictures)")
    tab.start_camera()
    tab.page.wait_for_selector("#answer[data-state=failed]")
    tab.until_text("text", "llama3:8b")
    choose(tab, "Model", label="llava:7b")
    tab.until_text("text", "cup")
    tab.until_text("label", "llava:7b · Ollama")


@pytest.mark.release
def test_models_of_another_server_are_listed_with_its_key_and_the_key_goes_nowhere_else(visit, serve_models, models):
    other = serve_models("--model", "other-vlm", "--api-key", "secret-of-the-other")
    other.behave(text="From the other.", total=0.1)
    tab = visit()
    tab.page.locator("summary", has_text="Another server").click()
    tab["api_base"].fill(other.api_base)
    tab.button("List models").click()
    tab.page.wait_for_selector("#notices .notice")
    tab["api_key"].fill("secret-of-the-other")
    tab.button("List models").click()
    tab.until_text("model-note", "Choose its model above.")
    tab.expect("api_key").to_have_value("")
    tab.page.route("**/api/sessions/*", lambda route: route.abort(), times=1)
    choose(tab, "Model", label="other-vlm")
    tab.page.wait_for_selector("#notices .notice")
    choose(tab, "Model", label="other-vlm")
    tab.start_camera()
    tab.until_text("text", "From the other.")
    assert "secret" not in tab.page.evaluate("() => JSON.stringify([localStorage, sessionStorage])")
    assert all("Authorization" not in question["headers"] for question in models.questions)


def test_the_list_is_renewed_on_request(visit, models):
    tab = visit()
    tab.until("document.querySelectorAll('#model option').length >= 3")
    with tab.page.expect_response(lambda answer: "refresh=true" in answer.url) as answer:
        tab.button("Refresh").click()
    assert answer.value.ok
    tab.page.wait_for_selector("#refresh:enabled")


def test_without_a_model_server_the_page_shows_how_to_get_one(serve, browser, visit_class):
    url = serve().line().split(" is ready: ")[1].split(" ")[0]
    tab = visit_class(browser, url, notes=["servers"]).connected()
    tab.until_text("servers", "ollama pull")
    tab["servers"].get_by_role("button", name="Copy").click()
    tab.until_noted("servers", "Copied")
    tab.button("NVIDIA API Catalog").click()
    tab.expect("api_base").to_have_value("https://integrate.api.nvidia.com/v1")
    tab.expect("api_key").to_be_focused()
    with tab.page.expect_request("**/api/models") as request:
        tab.button("Ollama").click()
    assert request.value.post_data_json["api_base"] == "http://127.0.0.1:11434/v1"
