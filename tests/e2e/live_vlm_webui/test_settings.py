from __future__ import annotations

import pytest


def last_question(models):
    return models.questions[-1]["body"]


def choose(tab, name, **what):
    tab.page.get_by_role("combobox", name=name, exact=True).select_option(**what)


@pytest.mark.release
def test_a_preset_is_asked_from_the_next_frame_on(visit, models):
    tab = visit()
    tab.start_camera()
    tab.until_text("text", "cup")
    choose(tab, "Preset", label="Text in the picture")
    assert tab["prompt"].input_value().startswith("Read all text")
    asked = len(models.questions)
    tab.until_text("text", f"Answer {asked + 2}")
    assert models.questions[-1]["prompt"].startswith("Read all text")
    assert tab.complaints == []


def test_own_words_are_asked_and_can_be_kept_as_a_preset(visit, models):
    tab = visit()
    tab.start_camera()
    assert tab.button("Ask this").is_hidden()
    tab["prompt"].fill("Is the cup full?")
    tab["prompt"].press("Control+Enter")
    tab.page.wait_for_selector("#apply[hidden]", state="attached")
    tab.until_text("text", "cup")
    asked = len(models.questions)
    tab.until_text("text", f"Answer {asked + 2}")
    assert models.questions[-1]["prompt"] == "Is the cup full?"

    tab.button("Save as preset").click()
    tab.page.get_by_placeholder("Name").fill("<b>Cup</b>")
    tab.button("Save").click()
    tab.page.reload()
    tab.connected()
    choose(tab, "Preset", label="Objects")
    choose(tab, "Preset", label="<b>Cup</b>")
    assert tab["prompt"].input_value() == "Is the cup full?"
    tab.button("Delete preset").click()
    assert tab.page.locator("#preset option", has_text="Cup").count() == 0
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
    own = "() => [...document.querySelectorAll('#preset optgroup:last-child option')].map(({ text }) => text)"
    assert second.evaluate(own) == ["Dog"]


FULL = """
const presets = Array.from({ length: 50 }, (_, number) => [`Own ${number}`, `Is there a ${number}?`]);
if (!localStorage.getItem("presets")) localStorage.setItem("presets", JSON.stringify(presets));
"""


def test_a_preset_more_than_the_browser_keeps_is_refused_and_replaces_none(visit):
    tab = visit(script=FULL)
    own = "() => [...document.querySelectorAll('#preset optgroup:last-child option')].map(({ text }) => text)"
    save_preset(tab.page, "Cup", "Is the cup full?")
    tab.until_text("notices", "This browser has 50 saved presets")
    assert tab.page.evaluate(own) == [f"Own {number}" for number in range(50)]
    assert tab["prompt"].input_value() == "Is the cup full?"

    tab.page.get_by_placeholder("Name").fill("Own 7")
    tab.button("Save").click()
    assert tab["preset"].locator("option:checked").inner_text() == "Own 7"
    assert len(tab.page.evaluate(own)) == 50
    assert tab.text("notices") == ""


CHOICES = """() => {
  window.choices = [];
  const list = document.getElementById("preset");
  new MutationObserver(() => window.choices.push(list.value)).observe(list, { childList: true });
}"""


def let_through(tab, held, number):
    """Let a held change reach the server, once the page has sent it; none after it may be sent before."""
    while len(held) == number:
        tab.page.wait_for_timeout(20)
    assert len(held) == number + 1, "a change overtakes another"
    with tab.page.expect_response("**/api/sessions/*"):
        held[number].continue_()


def test_of_choices_made_faster_than_the_server_confirms_them_the_last_counts_and_none_comes_back(visit, url):
    tab = visit()
    held = []
    tab.page.route("**/api/sessions/*", lambda route: held.append(route))
    choose(tab, "Preset", label="Objects")
    assert tab.button("Ask this").is_hidden()
    choose(tab, "Preset", label="Scene")
    tab["max_tokens"].fill("77")
    tab["max_tokens"].press("Enter")
    tab.page.evaluate(CHOICES)
    for number in range(3):
        let_through(tab, held, number)
    session = tab.page.evaluate("() => sessionStorage.getItem('session')")
    settings = tab.page.context.request.get(f"{url}api/sessions/{session}").json()["settings"]
    assert (settings["prompt"], settings["max_tokens"]) == (tab["prompt"].input_value(), 77)
    assert set(tab.page.evaluate("() => window.choices")) == {"0"}
    assert tab.complaints == []


