"""What the page weighs, how soon it shows something, how long answers stand, and what it keeps, in a real Chromium."""

from __future__ import annotations

import http.server
import shutil
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest
from figures import BRIEF
from world import app_server, model_server

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PATIENCE_SECONDS = 30
LOADS = 3 if BRIEF else 5
STARTS = 1 if BRIEF else 3
TRIVIAL = b"""<!doctype html><title>Trivial</title><button>Start camera</button><p id="text"></p>
<script>
document.querySelector("button").onclick = () => (document.getElementById("text").textContent = "done");
</script>
"""
LISTENED_SECONDS = 14
FULL_SECONDS = 12
"""At ten answers a second, the history of 100 is full after these."""
READABLE = " ".join(["word"] * 18)
FAST = ("--text", "Answer {number}: a **cup** of coffee on a table.")
SIZES = """() => performance.getEntriesByType('navigation').concat(performance.getEntriesByType('resource'))
  .filter((one) => !one.name.includes('/api/')).map((one) => one.encodedBodySize)"""
PAINT = "() => performance.getEntriesByName('first-paint')[0]?.startTime ?? null"
SHOWN = "() => !document.getElementById('frame').hidden && document.getElementById('text').innerText.length > 0"
WATCH = """
window.shown = [];
window.passed = 0;
addEventListener("DOMContentLoaded", () => {
  const text = document.getElementById("text");
  new MutationObserver(() => shown.push([performance.now(), text.innerText])).observe(
    text, { childList: true, subtree: true, characterData: true });
  new MutationObserver(() => {
    const found = /([0-9]+) passed over/.exec(document.getElementById("about").innerText);
    passed = Math.max(passed, Number(found?.[1] ?? 0));
  }).observe(document.getElementById("about"), { childList: true, subtree: true, characterData: true });
});
"""

long = pytest.mark.skipif(BRIEF, reason="takes half a minute; measured for the tree, not for each release")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the path (apt-get install chromium)")


