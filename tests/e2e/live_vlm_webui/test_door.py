"""The door as a browser sees it: over HTTPS with the certificate that is made, and from another web site's page."""

from __future__ import annotations

import base64
import hashlib
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

FOREIGN_PAGE = b"<!doctype html><title>elsewhere</title><form id=form method=post><input name=a value=b></form>"

TRY_EVERYTHING = """
async (url) => {
  const outcomes = {};
  const attempt = async (name, options) => {
    try {
      const answer = await fetch(url + "api/sessions", { method: "POST", ...options });
      outcomes[name] = answer.type === "opaque" ? "sent blindly" : "read " + answer.status;
    } catch (error) {
      outcomes[name] = "failed";
    }
  };
  await attempt("a JSON post", { headers: { "Content-Type": "application/json" }, body: "{}" });
  await attempt("a blind post", { mode: "no-cors", headers: { "Content-Type": "text/plain" }, body: "{}" });
  await attempt("a blind post with cookies", { mode: "no-cors", credentials: "include", body: "{}" });
  try {
    outcomes["the system"] = "read " + (await fetch(url + "api/system")).status;
  } catch (error) {
    outcomes["the system"] = "failed";
  }
  outcomes["the WebSocket"] = await new Promise((resolve) => {
    const socket = new WebSocket(url.replace("http", "ws") + "ws");
    socket.onopen = () => resolve("opened");
    socket.onerror = () => resolve("failed");
  });
  outcomes["a picture"] = await new Promise((resolve) => {
    const picture = new Image();
    picture.onload = () => resolve("shown");
    picture.onerror = () => resolve("failed");
    picture.src = url + "static/icon.svg";
  });
  return outcomes;
}
"""


class Foreign(BaseHTTPRequestHandler):
    """Another web site."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(FOREIGN_PAGE)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def foreign() -> Iterator[str]:
    """The address of another web site on this machine."""
    with HTTPServer(("127.0.0.1", 0), Foreign) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_no_other_web_site_can_use_a_server_without_sign_in(launch, url, foreign):
    page = launch().new_page()
    page.goto(foreign)
    outcomes = page.evaluate(TRY_EVERYTHING, url)
    assert len(outcomes) == 6
    assert set(outcomes.values()) == {"failed"}
    with page.expect_navigation() as answered:
        page.evaluate("url => { form.action = url + 'api/sessions'; form.submit(); }", url)
    assert answered.value.status == 403
    page.goto(f"{url}metrics")
    assert re.search(r"^live_vlm_sessions 0(\.0)?$", page.inner_text("body"), re.MULTILINE)


def test_a_link_on_another_web_site_leads_to_the_page(launch, url, foreign):
    page = launch().new_page()
    page.goto(foreign)
    with page.expect_navigation():
        page.evaluate("url => { location.href = url; }", url)
    assert page.title() == "live-vlm-webui"


@pytest.fixture
def over_https(serve, models, tmp_path) -> tuple[str, str]:
    """A server with the certificate that it made: its address, and a switch by which Chromium trusts that key alone."""
    url = address_of(serve("--api-base", models.api_base, https=True).line())
    certificate = x509.load_pem_x509_certificate((tmp_path / "data" / "tls" / "certificate.pem").read_bytes())
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    pin = base64.b64encode(hashlib.sha256(key).digest()).decode()
    return url, f"--ignore-certificate-errors-spki-list={pin}"


def address_of(line: str) -> str:
    assert " is ready: " in line
    return line.split(" is ready: ")[1].split(" ")[0]


FAKE_CAMERA = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")


@pytest.mark.release
def test_over_https_the_page_connects_shows_the_camera_and_gets_answers(launch, over_https, visit_class):
    url, trusting = over_https
    tab = visit_class(launch(trusting, *FAKE_CAMERA), url).connected()
    tab.start_camera()
    tab.until_text("text", "cup")
    assert tab.complaints == []
    assert tab.hosts == {urlsplit(url).netloc}


def test_a_browser_that_does_not_know_the_certificate_warns(launch, over_https):
    page = launch().new_page()
    with pytest.raises(Exception, match="ERR_CERT_AUTHORITY_INVALID"):
        page.goto(over_https[0])


def test_who_types_http_ends_at_https(launch, over_https):
    url, trusting = over_https
    page = launch(trusting).new_page()
    page.goto(url.replace("https://", "http://"))
    assert page.url == url