def test_what_was_confirmed_while_a_change_was_on_its_way_stays(visit):
    tab = visit()
    held = []
    tab.page.route("**/api/sessions/*", lambda route: held.append(route))
    choose(tab, "Preset", label="Objects")
    tab["max_tokens"].fill("77")
    tab["max_tokens"].press("Enter")
    tab.page.evaluate(CHOICES)
    for number in range(2):
        let_through(tab, held, number)
    tab.until("document.getElementById('max_tokens').value === '77'")
    tab.page.wait_for_function("() => window.choices.length > 3")
    assert set(tab.page.evaluate("() => window.choices")) == {"1"}
    assert tab.complaints == []


def test_words_that_the_server_refuses_stay_where_they_were_typed(visit):
    tab = visit()
    tab.page.evaluate("() => document.getElementById('prompt').removeAttribute('maxlength')")
    words = "cup " * 5000
    tab["prompt"].fill(words)
    tab.button("Ask this").click()
    tab.page.wait_for_selector("#notices .notice")
    assert "prompt" in tab.text("notices")
    assert tab["prompt"].input_value() == words
    assert tab.button("Ask this").is_visible()


def test_what_somebody_is_typing_is_not_replaced_by_what_the_session_says(visit):
    tab = visit()
    session = tab.page.evaluate("() => sessionStorage.getItem('session')")
    other = visit(fragment=f"#session={session}")
    tab["prompt"].fill("I am still typing")
    choose(other, "Preset", label="Objects")
    tab.until("document.getElementById('apply').hidden === false")
    other.until("document.getElementById('apply').hidden")
    assert tab["prompt"].input_value() == "I am still typing"


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
    assert other["sampling"].input_value() == "seconds"


def test_the_longest_answer_is_sent_to_the_model(visit, models):
    tab = visit()
    tab["max_tokens"].fill("5")
    tab["max_tokens"].press("Enter")
    tab.start_camera()
    tab.until_text("text", "Answer")
    assert last_question(models)["max_tokens"] == 5


@pytest.mark.parametrize(
    ("mode", "shown"), [("frames", "30"), ("seconds", "5"), ("change", "5")], ids=["frames", "seconds", "change"]
)
def test_when_to_ask_can_be_chosen_and_set(visit, mode, shown):
    tab = visit()
    assert tab["every"].is_hidden()
    choose(tab, "When to ask", value=mode)
    tab.page.wait_for_selector("#every:visible")
    assert tab["every"].input_value() == shown
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
    tab.start_camera()
    tab.until_text("text", "Answer 1")
    tab.page.wait_for_timeout(2000)
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
    assert "long_side" in tab.text("notices")
    tab.until("document.getElementById('long_side').value === '640'")
    tab.button("Dismiss").click()
    assert tab.page.locator("#notices .notice").count() == 0
    tab.page.keyboard.press("Escape")
    tab.until("!document.querySelector('#settings #notices')")


def test_models_are_listed_with_those_that_see_no_pictures_marked(visit):
    tab = visit()
    tab.until("document.querySelectorAll('#model option').length >= 3")
    options = tab.page.locator("#model option").all_inner_texts()
    assert "llava:7b" in options
    assert "llama3:8b (no pictures)" in options
    choose(tab, "Model", label="llama3:8b (no pictures)")
    tab.start_camera()
    tab.page.wait_for_selector("#answer[data-state=failed]")
    assert "llama3:8b" in tab.text("text")
    choose(tab, "Model", label="llava:7b")
    tab.until_text("text", "cup")
    assert "llava:7b · Ollama" in tab.text("label")


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
    assert tab["api_key"].input_value() == ""
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
    tab = visit_class(browser, serve().line().split(" is ready: ")[1].split(" ")[0]).connected()
    tab.until_text("servers", "ollama pull")
    tab["servers"].get_by_role("button", name="Copy").click()
    tab.until_text("servers", "Copied")
    tab.button("NVIDIA API Catalog").click()
    assert tab["api_base"].input_value() == "https://integrate.api.nvidia.com/v1"
    assert tab.page.evaluate("() => document.activeElement.id") == "api_key"
    with tab.page.expect_request("**/api/models") as request:
        tab.button("Ollama").click()
    assert request.value.post_data_json["api_base"] == "http://127.0.0.1:11434/v1"
