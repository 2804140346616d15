from __future__ import annotations

import json
import time
from urllib.parse import urlsplit

import pytest

import live_vlm_webui

DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}

LOOK_AT_THE_PICTURE = """
() => {
  const video = document.getElementById("video");
  const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 36 });
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0, 64, 36);
  const pixels = context.getImageData(0, 0, 64, 36).data;
  let brightest = 0;
  const colours = new Set();
  for (let i = 0; i < pixels.length; i += 4) {
    brightest = Math.max(brightest, pixels[i], pixels[i + 1], pixels[i + 2]);
    colours.add(`${pixels[i] >> 5},${pixels[i + 1] >> 5},${pixels[i + 2] >> 5}`);
  }
  const { videoWidth: width, videoHeight: height, currentTime: time } = video;
  return { width, height, time, brightest, colours: colours.size };
}
"""


class Visit:
    """A page that was opened, with all that it asked for and complained about."""

    def __init__(self, browser, url, *, viewport=DESKTOP, scheme="light", scale=1, script=None):
        context = browser.new_context(viewport=viewport, color_scheme=scheme, device_scale_factor=scale)
        self.page = context.new_page()
        self.page.set_default_timeout(15_000)
        self.complaints: list[str] = []
        self.hosts: set[str] = set()
        self.page.on("console", lambda line: self.complaints.append(line.text) if line.type != "log" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        context.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))
        if script:
            self.page.add_init_script(script)
        self.page.goto(url)
        self.page.wait_for_selector("#health:not([data-state=unknown])")

    def button(self, name):
        return self.page.get_by_role("button", name=name, exact=True)

    def start_camera(self):
        self.button("Start camera").click()
        self.page.wait_for_selector("#stage[data-state=on]")
        self.until("document.getElementById('video').currentTime > 0.2")

    def until(self, expression):
        """Wait for ``expression`` to become true (wait_for_function needs what the page's policy forbids)."""
        deadline = time.monotonic() + 15
        while not self.page.evaluate(f"() => {expression}"):
            assert time.monotonic() < deadline, f"still not so: {expression}"
            self.page.wait_for_timeout(50)

    def picture(self):
        return self.page.evaluate(LOOK_AT_THE_PICTURE)


def test_the_camera_shows_a_live_picture_until_it_is_stopped(browser, url):
    visit = Visit(browser, url)
    visit.start_camera()

    first = visit.picture()
    visit.until(f"document.getElementById('video').currentTime > {first['time'] + 0.5}")
    assert (first["width"], first["height"]) == (1280, 720)
    assert first["brightest"] > 64
    assert first["colours"] > 1
    assert "1280 × 720" in visit.page.locator("#camera-state").inner_text()

    visit.page.evaluate("() => { window.track = document.getElementById('video').srcObject.getVideoTracks()[0]; }")
    visit.button("Stop camera").click()
    assert visit.page.evaluate("() => window.track.readyState") == "ended"
    assert visit.page.evaluate("() => document.getElementById('video').srcObject") is None
    assert visit.page.locator("#camera-state").inner_text() == "Off"

    assert visit.complaints == []
    assert visit.hosts == {urlsplit(url).netloc}


def test_the_page_tells_the_servers_version_and_health(browser, url):
    visit = Visit(browser, url)
    assert visit.page.locator("#version").inner_text() == live_vlm_webui.__version__
    assert visit.page.locator("#health-text").inner_text() == "Server running"
    assert visit.page.locator("#notice").is_hidden()


def test_the_page_tells_when_the_server_is_gone(browser, url, server):
    visit = Visit(browser, url)
    server.terminate()
    server.wait(timeout=10)
    visit.page.wait_for_selector("#health[data-state=gone]")
    assert "The server does not answer." in visit.page.locator("#notice").inner_text()


def test_the_page_asks_to_be_reloaded_when_another_version_took_over(browser, url):
    visit = Visit(browser, url)
    visit.page.route("**/healthz", lambda route: route.fulfill(json={"status": "ok", "version": "99.0.0"}))
    visit.page.wait_for_selector("#notice:not([hidden])")
    assert "Reload this page" in visit.page.locator("#notice").inner_text()
    assert visit.page.locator("#version").inner_text() == "99.0.0"


def test_the_picker_switches_the_camera_while_it_runs(launch, url):
    browser = launch("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream=device-count=2")
    visit = Visit(browser, url)
    assert visit.page.locator("#picker").is_disabled()
    visit.start_camera()
    options = visit.page.locator("#picker option")
    assert options.count() == 2

    other = options.nth(1).inner_text()
    assert other not in visit.page.locator("#camera-state").inner_text()
    visit.page.get_by_label("Camera to use").select_option(label=other)
    visit.until(f"document.getElementById('camera-state').textContent.includes({json.dumps(other)})")
    assert visit.page.locator("#stage").get_attribute("data-state") == "on"
    assert visit.complaints == []