@pytest.fixture(scope="module")
def browser() -> Iterator:
    """A Chromium with a camera that shows a test picture."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    switches = ["--no-sandbox", "--disable-background-networking", "--enable-precise-memory-info"]
    camera = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*switches, *camera])
        yield browser
        browser.close()


@pytest.fixture
def opened(browser) -> Iterator[Callable]:
    """Opens an address as a new user; returns the page."""
    contexts = []

    def open_page(url: str, script: str = "", locale: str = "en-GB"):
        contexts.append(browser.new_context(viewport={"width": 1280, "height": 800}, locale=locale))
        page = contexts[-1].new_page()
        page.set_default_timeout(PATIENCE_SECONDS * 1000)
        page.add_init_script(script)
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()


def wait_for(page, expression: str) -> None:
    """Waits for ``expression`` to become true (wait_for_function needs what the page's policy forbids)."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"still not so: {expression}\n{page.inner_text('body')}"
        page.wait_for_timeout(10)


def first_paint(page) -> float:
    """Milliseconds from the navigation's start."""
    wait_for(page, f"() => ({PAINT})() !== null")
    return page.evaluate(PAINT)


def page_of(weight: int) -> bytes:
    """A page of that many bytes."""
    start = b"<!doctype html><title>Static</title><h1>Static</h1><p>"
    return start + b"word " * ((weight - len(start)) // 5)


@pytest.fixture
def static_page() -> Iterator[Callable[[bytes], str]]:
    """Serves a page that needs nothing else; returns its address."""
    servers = []

    def serve(body: bytes) -> str:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        servers.append(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}/"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def first_load(opened, url: str, locale: str) -> list[int]:
    """What each file of the first load weighs on the wire, in bytes."""
    page = opened(f"{url}/", locale=locale)
    page.wait_for_selector("#connection[data-state=open]")
    page.wait_for_load_state("networkidle")
    return page.evaluate(SIZES)


def test_the_first_load(figure, opened, static_page):
    with app_server("--model", "describer", "--log-level", "warning") as (_, url):
        sizes = first_load(opened, url, "en-GB")
        german = first_load(opened, url, "de-DE")
        assert len(sizes) >= 2
        assert sum(german) > sum(sizes)  # it has its own texts, and those of the server
        weight = sum(sizes)
        # One after the other, so that what else the machine does falls on both.
        static = static_page(page_of(weight))
        pairs = [(first_paint(opened(f"{url}/")), first_paint(opened(static))) for _ in range(LOADS)]
    figure("first load, over the wire", weight / 1000, budget=45, unit="KB", reference=f"bodies of {len(sizes)} files")
    name, reference = "first load in German, over the wire", f"bodies of {len(german)} files"
    figure(name, sum(german) / 1000, budget=45, unit="KB", reference=reference)
    ours, theirs = (statistics.median(one) for one in zip(*pairs, strict=True))
    figure("first paint", ours, budget=200, unit="ms", reference=f"median of {LOADS} loads")
    name, reference = "first paint, relative to a static page of that weight", f"which takes {theirs:.0f} ms"
    figure(name, ours / theirs, budget=1.5, unit="times", reference=reference)


def seconds_to_answer(opened, url: str) -> float:
    """From opening the page to an answer in it, for a user who starts the camera at once, and leaves then."""
    began = time.monotonic()
    page = opened(f"{url}/")
    page.get_by_role("button", name="Start camera", exact=True).click()
    wait_for(page, SHOWN)
    took = time.monotonic() - began
    page.context.close()  # its camera would take time from those that are measured next
    return took


def seconds_to_text(opened, url: str) -> float:
    """The same for a page that only shows a text: what the browser, the click and the looking take on this machine."""
    began = time.monotonic()
    page = opened(url)
    page.get_by_role("button", name="Start camera", exact=True).click()
    wait_for(page, "() => document.getElementById('text').innerText.length > 0")
    took = time.monotonic() - began
    page.context.close()
    return took


def note_answers(figure, opened, trivial: str, name: str, budget: float, *options: str) -> None:
    """Notes the median of new servers' first users, beside that of their next users and of a page that does nothing."""
    first, following, nothing = [], [], []
    for _ in range(STARTS):
        with app_server(*options, "--log-level", "warning") as (_, url):
            first.append(seconds_to_answer(opened, url))
            following.append(seconds_to_answer(opened, url))
            nothing.append(seconds_to_text(opened, trivial))
    after, empty = statistics.median(following), statistics.median(nothing)
    reference = (
        f"median of {STARTS} new servers; the next user {after:.2f} s; a page that only shows a text {empty:.2f} s"
    )
    figure(f"open to first answer, {name}", statistics.median(first), budget=budget, unit="s", reference=reference)


def test_from_opening_the_page_to_the_first_answer(figure, opened, static_page):
    trivial = static_page(TRIVIAL)
    note_answers(figure, opened, trivial, "describer", 2.5, "--model", "describer")
    with model_server("--total", "0.3") as (_, model):
        note_answers(figure, opened, trivial, "300 ms model", 1.3, "--api-base", model)


@long
def test_answers_of_a_fast_model_stand_still(figure, opened):
    with (
        model_server("--total", "0.4", "--text", f"Number {{number}}: {READABLE}") as (_, model),
        app_server("--api-base", model, "--log-level", "warning") as (_, url),
    ):
        page = opened(f"{url}/", WATCH)
        page.get_by_role("button", name="Start camera", exact=True).click()
        wait_for(page, SHOWN)
        page.wait_for_timeout(LISTENED_SECONDS * 1000)
        changes, passed = page.evaluate("() => [shown, passed]")
    # How long each whole answer stood before any other text; the first and the last are cut off by the measurement.
    whole = [text for _, text in changes if len(text.split()) == 20]
    turns = [(at, text) for (at, text), (_, before) in zip(changes[1:], changes[:-1], strict=True) if text != before]
    stood = [later - at for (at, text), (later, _) in pairwise(turns) if len(text.split()) == 20]
    assert len(set(whole)) >= 2
    assert stood
    reference = f"{len(stood)} answers in {LISTENED_SECONDS} s; up to {passed} counted as passed over between two"
    name, least = "an answer of 20 words stands, at least", min(stood) / 1000
    figure(name, least, budget=5, unit="s", at_least=True, reference=reference)
    figure("passed over between two, counted", passed, budget=5, unit="answers", at_least=True)


def heap(devtools) -> float:
    """What the page's scripts hold, in MB, garbage apart."""
    devtools.send("HeapProfiler.collectGarbage")
    return devtools.send("Runtime.getHeapUsage")["usedSize"] / 1e6


@long
def test_the_browsers_heap_is_flat_at_ten_answers_a_second(figure, opened, pytestconfig):
    seconds = pytestconfig.getoption("--heap-seconds")
    with (
        model_server("--total", "0.1", *FAST) as (_, model),
        app_server("--api-base", model, "--log-level", "warning") as (_, url),
    ):
        page = opened(f"{url}/")
        devtools = page.context.new_cdp_session(page)
        page.get_by_role("button", name="Start camera", exact=True).click()
        wait_for(page, SHOWN)
        page.wait_for_timeout(FULL_SECONDS * 1000)
        before, began = heap(devtools), time.monotonic()
        count = "async () => Number((await (await fetch('metrics')).text()).match(/answers_total\\S* ([0-9.]+)/)?.[1])"
        page.wait_for_timeout(seconds * 1000)
        after, passed = heap(devtools), time.monotonic() - began
        answers = page.evaluate(count)
    reference = f"{before:.2f} MB when the history was full, {after:.2f} MB {passed:.0f} s later, {answers} answers"
    figure("browser's heap at 10 answers a second", after / before, budget=1.05, unit="times", reference=reference)
