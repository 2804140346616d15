"""What is opened over the page: settings, keyboard shortcuts, and what was sent for an answer and came back."""

from __future__ import annotations

import json

MUSEUM = "Answer as a museum guide would."
ANNOUNCED = """() => Object.fromEntries([...document.querySelectorAll("[aria-keyshortcuts]")]
  .map((one) => [one.id, one.getAttribute("aria-keyshortcuts").toLowerCase().split(" ")]))"""
LISTED = """async () => {
  const { SHORTCUTS } = await import(new URL("static/panels/keys.js", document.baseURI));
  const found = {};
  for (const [key, ...ids] of SHORTCUTS) for (const id of ids) (found[id] ??= []).push(key);
  return found;
}"""


def test_system_prompt_and_temperature_are_set_remembered_and_said_not_to_apply_where_they_do_not(visit, models):
    loaded: list[str] = []
    tab = visit(prepare=lambda page: page.on("request", lambda request: loaded.append(request.url)))
    tab.start_camera()
    tab.until_text("text", "Answer")
    assert not any("panels" in address or "detail.js" in address for address in loaded)
    tab.button("Settings").click()
    tab["system_prompt"].fill(MUSEUM)
    tab["temperature"].fill("0.2")
    tab["temperature"].press("Enter")
    tab["frame_spacing"].fill("0.25")  # between two steps of the arrow keys
    tab["frames_per_question"].fill("9")
    tab["frames_per_question"].press("Tab")
    tab["frames_per_question"].fill("")
    tab["frames_per_question"].press("Tab")
    tab.expect("frames_per_question").to_have_value("1")
    tab["settings-theme"].select_option("dark")
    tab.expect("theme").to_have_value("dark")
    tab.page.keyboard.press("Escape")
    tab.expect("open-settings").to_be_focused()
    tab.until("document.getElementById('about').title.includes('museum guide')")
    asked = models.until_asked(lambda question: question["body"].get("temperature") == 0.2)
    assert asked["body"]["messages"][0] == {"role": "system", "content": MUSEUM}

    models.behave(text="Answer {number} of one that reasons.", total=0.3, rejects="temperature")
    tab.until_text("text", "of one that reasons")
    tab.page.reload()
    tab.connected()
    tab.button("Settings").click()
    tab.until_text("settings-note", "llava:7b · Ollama does not accept a temperature; it is left out.")
    tab.expect("system_prompt").to_have_value(MUSEUM)
    tab.expect("temperature").to_have_value("0.2")
    tab.expect("frame_spacing").to_have_value("0.25")
    tab["temperature"].fill("")
    tab["temperature"].press("Enter")
    tab.until("document.getElementById('settings-note').hidden")
    tab["system_prompt"].fill("")
    tab["settings"].get_by_role("button", name="Close").click()
    tab["model"].select_option(label="describer")
    tab.until_text("label", "Built-in describer")
    tab.button("Settings").click()
    tab.until_text("settings-note", "It has no system prompt and no temperature")
    tab.page.keyboard.press("Escape")
    tab.start_camera()
    tab["model"].select_option(label="llava:7b")
    tab.until_text("text", "of one that reasons")
    tab.until("document.getElementById('about').title.startsWith('Question:')")
    asked = models.until_asked(lambda question: [one["role"] for one in question["body"]["messages"]] == ["user"])
    assert "temperature" not in asked["body"]
    assert tab.complaints == []


def test_a_system_prompt_that_did_not_arrive_stays_and_is_sent_again(visit):
    tab = visit()
    tab.page.route("**/api/sessions/*", lambda route: route.abort(), times=1)
    tab.button("Settings").click()
    tab["system_prompt"].fill(MUSEUM)
    tab["system_prompt"].press("Tab")
    tab.page.wait_for_selector("#notices .notice")
    tab.expect("system_prompt").to_have_value(MUSEUM)
    with tab.page.expect_request("**/api/sessions/*") as sent:
        tab.page.keyboard.press("Escape")
    assert sent.value.post_data_json == {"system_prompt": MUSEUM}
    tab.page.wait_for_selector("#notices .notice", state="detached")
    tab.button("Settings").click()
    tab.expect("system_prompt").to_have_value(MUSEUM)


