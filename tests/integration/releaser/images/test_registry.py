"""The registry client against a real registry, and against one that goes wrong."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from unhurried_clock import UnhurriedClock

from releaser.adapters.registry import oci
from releaser.adapters.registry.client import Registry
from releaser.adapters.registry.http import RegistryHttp
from releaser.core.activity import Activity, bound
from releaser.errors import ServiceError, StepError
from releaser.secret import Secret

TOKEN = "the-token-that-nobody-may-see"


@pytest.fixture(autouse=True)
def no_login(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """docker's own configuration, empty."""
    config = tmp_path / "docker" / "config.json"
    config.parent.mkdir()
    config.write_text("{}")
    monkeypatch.setenv("DOCKER_CONFIG", str(config.parent))
    return config


@pytest.fixture
def clock() -> Iterator[UnhurriedClock]:
    moved = UnhurriedClock()
    with bound(Activity(clock=moved)):
        yield moved


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    return f"of/{request.node.originalname.replace('_', '-')}-{abs(hash(request.node.name)) % 10**8}"


def client(host: str, name: str, token: str | None = None) -> Registry:
    return Registry(RegistryHttp(host, name, Secret(token) if token else None, "THE_VARIABLE"))


@pytest.fixture
def image(tmp_path: Path, name: str, make_layout):
    layout = make_layout(tmp_path / "layout", name)
    return layout, layout.roots()["image"]


def test_a_push_by_digest_puts_everything_there_and_no_tag(registry, image, name) -> None:
    layout, root = image

    sent = client(registry.host, name).push(layout, root)

    assert sent == sum(len(path.read_bytes()) for path in blobs_of(layout, root))
    assert registry.digests(name) == {}
    assert registry.get(f"{name}/manifests/{root.digest}").content == layout.read(root)
    for manifest in oci.manifests(layout, root):
        assert registry.get(f"{name}/manifests/{manifest.digest}").content == layout.read(manifest)
        for blob in oci.blobs(layout, manifest):
            assert registry.get(f"{name}/blobs/{blob.digest}").content == layout.read(blob)


def blobs_of(layout, root) -> set[Path]:
    return {
        layout.blob(blob.digest) for manifest in oci.manifests(layout, root) for blob in oci.blobs(layout, manifest)
    }


def test_a_tag_points_at_the_very_digest_and_what_is_read_back_is_the_same_image(registry, image, name) -> None:
    layout, root = image
    there = client(registry.host, name)
    there.push(layout, root)
    there.put("1.0.0", root, layout.read(root))

    assert registry.digests(name) == {"1.0.0": root.digest}
    assert there.digest("1.0.0") == root.digest
    assert there.tags() == ["1.0.0"]
    assert oci.images(there, root) == oci.images(layout, root)
    assert [one.platform for one in oci.images(there, root)] == ["linux/amd64", "linux/arm64"]


def test_what_is_attested_is_told_by_platform(registry, image, name) -> None:
    layout, root = image
    there = client(registry.host, name)
    there.push(layout, root)
    first, second = (one.manifest.digest for one in oci.images(there, root))

    found = oci.attested(there, root)

    assert found.get(first) == {"https://spdx.dev/Document"}
    assert second not in found


def test_a_second_push_sends_nothing(proxy, image, name) -> None:
    layout, root = image
    client(proxy.host, name).push(layout, root)
    before = len(proxy.log)

    assert client(proxy.host, name).push(layout, root) == 0
    assert {method for method, _, _ in proxy.log[before:]} == {"HEAD"}


def test_a_layer_that_another_image_brought_is_not_sent_again(proxy, tmp_path, make_layout, name) -> None:
    both, one = make_layout(tmp_path / "both", name), make_layout(tmp_path / "one", name, ("linux/arm64",))
    client(proxy.host, name).push(both, both.roots()["image"])
    sent = proxy.uploads()

    client(proxy.host, name).push(one, one.roots()["image"])

    assert proxy.uploads() == sent


def test_a_repository_that_nobody_has_pushed_to_has_no_tags(registry, name) -> None:
    there = client(registry.host, name)

    assert there.tags() == []
    assert there.digest("latest") is None


def test_tags_are_listed_over_all_pages(proxy, name) -> None:
    pages = {"": ["1.0.0", "1.1.0"], "1.1.0": ["1.2.0"]}

    def page(handler) -> bool:
        last = parse_qs(urlsplit(handler.path).query).get("last", [""])[0]
        link = {} if last else {"Link": f'</v2/{name}/tags/list?last=1.1.0&n=2>; rel="next"'}
        return handler.answer(200, json.dumps({"tags": pages[last]}).encode(), link)

    proxy.fault = page

    assert client(proxy.host, name).tags() == ["1.0.0", "1.1.0", "1.2.0"]


