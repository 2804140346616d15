from __future__ import annotations

import json
import os
import re
import select
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

START_SECONDS = 120
STOP_SECONDS = 10
PATIENCE_SECONDS = 90
MODELS = ("--play", "ollama", "--model", "llava:7b", "--text-model", "llama3:8b")
TOOLS = Path(__file__).parents[1] / "tools"

DESKTOP = {"width": 1280, "height": 800}
SHOW_LIVE = "localStorage.setItem('showing', '\"live\"');"
NOTE_TEXTS = """
window.texts = {};
new MutationObserver(() => {
  for (const one of document.querySelectorAll("[id]")) {
    if (!%s.includes(one.id)) continue;
    const texts = (window.texts[one.id] ??= []);
    if (texts.at(-1) !== one.textContent) texts.push(one.textContent);
  }
}).observe(document, { subtree: true, childList: true, characterData: true });
"""
COUNT_SCRIPTS = "addEventListener('securitypolicyviolation', (event) => console.error('CSP', event.violatedDirective));"


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Before playwright, servers and films are started for nothing.
    if CHROMIUM is None:
        for item in (one for one in items if one.path.is_relative_to(Path(__file__).parent)):
            item.add_marker(pytest.mark.skip(reason="no chromium on the path (apt-get install chromium)"))


