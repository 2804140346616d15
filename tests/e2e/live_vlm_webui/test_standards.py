"""What browsers and assistive technology expect of a page, checked by axe-core and by Chromium itself."""

from __future__ import annotations

import time
from importlib.resources import files

import pytest


def passes(page) -> None:
    """Wait until axe-core finds nothing wrong with the page: while a panel opens, colours are on their way."""
    deadline = time.monotonic() + 60
    while found := violations(page):
        assert time.monotonic() < deadline, found


def violations(page) -> list[str]:
    axe = files(pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is not installed"))
    page.evaluate(axe.joinpath("axe.min.js").read_text())
    found = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")["violations"]
    return [f"{one['id']}: {node['html'][:120]}" for one in found for node in one["nodes"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_wrong_with_long_answers_or_on_the_way_in(visit, models, serve, browser, visit_class, scheme):
    cell = "a long cell of a table "
    models.behave(
        text=f"# Title\n\n```\n{'code ' * 80}\n```\n\n| a | b |\n|---|---|\n| {cell * 9} | {cell} |\n\n{'word ' * 400}"
    )
    tab = visit(scheme=scheme)
    passes(tab.page)
    tab.start_camera()
    tab.page.wait_for_selector("#history li")
    tab.page.wait_for_selector("#text pre")
    passes(tab.page)
    tab.page.locator("#history li button").first.click()
    tab.page.wait_for_selector("#detail[open]")
    tab.page.locator("#exchange summary").click()
    tab.page.wait_for_selector("#exchange-body h3")
    passes(tab.page)
    for key, panel in (("s", "settings"), ("?", "keys")):
        tab.page.keyboard.press("Escape")
        tab.expect(tab.page.locator("dialog[open]")).to_have_count(0)
        tab.page.keyboard.press(key)
        tab.page.wait_for_selector(f"#{panel}[open]")
        passes(tab.page)

    guarded = serve("--token", "a-token-that-is-long-enough-for-this")
    door = visit_class(browser, guarded.line().split(" is ready: ")[1].split(" ")[0], scheme=scheme)
    door.page.wait_for_selector("#token")
    passes(door.page)


def test_chromium_takes_the_page_for_an_app_that_can_be_installed(visit):
    tab = visit()
    chromium = tab.context.new_cdp_session(tab.page)
    manifest = chromium.send("Page.getAppManifest")
    assert manifest["errors"] == []
    assert '"display": "standalone"' in manifest["data"]
    problems = {one["errorId"] for one in chromium.send("Page.getInstallabilityErrors")["installabilityErrors"]}
    assert problems <= {"in-incognito"}  # each test's user is one, and Chromium installs nothing for those
    tab.page.goto(tab.page.url + "static/icon-512.png")
    tab.until_is("document.images[0].naturalWidth", 512)