STRIKES = [
    ("POST", "/blobs/uploads/", 2),
    ("PATCH", "/blobs/uploads/", 3),
    ("PUT", "digest=", 1),
    ("PUT", "/manifests/", 1),
]
FAULTS: dict[str, tuple[Callable[..., bool], str, str]] = {
    "500": (lambda handler: handler.refuse(500, "UNKNOWN"), "(HTTP 500): UNKNOWN as told", "Rerun the command"),
    "401": (lambda handler: handler.refuse(401, "UNAUTHORIZED"), "(HTTP 401): UNAUTHORIZED as told", "docker login"),
    "403": (lambda handler: handler.refuse(403, "DENIED"), "(HTTP 403): DENIED as told", "THE_VARIABLE"),
    "429": (lambda handler: handler.refuse(429, "TOOMANYREQUESTS"), "limits requests and refused", "Rerun the command"),
    "drop": (lambda handler: handler.drop(), "closed the connection when asked to take", "rerun the command"),
}
SURVIVED = {
    (fault, method)
    for fault, methods in {"429": ("POST", "PATCH", "PUT"), "403": ("PUT",), "500": ("PUT",), "drop": ("PUT",)}.items()
    for method in methods
}
CASES = [(fault, *strike) for fault in FAULTS for strike in STRIKES]


def of(cases) -> dict:
    return {
        "argnames": ("fault", "method", "part", "count"),
        "argvalues": cases,
        "ids": ["-".join(map(str, (f, m, n))) for f, m, _, n in cases],
    }


@pytest.mark.parametrize(**of([case for case in CASES if case[:2] not in SURVIVED]))
def test_a_push_that_fails_says_why_and_again_ends_right_with_nothing_sent_twice(
    registry, proxy, image, name, fault, method, part, count
) -> None:
    layout, root = image
    strike, said, remedy = FAULTS[fault]
    proxy.fail_at(count, method, part, strike)
    there = client(proxy.host, name)

    with pytest.raises(ServiceError) as caught:
        there.push(layout, root)
    assert said in caught.value.message
    assert proxy.host in caught.value.message
    assert remedy in caught.value.remedy
    assert registry.get(f"{name}/manifests/{root.digest}").status_code == 404

    client(proxy.host, name).push(layout, root)
    assert registry.get(f"{name}/manifests/{root.digest}").content == layout.read(root)
    assert sorted(proxy.uploads()) == sorted(set(proxy.uploads()))


@pytest.mark.parametrize(**of([case for case in CASES if case[:2] in SURVIVED]))
def test_a_failure_that_passes_is_survived_with_nothing_sent_twice(
    registry, proxy, image, name, clock, fault, method, part, count
) -> None:
    layout, root = image
    proxy.fail_at(count, method, part, FAULTS[fault][0])

    client(proxy.host, name).push(layout, root)

    assert len(clock.waits) == 1
    assert registry.get(f"{name}/manifests/{root.digest}").content == layout.read(root)
    assert sorted(proxy.uploads()) == sorted(set(proxy.uploads()))


@pytest.mark.parametrize("fault", ["429", "500", "drop"])
def test_a_failure_that_lasts_is_told_after_five_more_attempts(proxy, image, name, clock, fault) -> None:
    layout, root = image
    strike, said, remedy = FAULTS[fault]
    proxy.fault = lambda handler: handler.command == "PUT" and "/manifests/" in handler.path and strike(handler)

    with pytest.raises(ServiceError) as caught:
        client(proxy.host, name).push(layout, root)

    assert said in caught.value.message
    assert remedy in caught.value.remedy
    assert len(clock.waits) == 5


@pytest.mark.parametrize("lost", ["500", "drop"])
@pytest.mark.parametrize(("method", "part", "count"), STRIKES, ids=lambda one: str(one).strip("/="))
def test_what_the_registry_has_done_without_a_response_that_arrives_is_not_done_twice(
    registry, proxy, image, name, clock, lost, method, part, count
) -> None:
    layout, root = image

    def act_and_lose(handler) -> bool:
        headers = {one: value for one, value in handler.headers.items() if one.lower() != "accept-encoding"}
        url = proxy.target + handler.path
        acted = requests.request(method, url, headers=headers, data=handler.body, timeout=60)
        proxy.log.append((method, requests.utils.unquote(handler.path), acted.status_code))
        return FAULTS[lost][0](handler)

    proxy.fail_at(count, method, part, act_and_lose)
    there = client(proxy.host, name)
    with nullcontext() if method == "PUT" else suppress(ServiceError):  # a POST or PATCH is not repeated by itself
        there.push(layout, root)
    there.push(layout, root)

    assert registry.get(f"{name}/manifests/{root.digest}").content == layout.read(root)
    assert sorted(proxy.uploads()) == sorted(set(proxy.uploads()))


