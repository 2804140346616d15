from __future__ import annotations

import re

import pytest

TOKEN = "correct-horse-battery-staple-42"


@pytest.fixture
def lines(serve, models, tmp_path):
    """What a server prints that everybody must sign in to."""
    (tmp_path / "token").write_text(TOKEN)
    server = serve("--api-base", models.api_base, "--token", f"@{tmp_path / 'token'}")
    printed = [server.line()]
    while "#code=" not in printed[-1]:
        printed.append(server.line())
    return printed


@pytest.fixture
def url(lines):
    return lines[0].split(" is ready: ")[1].split(" ")[0]


@pytest.fixture
def code(lines):
    return re.search(r"#code=\S+", lines[-1])[0]


@pytest.fixture
def enter(browser, url, visit_class):
    def start(**how):
        return visit_class(browser, url, **how)

    return start


@pytest.mark.release
def test_who_is_not_signed_in_sees_the_form_alone_and_gets_in_with_the_token(enter):
    tab = enter()
    tab.page.wait_for_selector("#login:visible")
    tab.expect("main").to_be_hidden()
    tab.expect("connection-text").to_have_text("Not signed in")
    tab.page.get_by_label("Token", exact=True).fill("a wrong one")
    tab.button("Sign in").click()
    tab.page.wait_for_selector("#login-error:visible")
    tab.until_text("login-error", "wrong")
    tab.page.get_by_label("Token", exact=True).fill(TOKEN)
    tab.page.route("**/api/login", lambda route: route.abort(), times=1)
    tab.button("Sign in").click()
    tab.until_text("login-error", "does not respond")
    tab.button("Sign in").click()  # again, with the same token
    tab.connected()
    tab.expect("main").to_be_visible()
    tab.expect("login").to_be_hidden()
    tab.start_camera()
    tab.until_text("text", "cup")
    tab.page.reload()
    tab.connected()
    assert TOKEN not in tab.page.evaluate("() => JSON.stringify([localStorage, sessionStorage, location.href])")


def test_the_one_time_code_signs_in_and_leaves_the_address(enter, code):
    tab = enter(fragment=code)
    tab.connected()
    assert "code" not in tab.page.url
    assert tab.page.evaluate("() => history.length") <= 2
    tab.page.reload()
    tab.connected()

    other = enter(fragment=code)
    other.page.wait_for_selector("#login:visible")
    other.until_text("login-error", "used")
    assert "code" not in other.page.url


def test_a_signed_in_page_shows_new_codes_and_each_lets_one_browser_in(enter, code):
    tab = enter(fragment=code)
    tab.connected()
    tab.button("Sign in another device").click()
    tab.page.wait_for_selector("#invite-qr[src^='data:image/svg']")
    tab.until_text("invite-link", "#code=")
    first = tab["invite-link"].inner_text()
    assert tab["invite-qr"].evaluate("(image) => image.decode().then(() => image.getBoundingClientRect().width)") > 150
    tab.until_text("invite-until", "Valid until")
    tab["language"].evaluate("(list) => { list.value = 'de'; list.dispatchEvent(new Event('change')); }")
    tab.until_text("invite-until", "Gültig bis")
    tab.button("Neuer Code").click()
    tab.until(f"!['', {first!r}].includes(document.getElementById('invite-link').textContent)")
    second = tab["invite-link"].inner_text()
    assert "code" not in tab.page.url

    late = enter(fragment="#" + first.split("#")[1])
    late.page.wait_for_selector("#login:visible")
    late.until_text("login-error", "page that is signed in")
    guest = enter(fragment="#" + second.split("#")[1])
    guest.connected()

    tab["invite"].get_by_role("button", name="Schließen").click()
    tab.expect("invite-link").to_have_text("")
    assert second not in tab.page.content()
    guest.button("Sign out").click()
    guest.page.wait_for_selector("#login:visible")
    guest.expect("show-code").to_be_hidden()
    assert tab.complaints == []


def test_signing_out_asks_for_the_token_again(enter, code):
    tab = enter(fragment=code)
    tab.connected()
    tab.button("Sign out").click()
    tab.page.wait_for_selector("#login:visible")
    tab.expect("main").to_be_hidden()


def test_without_required_sign_in_there_is_no_sign_out(serve, models, browser, visit_class):
    open_server = serve("--api-base", models.api_base)
    tab = visit_class(browser, open_server.line().split(" is ready: ")[1].split(" ")[0]).connected()
    tab.expect("sign-out").to_be_hidden()
    tab.expect("show-code").to_be_hidden()