class Process:
    """A program that says in its first line where it serves, and what it says afterwards."""

    def __init__(self, *command: str | Path, log: Path, env: dict[str, str] | None = None) -> None:
        self._command, self._env = command, {**os.environ, **(env or {})}
        self.log = log
        self.start()

    def start(self) -> None:
        """Starts it, the first time or again."""
        with self.log.open("a") as log:
            # Unbuffered: select must see every line that is not read yet.
            self._process = subprocess.Popen(
                self._command, stdout=subprocess.PIPE, stderr=log, bufsize=0, env=self._env
            )

    def line(self) -> str:
        """The next line that it prints."""
        readable, _, _ = select.select([self._process.stdout], [], [], START_SECONDS)
        line = self._process.stdout.readline().decode() if readable else ""
        assert line, f"{self._command[0]} said nothing\n{self.log.read_text()}"
        return line.strip()

    def stop(self) -> None:
        """Ends it, if it runs."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.communicate(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()


class ModelServer:
    """tests/tools/openai_server.py in a process of its own."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.api_base = process.line()

    def behave(self, **behaviour) -> None:
        """Answer like this from now on."""
        self._control("behave", json.dumps(behaviour).encode())

    def release(self) -> None:
        """Let the answers go on that ``behave(held_at=...)`` holds."""
        self._control("release", b"")

    def reset(self) -> None:
        """Forget what was asked, and answer as at the start."""
        self._control("reset", b"")

    def until_asked(self, is_so: Callable[[dict], bool]) -> dict:
        """Wait until the newest question is so, and return it: settings are on their way to it for a moment."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not ((asked := self.questions) and is_so(asked[-1])):
            assert time.monotonic() < deadline, f"still not asked so: {asked[-1:]}"
            time.sleep(0.1)
        return asked[-1]

    @property
    def questions(self) -> list[dict]:
        """What it was asked so far, oldest first."""
        return [one for one in self._control("requests") if one["path"].endswith("/chat/completions")]

    def _control(self, action: str, body: bytes | None = None):
        address = f"{self.api_base.removesuffix('/v1')}/control/{action}"
        with urllib.request.urlopen(urllib.request.Request(address, body), timeout=60) as answer:
            return json.load(answer)


class Visit:
    """A page that was opened, with all that it asked for and complained about.

    What it shows follows a click, an answer or a change of settings only after a while. So nothing here returns what is
    shown at the moment: `expect` and the `until`s wait until it is so.
    """

    def __init__(
        self,
        browser,
        url,
        *,
        viewport=DESKTOP,
        scheme="light",
        scale=1,
        script="",
        prepare=None,
        fragment="",
        showing="live",
        locale="en-US",
        notes=(),
    ):
        self.context = browser.new_context(
            viewport=viewport, color_scheme=scheme, device_scale_factor=scale, locale=locale
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE_SECONDS * 1000)
        self.complaints: list[str] = []
        self.hosts: set[str] = set()
        self.page.on("console", self._note_complaint)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.context.on("request", lambda request: self._note_host(request.url))
        noting = NOTE_TEXTS % json.dumps(notes) if notes else ""
        self.page.add_init_script(COUNT_SCRIPTS + (SHOW_LIVE if showing == "live" else "") + noting + script)
        if prepare:
            prepare(self.page)
        self.page.goto(url + fragment)

    def _note_host(self, url: str) -> None:
        if not url.startswith("blob:"):  # what the page itself holds
            self.hosts.add(urlsplit(url).netloc)

    def connected(self):
        """Waits until the page has its session."""
        self.page.wait_for_selector("#connection[data-state=open]")
        return self

    def __getitem__(self, name):
        return self.page.locator(f"#{name}")

    def expect(self, what):
        """Playwright's assertions about a locator, or the element with that id: they wait, and report both sides."""
        from playwright.sync_api import expect  # not where playwright is not

        return expect(self[what] if isinstance(what, str) else what)

    def button(self, name):
        return self.page.get_by_role("button", name=name, exact=True)

    def start_camera(self):
        self.button("Start camera").click()
        self.page.wait_for_selector("#stage[data-state=on]")
        self.until("document.getElementById('video').currentTime > 0.2")

    def speak(self, language):
        """Chooses a language in the page."""
        change = "(list, to) => { list.value = to; list.dispatchEvent(new Event('change')); }"
        self["language"].evaluate(change, language)
        self.until(f"document.documentElement.lang === {json.dumps(language)}")

    def _note_complaint(self, line):
        if line.type != "log":
            self.complaints.append(f"{line.text} ({line.location['url']})")

    def until(self, expression):
        """Waits for ``expression`` to become true (wait_for_function needs what the page's policy forbids)."""
        self._wait(expression, bool, lambda _: f"still not so: {expression}\n{self.page.inner_text('body')}")

    def until_is(self, expression, wanted):
        """Waits until ``expression`` has this value."""
        self._wait(
            expression, lambda value: value == wanted, lambda value: f"{expression}\nis {value!r}\nand not {wanted!r}"
        )

    def until_text(self, name, words):
        """Waits until there is an element with that id, and it shows ``words``."""
        self.until(f"document.getElementById({json.dumps(name)})?.innerText.includes({json.dumps(words)})")

    def until_noted(self, name, pattern):
        """Waits until an element that is one of ``notes`` has shown such a text, however briefly."""
        self._wait(
            f"window.texts[{json.dumps(name)}] ?? []",
            lambda texts: any(re.search(pattern, text) for text in texts),
            lambda texts: f"#{name} has never shown {pattern!r}, but {texts}",
        )

    def until_session(self, field, wanted):
        """Waits until the server's ``field`` of the page's session has this value."""
        session = "fetch(`api/sessions/${sessionStorage.getItem('session')}`).then((answer) => answer.json())"
        self.until_is(f"{session}.then((session) => session.{field})", wanted)

    def hold(self, pattern, method="GET"):
        """Keeps requests from the server; returns the list of those that are kept."""
        held = []

        def keep(route):
            if route.request.method == method:
                held.append(route)
            else:
                route.fallback()

        self.page.route(pattern, keep)
        return held

    def until_held(self, held, count=1):
        """Waits until as many requests are kept."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(held) < count:
            assert time.monotonic() < deadline, f"{len(held)} requests came instead of {count}"
            self.page.wait_for_timeout(20)

    def settle(self):
        """Lets the page take what has arrived, and draw what waits to be drawn (see DRAW_EVERY_MS in answers.js)."""
        self.page.evaluate("() => fetch('healthz').then((answer) => answer.text())")
        self.page.evaluate("() => new Promise((go) => setTimeout(go, 150))")

    def _wait(self, expression, is_so, failure):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_so(value := self.page.evaluate(f"() => {expression}")):
            assert time.monotonic() < deadline, failure(value)
            self.page.wait_for_timeout(50)

    def until_answer(self, number):
        """Waits until the answer with that ``{number}`` or a later one is shown."""
        self.until(f"/Answer ([0-9]+)/.exec(document.getElementById('text').innerText)?.[1] >= {number}")


@pytest.fixture
def processes() -> Iterator[list[Process]]:
    """Programs that are ended at the end, the last first."""
    running: list[Process] = []
    yield running
    for process in reversed(running):
        process.stop()


@pytest.fixture
def serve(processes, tmp_path) -> Iterator[Callable[..., Process]]:
    """Starts live-vlm-webui with the given arguments; its first line of output is left to be read.

    Over HTTP, unless it is told otherwise: browsers trust that on loopback, and warn of a certificate that is made.
    """
    log = tmp_path / "server.log"
    log.touch()
    script = Path(sys.executable).with_name("live-vlm-webui")
    command = [script] if script.exists() else [sys.executable, "-m", "live_vlm_webui"]

    def start(*arguments, https=False) -> Process:
        env = {"LIVE_VLM_DATA": str(tmp_path / "data")}
        scheme = () if https else ("--no-ssl",)
        processes.append(Process(*command, *scheme, "--port", "0", *arguments, log=log, env=env))
        return processes[-1]

    yield start
    assert "Traceback" not in log.read_text()


def address_in(line: str) -> str:
    """The address in the line that a server prints when it is ready."""
    assert " is ready: " in line
    return line.split(" is ready: ")[1].split(" ")[0]


@pytest.fixture
def serve_models(processes, tmp_path) -> Callable[..., ModelServer]:
    """Starts servers of models."""

    def start(*arguments) -> ModelServer:
        command = (sys.executable, TOOLS / "openai_server.py", "--port", "0", *arguments)
        processes.append(Process(*command, log=tmp_path / "models.log"))
        return ModelServer(processes[-1])

    return start


@pytest.fixture(scope="module")
def models_of_module(tmp_path_factory) -> Iterator[ModelServer]:
    """The server of `models`. The servers that ask it end with each test, so that one serves all tests of a module."""
    command = (sys.executable, TOOLS / "openai_server.py", "--port", "0", *MODELS)
    process = Process(*command, log=tmp_path_factory.mktemp("models") / "models.log")
    yield ModelServer(process)
    process.stop()


@pytest.fixture
def models(models_of_module) -> ModelServer:
    """A server of models: llava sees, llama does not. Each answer tells its number."""
    server = models_of_module
    server.reset()
    server.behave(text="Answer {number}: **a cup** of coffee on a table.", total=0.3)
    return server


@pytest.fixture
def server(serve, models) -> Process:
    """A running server that asks ``models``."""
    return serve("--api-base", models.api_base)


@pytest.fixture
def url(server) -> str:
    """The address that the server printed."""
    return address_in(server.line())


@pytest.fixture(scope="module")
def playwright():
    """Playwright, for this module alone: while it runs, no other test of the session can have an event loop."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    sync_api.expect.set_options(timeout=PATIENCE_SECONDS * 1000)
    with sync_api.sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="module")