def test_mirroring_turns_the_picture_round_and_is_remembered(browser, url):
    visit = Visit(browser, url)
    visit.button("Mirror").click()
    visit.page.reload()
    assert visit.button("Mirror").get_attribute("aria-pressed") == "true"
    assert (
        visit.page.locator("#video").evaluate("video => getComputedStyle(video).transform")
        == "matrix(-1, 0, 0, 1, 0, 0)"
    )
    visit.button("Mirror").click()
    assert visit.page.locator("#video").evaluate("video => getComputedStyle(video).transform") == "none"


def test_fullscreen_shows_the_picture_alone(browser, url):
    visit = Visit(browser, url)
    assert visit.button("Fullscreen").is_disabled()
    visit.start_camera()
    visit.button("Fullscreen").click()
    visit.until("document.fullscreenElement?.id === 'stage'")
    assert visit.complaints == []


def test_everything_can_be_done_with_the_keyboard(browser, url):
    visit = Visit(browser, url)
    visit.page.keyboard.press("Tab")
    assert visit.page.evaluate("() => document.activeElement.id") == "toggle"
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_selector("#stage[data-state=on]")
    visit.page.wait_for_selector("#picker:enabled")
    reached = []
    for _ in range(3):
        visit.page.keyboard.press("Tab")
        reached.append(visit.page.evaluate("() => document.activeElement.id"))
    assert reached == ["picker", "mirror", "fullscreen"]


@pytest.mark.parametrize(
    ("switches", "told"),
    [
        (
            ["--use-fake-device-for-media-stream=device-count=0", "--use-fake-ui-for-media-stream"],
            "No camera was found.",
        ),
        (["--use-fake-device-for-media-stream", "--deny-permission-prompts"], "The browser refused the camera."),
    ],
    ids=["no camera", "permission denied"],
)
def test_a_camera_that_cannot_be_had_is_told_in_words(launch, url, switches, told):
    visit = Visit(launch(*switches), url)
    visit.button("Start camera").click()
    visit.page.wait_for_selector("#stage[data-state=failed]")
    assert told in visit.page.locator("#message").inner_text()
    assert visit.button("Start camera").is_enabled()
    assert visit.complaints == []


def test_an_insecure_address_is_told_before_anybody_tries(browser, url):
    visit = Visit(browser, url, script="Object.defineProperty(window, 'isSecureContext', { value: false });")
    assert "over HTTPS" in visit.page.locator("#message").inner_text()
    assert visit.button("Start camera").is_disabled()


def test_a_camera_that_is_unplugged_is_told(browser, url):
    visit = Visit(browser, url)
    visit.start_camera()
    visit.page.evaluate(
        "() => document.getElementById('video').srcObject.getVideoTracks()[0].dispatchEvent(new Event('ended'))"
    )
    assert "The camera was disconnected." in visit.page.locator("#message").inner_text()
    visit.start_camera()
    assert visit.complaints == []


def test_cancelling_while_the_browser_asks_leaves_the_camera_off(browser, url):
    slow = """
      const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = async (wanted) => {
        await new Promise((allow) => { window.allow = allow; });
        window.stream = await open(wanted);
        return window.stream;
      };
    """
    visit = Visit(browser, url, script=slow)
    visit.button("Start camera").click()
    visit.button("Cancel").click()
    visit.page.evaluate("() => window.allow()")
    visit.until("window.stream?.getVideoTracks()[0].readyState === 'ended'")
    assert visit.page.locator("#stage").get_attribute("data-state") == "off"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("name", "viewport", "scale"), [("desktop", DESKTOP, 1), ("phone", PHONE, 2)])
def test_the_page_fits_the_screen(browser, url, tmp_path, record_property, name, viewport, scale, scheme):
    visit = Visit(browser, url, viewport=viewport, scheme=scheme, scale=scale)
    visit.start_camera()
    picture = tmp_path / f"{name}-{scheme}.png"
    visit.page.screenshot(path=picture)
    record_property("screenshot", str(picture))

    assert visit.page.evaluate("() => document.documentElement.scrollWidth") <= viewport["width"]
    assert visit.page.locator("#toggle").bounding_box()["height"] >= 44
    background = visit.page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(12, 17, 22)") is (scheme == "dark")
