"""Below a path of a real reverse proxy, set up as docs/security.md has it."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request

import proxies
import pytest

PROXIES = {
    "nginx": (proxies.NGINX, proxies.nginx, lambda port: proxies.below_a_path(port)),
    "caddy": (proxies.CADDY, proxies.caddy, lambda port: proxies.documented("caddyfile", port)[0]),
    "nginx leaves the path": (
        proxies.NGINX,
        proxies.nginx,
        lambda port: proxies.at_the_root(port).replace("location / {", "location /vlm {"),
    ),
}


@pytest.fixture(params=PROXIES)
def signed_in(request, serve, models, browser, visit_class, tmp_path):
    """Open the page below /vlm/, and sign in by the link that the server prints."""
    program, run, block_for = PROXIES[request.param]
    if program is None:
        pytest.skip(f"no {request.param.partition(' ')[0]} here (apt-get install nginx-light caddy)")
    port = proxies.free_port()
    root = ("--root-path", "/vlm/") if "leaves" in request.param else ()
    server = serve("--api-base", models.api_base, "--allow-host", f"127.0.0.1:{port}", *root)
    own_port = re.search(r":([0-9]+)/", server.line())[1]
    link = next(line for line in iter(server.line, "") if "#code=" in line)
    assert ("/vlm/#code=" in link) == bool(root)
    with run(tmp_path, port, block_for(own_port)):
        yield visit_class(
            browser, f"http://127.0.0.1:{port}/vlm", fragment=f"#code={link.partition('#code=')[2]}"
        ).connected()


def test_everything_works_and_nothing_outside_the_path_is_asked_for(signed_in):
    tab, asked = signed_in, []
    tab.page.on("request", lambda request: asked.append(request.url))
    tab.page.reload()
    tab.connected()
    tab.start_camera()
    tab.until_text("text", "cup")
    tab.until("[...document.querySelectorAll('#history img')].some((image) => image.naturalWidth > 0)")
    with urllib.request.urlopen(
        urllib.request.Request(tab.page.url.partition("#")[0] + "healthz"), timeout=60
    ) as answer:
        assert json.load(answer)["status"] == "ok"

    assert [one for one in asked if "/vlm/" not in one and not one.startswith("blob:")] == []
    assert tab.complaints == []


def test_a_proxy_that_drops_websockets_is_named(serve, models, browser, visit_class, tmp_path):
    if proxies.NGINX is None:
        pytest.skip("no nginx here (apt-get install nginx-light)")
    server = serve("--api-base", models.api_base)
    port, own_port = proxies.free_port(), re.search(r":([0-9]+)/", server.line())[1]
    plain = f"location / {{ proxy_pass http://127.0.0.1:{own_port}; proxy_set_header Host $http_host; }}"
    with proxies.nginx(tmp_path, port, plain):
        tab = visit_class(browser, f"http://127.0.0.1:{port}/")
        tab.until_text("notices", "its WebSocket does not open")

        tab.until_text("notices", "let it forward WebSockets too")


def test_a_proxy_that_changes_host_is_told_what_to_allow(serve, models, browser, visit_class, tmp_path):
    if proxies.NGINX is None:
        pytest.skip("no nginx here (apt-get install nginx-light)")
    server = serve("--api-base", models.api_base)
    port, own_port = proxies.free_port(), re.search(r":([0-9]+)/", server.line())[1]
    with proxies.nginx(tmp_path, port, f"location / {{ proxy_pass http://127.0.0.1:{own_port}; }}"):
        tab = visit_class(browser, f"http://127.0.0.1:{port}/")
        tab.until_text("notices", f"Pages of 'http://127.0.0.1:{port}' may not use this server")

        tab.until_text("notices", "--allow-host")


def test_a_request_without_host_is_told_so(serve, models):
    server = serve("--api-base", models.api_base)
    port = re.search(r":([0-9]+)/", server.line())[1]
    request = urllib.request.Request(f"http://127.0.0.1:{port}/", headers={"Host": ""})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=60)

    assert "The request has no Host header" in refused.value.read().decode()