def browsers(playwright) -> Iterator[dict[tuple[str, ...], Browser]]:
    """Those that run, by their switches."""
    browsers: dict[tuple[str, ...], Browser] = {}
    yield browsers
    for browser in browsers.values():
        browser.close()


@pytest.fixture
def launch(playwright, browsers) -> Iterator[Callable[..., Browser]]:
    """The machine's own Chromium with the given switches: one for all tests of a module.

    A test's pages, permissions, cookies and whatever else it stores belong to contexts, which end with the test.
    """

    def start(*switches: str) -> Browser:
        if switches not in browsers or not browsers[switches].is_connected():
            browsers[switches] = playwright.chromium.launch(
                executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking", *switches]
            )
        return browsers[switches]

    yield start
    for browser in browsers.values():
        for context in browser.contexts:
            context.close()


@pytest.fixture
def browser(launch):
    """A browser with one camera that shows a moving test picture, and which allows it without asking."""
    return launch("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")


@pytest.fixture
def visit_class() -> type[Visit]:
    """For pages that may not connect."""
    return Visit


@pytest.fixture
def visit(browser, url) -> Callable[..., Visit]:
    """Opens the page of the server, in another tab and as another user each time."""

    def start(browser=browser, url=url, **how) -> Visit:
        return Visit(browser, url, **how).connected()

    return start


@pytest.fixture(scope="session")
def photograph(tmp_path_factory) -> Callable[[str], Path]:
    """Writes one of scikit-image's photographs as a camera's film: 1280x720 JPEGs one after another."""
    pytest.importorskip("skimage", reason="scikit-image, whose photographs are the camera's picture, is missing")
    import film

    folder = tmp_path_factory.mktemp("photographs")

    def filmed(name: str) -> Path:
        path = folder / f"{name}.mjpeg"
        if not path.exists():
            path.write_bytes(film.of(name))
        return path

    return filmed


@pytest.fixture
def camera_of(launch, photograph):
    """A browser whose camera shows a photograph."""

    def start(name: str):
        return launch(
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={photograph(name)}",
        )

    return start