def test_a_registry_that_is_not_there_is_named(unused_tcp_port, name, clock) -> None:
    with pytest.raises(ServiceError, match=f"localhost:{unused_tcp_port} refused the connection"):
        client(f"localhost:{unused_tcp_port}", name).tags()


def test_content_that_has_another_digest_is_refused(proxy, image, name) -> None:
    layout, root = image
    client(proxy.host, name).push(layout, root)
    proxy.fault = lambda handler: handler.command == "GET" and handler.answer(200, b" " * root.size)

    with pytest.raises(ServiceError, match="serves other content"):
        client(proxy.host, name).read(root)


HTML = b"<html>Please log in</html>"


@pytest.mark.parametrize("content", [HTML, b"", b"[]", b'{"tags": 3}', b'{"tags": [1]}', b'{"tags": ["1.0.0"'])
def test_tags_in_another_form_are_an_error_and_no_traceback(proxy, name, content) -> None:
    proxy.fault = lambda handler: handler.answer(200, content)

    with pytest.raises(ServiceError, match=r"sent .*JSON.* when asked to list the tags") as caught:
        client(proxy.host, name).tags()
    assert "repository in [tool.releaser.images]" in caught.value.remedy


def test_pages_of_tags_that_lead_in_a_circle_end(proxy, name) -> None:
    link = {"Link": f'</v2/{name}/tags/list?last=1.0.0>; rel="next"'}
    proxy.fault = lambda handler: handler.answer(200, b'{"tags": ["1.0.0"]}', link)

    with pytest.raises(ServiceError, match="a page of tags that leads to itself"):
        client(proxy.host, name).tags()


@pytest.mark.parametrize("headers", [{}, {"Docker-Content-Digest": "../../etc"}])
def test_a_login_page_is_no_image(proxy, name, headers) -> None:
    headers = {**headers, "Content-Type": "text/html"}
    proxy.fault = lambda handler: handler.answer(200, HTML, headers)

    with pytest.raises(ServiceError, match="text/html instead of an image"):
        client(proxy.host, name).find("latest")


@pytest.mark.parametrize("content", [HTML, b"[]", b'{"token": 3}', b"{}", b'{"token": "ab'])
def test_a_token_in_another_form_is_an_error_and_no_traceback(proxy, name, content) -> None:
    challenge = {"WWW-Authenticate": f'Bearer realm="http://localhost:{proxy.port}/token",service="s"'}

    def door(handler) -> bool:
        return handler.answer(200, content) if "/token" in handler.path else handler.answer(401, b"{}", challenge)

    proxy.fault = door
    with pytest.raises(ServiceError, match="when asked to log in to list the tags"):
        client(proxy.host, name).tags()


def test_content_that_is_cut_off_is_fetched_again_and_then_an_error(proxy, image, name, clock) -> None:
    layout, root = image
    client(proxy.host, name).push(layout, root)
    content = layout.read(root)

    def cut(handler) -> bool:
        handler.close_connection = True
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(content), content[:-10]))
        return True

    proxy.fault = cut
    with pytest.raises(ServiceError, match="broke off its response when asked to send sha256:"):
        client(proxy.host, name).read(root)
    assert len(clock.waits) == 5


def test_content_that_is_short_without_a_sign_is_no_reason_to_distrust_the_registry(proxy, image, name) -> None:
    layout, root = image
    client(proxy.host, name).push(layout, root)
    proxy.fault = lambda handler: handler.command == "GET" and handler.answer(200, layout.read(root)[:-10])

    with pytest.raises(ServiceError, match=rf"arrived as {root.size - 10} bytes of {root.size}") as caught:
        client(proxy.host, name).read(root)
    assert caught.value.remedy.startswith("Rerun the command")


@pytest.mark.parametrize(
    "document",
    [
        b"[]",
        b"3",
        b'{"manifests": 3}',
        b'{"manifests": [3]}',
        b'{"manifests": [{"digest": 1}]}',
        b'{"manifests": [{"mediaType": "x", "digest": "sha256:../../x", "size": 1}]}',
    ],
)
def test_an_index_in_another_form_is_an_error_and_no_traceback(proxy, name, document) -> None:
    found = oci.Descriptor(oci.INDEXES[0], oci.digest_of(document), len(document))
    proxy.fault = lambda handler: handler.answer(200, document)

    with pytest.raises(StepError, match=r"[Nn]o image: ") as caught:
        oci.images(client(proxy.host, name), found)
    assert caught.value.remedy