def test_keys_do_what_their_list_says_but_not_where_people_type(visit, models):
    tab = visit(locale="de-DE")
    press = tab.page.keyboard.press
    press("?")
    tab.page.wait_for_selector("#keys[open]")
    tab.until_text("keys", "Bild spiegeln")
    press("m")  # nothing behind a dialog is operated
    press("Escape")
    tab.expect("keys").to_be_hidden()
    tab.expect("mirror").to_have_attribute("aria-pressed", "false")
    assert tab.page.evaluate(ANNOUNCED) == tab.page.evaluate(LISTED)

    press("c")
    tab.page.wait_for_selector("#stage[data-state=on]")
    tab.until_text("text", "Answer")
    press("m")
    press("h")
    tab.expect("mirror").to_have_attribute("aria-pressed", "true")
    tab.expect("hold").to_have_attribute("aria-pressed", "true")
    press("Control+h")
    press("Alt+h")
    press("Shift+h")
    tab.expect("hold").to_have_attribute("aria-pressed", "true")
    press("p")
    tab.until("document.getElementById('pause').innerText === 'Fortsetzen'")
    first = tab["prompt"].input_value()
    press("j")
    tab.expect("preset").to_have_value("1")
    press("k")
    press("k")
    tab.until("document.getElementById('preset').selectedIndex + 1 === document.getElementById('preset').length")
    press("j")
    tab.expect("preset").to_have_value("0")
    press("t")
    tab.expect("theme").to_have_value("light")
    press("q")
    tab.expect("prompt").to_be_focused()
    press("End")
    tab.page.keyboard.type(" chmq?")
    tab.expect("prompt").to_have_value(f"{first} chmq?")
    tab.expect("mirror").to_have_attribute("aria-pressed", "true")
    tab["reasoning"].focus()  # nothing is typed into a checkbox
    press("f")
    tab.until("document.fullscreenElement?.id === 'stage'")
    press("f")
    tab.until("document.fullscreenElement === null")
    press("c")
    tab.page.wait_for_selector("#stage[data-state=off]")
    tab.page.evaluate(
        "dispatchEvent.call(document.body, new KeyboardEvent('keydown', {key: 'ы', code: 'KeyS', bubbles: true}))"
    )  # a Russian keyboard
    tab.page.wait_for_selector("#settings[open]")
    tab["settings"].get_by_role("button", name="Tastenkürzel").click()
    status = tab["keys"].get_by_role("status")
    tab.expect(status).to_have_text("")
    tab["keys"].get_by_role("checkbox").uncheck()
    tab.expect(status).to_contain_text("ausgeschaltet")
    tab["keys"].get_by_role("checkbox").check()
    tab.expect(status).to_contain_text("eingeschaltet")
    tab["keys"].get_by_role("checkbox").uncheck()
    tab["keys"].get_by_role("button", name="Schließen").click()
    tab.page.wait_for_selector("#settings[open]")
    press("Escape")
    tab.page.reload()
    tab.connected()
    tab.until("document.querySelectorAll('[aria-keyshortcuts]').length === 0")
    press("m")
    press("?")
    tab.expect("mirror").to_have_attribute("aria-pressed", "true")
    tab.expect("keys").to_be_hidden()
    assert tab.complaints == []


def test_answers_are_shown_as_written_and_what_was_sent_and_came_back_with_them(visit, serve, serve_models):
    models = serve_models("--model", "llava:7b", "--api-key", "sk-of-the-server")
    models.behave(text="Answer {number}: **a cup**", total=0.3, reasoning="hm hm", rejects="temperature+system")
    server = serve("--api-base", models.api_base, "--api-key", "sk-of-the-server")
    tab = visit(url=server.line().split(" is ready: ")[1].split(" ")[0], notes=["exchange-body"])
    tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    session = tab.page.evaluate("sessionStorage.getItem('session')")
    patch = {"system_prompt": MUSEUM, "temperature": 0.2, "reasoning": True}
    assert tab.page.request.patch(f"{tab.page.url}api/sessions/{session}", data=patch).ok
    tab.expect("inspect").to_be_hidden()
    tab.start_camera()
    tab.until("document.querySelectorAll('#history li').length >= 2")
    tab.expect("history").not_to_contain_text("**")
    tab.expect("text").not_to_contain_text("**")
    tab["hold"].click()
    tab["raw"].click()
    tab.until_text("text", "**a cup**")
    assert tab.page.evaluate("getSelection().selectAllChildren(text), getSelection().toString()").endswith("**a cup**")
    tab.expect(tab.page.locator("#history .words").last).to_contain_text("**a cup**")
    tab.page.reload()
    tab.connected()
    tab.until_text("text", "**a cup**")  # remembered

    tab["inspect"].click()
    tab.until_text("exchange-body", "completion_tokens")  # the answer may still be written
    tab.until_text("exchange-body", f"POST {models.api_base}/chat/completions")
    for words in (MUSEUM, "Describe what you see", "640 × 360", "completion_tokens", "hm hm", "**a cup**", "HTTP 200"):
        tab.until_text("exchange-body", words)
    tab.until_text("exchange-body", "Left out because the model does not accept it: temperature")
    tab.until_text("exchange-body", "sent, not shown here")
    tab.until_text("exchange-body", "Sent as the start of the question, because the model has no system role.")
    tab.button("Copy as JSON").click()
    tab.until_noted("exchange-body", "Copied")
    copied = tab.page.evaluate("navigator.clipboard.readText()")
    (message,) = json.loads(copied)["request"]["body"]["messages"]
    assert message["content"][-1]["text"].startswith(f"{MUSEUM}\n\nDescribe")
    tab.page.keyboard.press("Escape")
    tab.expect("inspect").to_be_focused()

    tab.page.locator("#history button").last.click()
    tab.page.wait_for_selector("#detail[open]")
    tab.until_text("exchange-body", "**a cup**")
    tab.page.keyboard.press("Escape")
    tab.expect("detail").to_be_hidden()
    models.behave(fail="openai-500")
    tab.start_camera()
    tab.page.wait_for_selector("#answer[data-state=failed]")
    tab["inspect"].click()
    tab.until_text("exchange-body", "HTTP 500")
    tab.expect("detail-text").not_to_be_empty()
    tab.until("document.getElementById('detail-frame').naturalWidth === 640")
    page = tab.page.content() + copied
    assert not [secret for secret in ("sk-of-the-server", "Authorization", "/9j/") if secret in page]
    assert tab.complaints == []
