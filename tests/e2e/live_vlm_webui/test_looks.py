from __future__ import annotations

import pytest

BACKGROUNDS = {"light": "rgb(243, 245, 247)", "dark": "rgb(12, 17, 22)"}
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
NAMELESS = """
() => [...document.querySelectorAll("button, select, input, textarea, a[href], img, video")]
  .filter((one) => one.checkVisibility() && !one.closest("[aria-hidden=true]"))
  .filter((one) => !(one.labels?.length || one.textContent.trim() || one.getAttribute("aria-label") ||
    one.getAttribute("aria-labelledby") || one.querySelector("img[alt]") || one.getAttribute("alt") !== null))
  .map((one) => one.outerHTML)
"""
CONTRAST = """
() => {
  const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const channel = (value) => (value /= 255) <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = (one) => {
    for (; one; one = one.parentElement) {
      const colour = parse(getComputedStyle(one).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const faint = [];
  for (const one of document.querySelectorAll("p, span, h1, h2, label, button, select, summary, strong, a, input")) {
    const words = [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!one.checkVisibility({ visibilityProperty: true }) || one.disabled || one.closest(".stage, .unseen")) continue;
    if (!words && !["SELECT", "INPUT"].includes(one.tagName)) continue;
    const [text, page] = [light(parse(getComputedStyle(one).color)), light(behind(one))];
    const ratio = (Math.max(text, page) + 0.05) / (Math.min(text, page) + 0.05);
    if (ratio < 4.5) faint.push(`${ratio.toFixed(1)} ${one.outerHTML.slice(0, 80)}`);
  }
  return faint;
}
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("name", "viewport", "scale"), [("desktop", DESKTOP, 1), ("phone", PHONE, 2)])
def test_the_page_fits_the_screen_and_can_be_read(visit, tmp_path, record_property, name, viewport, scale, scheme):
    tab = visit(viewport=viewport, scheme=scheme, scale=scale)
    tab.start_camera()
    tab.until("document.querySelectorAll('#history li').length >= 2")
    picture = tmp_path / f"{name}-{scheme}.png"
    tab.page.screenshot(path=picture)
    record_property("screenshot", str(picture))

    for summary in tab.page.locator("summary:visible").all():
        summary.click()
    tab["servers"].get_by_role("button", name="OpenAI", exact=True).wait_for()
    tab.page.locator("#figures section").first.wait_for()
    tab.until(f"document.documentElement.scrollWidth <= {viewport['width']}")
    tab.until_is(f"({CONTRAST})()", [])
    tab.until_is(f"({NAMELESS})()", [])
    tab.expect(tab.page.locator("body")).to_have_css("background-color", BACKGROUNDS[scheme])


@pytest.mark.parametrize(
    ("width", "height", "columns"),
    [(360, 740, 1), (740, 360, 2), (1280, 800, 2), (1600, 900, 3), (1920, 1080, 3), (3840, 2160, 3)],
    ids=["phone", "phone that lies", "laptop", "small desktop", "desktop", "4K"],
)
def test_picture_and_answer_share_the_first_screen_at_every_size(visit, width, height, columns):
    tab = visit(viewport={"width": width, "height": height})
    tab.start_camera()
    tab.until_text("text", "a cup of coffee")
    tab.speak("de")  # whose words are longer
    places = {
        name: tab.page.locator(f".{name}-card").bounding_box()
        for name in ("stage", "answer", "ask", "model", "history")
    }
    assert len({round(place["x"]) for place in places.values()}) == columns
    assert tab["stage"].bounding_box()["height"] > 0.2 * height
    text = tab["text"].bounding_box()
    assert text["y"] + min(text["height"], 48) <= height  # at least two lines
    if columns == 3:
        assert max(place["y"] + place["height"] for place in places.values()) <= height
        assert max(place["x"] + place["width"] for place in places.values()) > 0.98 * width
    if width >= 1280:
        for name in ("toggle", "prompt", "model", "sampling", "max_tokens", "text"):
            box = tab[name].bounding_box()
            assert box["y"] + box["height"] <= height, name
    theme = tab.page.locator("label.theme").bounding_box()
    mark = tab.page.locator(".mark").bounding_box()
    assert abs((theme["y"] + theme["height"] / 2) - (mark["y"] + mark["height"] / 2)) < 4  # one row
    assert tab.page.evaluate("() => document.documentElement.scrollWidth") <= width
    if columns == 3:
        tab["other-server"].locator("summary").click()
        tab["servers"].get_by_role("button", name="OpenAI", exact=True).wait_for()
        assert tab.page.evaluate("() => document.documentElement.scrollHeight") <= height
        controls = tab["other-server"].locator("button:visible, input:visible").all()
        assert len(controls) >= 7  # four servers, a command to copy, two fields and their button
        cards = [tab.page.locator(f".{name}-card").bounding_box() for name in ("model", "system")]
        for box in [*cards, *(one.bounding_box() for one in controls)]:  # nothing is scrolled to
            assert box["y"] >= 0
            assert box["y"] + box["height"] <= height
        for one in controls:
            box = one.bounding_box()
            assert places["model"]["x"] <= box["x"]
            assert box["x"] + box["width"] <= places["model"]["x"] + places["model"]["width"]
        for name in ("stage", "answer", "history"):
            assert tab.page.locator(f".{name}-card").bounding_box() == places[name], name
    assert tab.complaints == []


def test_a_theme_that_was_chosen_beats_the_systems_and_is_there_before_anything_is_painted(visit):
    tab = visit(scheme="light")
    tab["theme"].select_option("dark")
    body = tab.page.locator("body")
    tab.expect(body).to_have_css("background-color", BACKGROUNDS["dark"])
    tab.page.reload(wait_until="commit")
    tab.page.wait_for_selector("html[data-theme=dark]", state="attached")
    tab.connected()
    tab.expect("theme").to_have_value("dark")
    tab["theme"].select_option("")
    tab.expect(body).to_have_css("background-color", BACKGROUNDS["light"])


def test_with_the_colours_of_the_system_the_choice_and_the_connection_still_show(visit):
    tab = visit()
    tab.page.emulate_media(forced_colors="active")
    seen = """() => ({
      chosen: [...document.querySelectorAll("[name=source]")].map((radio) => [
        radio.checked, getComputedStyle(radio.nextElementSibling).outlineStyle === "solid",
      ]),
      dot: getComputedStyle(document.querySelector("#connection .dot")).backgroundColor,
      page: getComputedStyle(document.body).backgroundColor,
    })"""
    found = tab.page.evaluate(seen)
    assert sorted(found["chosen"]) == [[False, False], [False, False], [True, True]]
    assert found["dot"] != found["page"]


def test_everything_can_be_done_with_the_keyboard(visit):
    tab = visit()
    tab.page.wait_for_selector("#refresh:enabled")  # models are listed
    reached = []
    for _ in range(60):
        tab.page.keyboard.press("Tab")
        reached.append(tab.page.evaluate("() => document.activeElement.id || document.activeElement.name"))
        if reached[-1] == "interval":
            break
    wanted = ["language", "theme", "source", "toggle", "pause", "preset", "prompt", "refresh", "model", "sampling"]
    wanted += ["max_tokens", "interval"]
    assert [one for one in reached if one in wanted] == wanted
    assert "play" not in reached

    tab["toggle"].focus()
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_selector("#stage[data-state=on]")
    tab.page.keyboard.press("Shift+Tab")
    tab.expect("fullscreen").to_be_focused()
    tab.page.locator("input[value=camera]").focus()
    tab.page.keyboard.press("ArrowRight")
    tab.expect(tab.page.locator("#stream")).to_be_visible()


def test_what_is_touched_is_large_enough_for_a_finger(launch, url, visit):
    tab = visit(viewport=PHONE)
    tab.until_is(
        """[...document.querySelectorAll("button, select, input:not([type=radio]):not([type=file]), .button")]
          .filter((one) => one.checkVisibility({ visibilityProperty: true, opacityProperty: true }))
          .map((one) => (one.type === "checkbox" ? one.closest("label") : one))
          .filter((one) => one.getBoundingClientRect().height < 32)
          .map((one) => one.outerHTML.slice(0, 80))""",
        [],
    )


def test_without_javascript_the_page_says_that_it_needs_it(browser, url):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(url)
    assert "This page needs JavaScript" in page.inner_text("body")