@pytest.mark.parametrize(
    "document", [b'{"config": 3}', b'{"config": {}, "layers": []}', b'{"config": {}, "layers": {}}']
)
def test_a_manifest_in_another_form_is_an_error_and_no_traceback(proxy, name, document) -> None:
    found = oci.Descriptor(oci.MANIFESTS[0], oci.digest_of(document), len(document))
    proxy.fault = lambda handler: handler.answer(200, document)

    with pytest.raises(StepError, match=r"[Nn]o image: "):
        oci.images(client(proxy.host, name), found)


class TokenDoor:
    """Wants a bearer token, which it hands out for one login, as registries do."""

    def __init__(self, port: int, login: str) -> None:
        self.port = port
        self.basic = "Basic " + base64.b64encode(login.encode()).decode()
        self.asked: list[str] = []
        self.actions = ["pull", "push"]

    def __call__(self, handler) -> bool:
        given = handler.headers.get("Authorization", "")
        if handler.path.startswith("/token"):
            self.asked.append(parse_qs(urlsplit(handler.path).query)["scope"][0])
            if given != self.basic:
                return handler.refuse(401, "UNAUTHORIZED")
            return handler.answer(200, json.dumps({"token": self.token}).encode())
        if given == f"Bearer {self.token}":
            del handler.headers["Authorization"]
            return False
        challenge = f'Bearer realm="http://localhost:{self.port}/token",service="the service"'
        return handler.answer(401, b"{}", {"WWW-Authenticate": challenge})

    @property
    def token(self) -> str:
        claims = json.dumps({"access": [{"type": "repository", "name": "x", "actions": self.actions}]}).encode()
        return f"e30.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.c2ln"


@pytest.fixture
def door(proxy) -> TokenDoor:
    proxy.fault = TokenDoor(proxy.port, f"token:{TOKEN}")
    return proxy.fault


def test_a_token_from_the_environment_is_exchanged_for_one_that_may_push(registry, proxy, door, image, name) -> None:
    layout, root = image
    there = client(proxy.host, name, TOKEN)
    there.push(layout, root)
    there.put("1.0.0", root, layout.read(root))

    assert registry.digests(name) == {"1.0.0": root.digest}
    assert door.asked == [f"repository:{name}:pull", f"repository:{name}:pull,push"]


def test_dockers_own_login_comes_first(proxy, door, image, name, no_login) -> None:
    pair = base64.b64encode(b"somebody:open sesame").decode()
    no_login.write_text(json.dumps({"auths": {proxy.host: {"auth": pair}}}))
    door.basic = f"Basic {pair}"

    client(proxy.host, name, "another token").push(*image)

    assert proxy.uploads()


def test_a_login_from_a_credential_helper_is_found(proxy, door, image, name, no_login, monkeypatch) -> None:
    helper = no_login.with_name("docker-credential-test")
    answer = json.dumps({"ServerURL": proxy.host, "Username": "token", "Secret": TOKEN})
    helper.write_text(f"#!/bin/sh\ncat >/dev/null\necho '{answer}'\n")
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", str(helper.parent), prepend=":")
    no_login.write_text(json.dumps({"credsStore": "test"}))

    client(proxy.host, name).push(*image)

    assert proxy.uploads()


def test_a_login_that_is_wrong_is_refused_in_words_that_hold_no_secret(proxy, door, image, name) -> None:
    with pytest.raises(ServiceError) as caught:
        client(proxy.host, name, "a-wrong-token").push(*image)

    assert "(with the login that it was given)" in caught.value.message
    assert f"docker login {proxy.host}" in caught.value.remedy
    assert "THE_VARIABLE" in caught.value.remedy
    assert "a-wrong-token" not in str(caught.value)


def test_without_a_login_the_refusal_says_so(proxy, door, image, name) -> None:
    with pytest.raises(ServiceError, match=r"\(with no login\)"):
        client(proxy.host, name).push(*image)


def test_what_a_login_may_do_is_known_before_a_push_where_the_registry_tells(registry, proxy, door, name) -> None:
    assert client(registry.host, name).http.right_to_push() == "asks for none"
    assert client(proxy.host, name).http.right_to_push() == "no login"
    assert client(proxy.host, name, TOKEN).http.right_to_push() == "may push"
    door.actions = ["pull"]
    assert client(proxy.host, name, TOKEN).http.right_to_push() == "may not push"


def test_a_login_is_sent_over_loopback_or_encryption_alone(proxy, name) -> None:
    realm = 'Bearer realm="http://registry.invalid/token",service="s"'
    proxy.fault = lambda handler: handler.answer(401, b"{}", {"WWW-Authenticate": realm})

    with pytest.raises(ServiceError, match="without encryption"):
        client(proxy.host, name, TOKEN).tags()
