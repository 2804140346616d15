"""What the steps about images promise, and a whole rehearsal of a tiny project that has some."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from releaser.adapters.docker import buildx
from releaser.adapters.registry.client import Registry
from releaser.adapters.registry.http import RegistryHttp
from releaser.adapters.registry.layout import OciLayout
from releaser.adapters.registry.oci import Descriptor
from releaser.commands import images as image_tasks
from releaser.config.load import load_config
from releaser.core.files import write_sums
from releaser.core.step import Conflict, Done, Stays, Todo
from releaser.errors import ConflictError, ServiceError, StepError, UsageError
from releaser.images.build import ImageBuild
from releaser.rehearsal.registry import program
from releaser.release import Release, open_release
from releaser.secret import Credentials
from releaser.steps.preflight.registry import LogInForImages
from releaser.steps.publish.push_images import PushImages
from releaser.steps.qualify.start_images import StartImages
from releaser.steps.rollback.images import RestoreImageTags
from releaser.steps.verify.verify_images import VerifyImages
from releaser.versions.version import Version

# A small image with a shell.
BASE = os.environ.get("TEST_BASE_IMAGE", "busybox")
BY_HAND = '{ name = "image", platforms = ["linux/amd64", "linux/arm64"] }'
BAKED = '{ name = "plain" }, { name = "extra", suffix = "-extra", aliases = ["latest-too"] }'
IMAGES = """
[tool.releaser.images]
repository = "{repository}"
bake-file = "bake.hcl"
token-env = "TINY_TOKEN"
targets = [{targets}]
"""
DOCKERFILE = """\
ARG PYTHON_IMAGE
FROM ${PYTHON_IMAGE}
ARG VERSION
ARG FLAVOUR
ARG SERVES
COPY --chmod=0755 <<EOF /bin/tiny-thing
#!/bin/sh
[ "\\$1" = --version ] && echo tiny-thing ${VERSION} && exit
echo the ${FLAVOUR} one serves
${SERVES}
EOF
HEALTHCHECK CMD test -x /bin/tiny-thing
ENTRYPOINT ["tiny-thing"]
"""
BAKE = """\
variable "VERSION" { default = "" }
variable "REVISION" { default = "" }
variable "CREATED" { default = "" }
variable "PYTHON_IMAGE" { default = "" }
variable "EXTRA_SERVES" { default = "sleep 600" }
target "plain" {
  context = "."
  args = { VERSION = VERSION, PYTHON_IMAGE = PYTHON_IMAGE, FLAVOUR = "plain", SERVES = "sleep 600" }
  platforms = ["linux/amd64"]
  labels = {
    "org.opencontainers.image.title" = "Tiny"
    "org.opencontainers.image.description" = "A tiny thing"
    "org.opencontainers.image.url" = "https://example.invalid"
    "org.opencontainers.image.source" = "https://example.invalid"
    "org.opencontainers.image.licenses" = "MIT"
    "org.opencontainers.image.version" = VERSION
    "org.opencontainers.image.revision" = REVISION
    "org.opencontainers.image.created" = CREATED
  }
}
target "extra" {
  inherits = ["plain"]
  args = { FLAVOUR = "extra", SERVES = EXTRA_SERVES }
}
"""


@pytest.fixture
def name() -> str:
    return f"steps-{uuid4().hex[:8]}/thing"


@pytest.fixture
def open_at(tiny_project, name, tmp_path) -> Callable[..., Release]:
    """`open_at(host)`: the tiny project's 1.0.0, whose images go to a registry at `host`."""
    plain = (tiny_project.path / "pyproject.toml").read_text()

    def opened(host: str, targets: str = BY_HAND, **tokens: str) -> Release:
        text = plain + IMAGES.format(repository=f"{host}/{name}", targets=targets)
        (tiny_project.path / "pyproject.toml").write_text(text)
        config = load_config(tiny_project.path)
        state = tmp_path / "state"
        return open_release(tiny_project.path, config, Version.parse("1.0.0"), state, Credentials(tokens))

    return opened


@pytest.fixture
def has(make_layout, tmp_path, registry, name) -> Callable[..., str]:
    """`has("latest")`: the registry gives another image these tags; its digest."""

    def put(*tags: str) -> str:
        other = make_layout(tmp_path / f"other-{uuid4().hex[:8]}", f"other than {name}")
        root = other.roots()["image"]
        Registry(RegistryHttp(registry.host, name)).push(other, root)
        for tag in tags:
            registry.put(name, tag, other.read(root))
        return root.digest

    return put


# --- pushing ----------------------------------------------------------------------------------------------------------


def test_taking_back_leads_floating_tags_to_where_the_registry_had_them(
    open_at, registry, make_layout, name, has
) -> None:
    release, back = open_at(registry.host), RestoreImageTags()
    make_layout(release.store.images, name)
    before = has("0.9.0", "0.9", "latest")
    assert isinstance(back.check(release), Done)

    PushImages().run(release)
    ours = release.registry.digest("1.0.0")
    assert release.registry.digest("latest") == ours != before

    assert isinstance(back.check(release), Todo)
    back.run(release)
    outcome = back.verify(release)

    assert release.registry.digest("latest") == before
    assert isinstance(outcome, Stays)
    assert "1.0, 1.0.0" in outcome.reason
    assert "release 1.0.1" in outcome.remedy


def test_a_push_that_was_continued_goes_back_to_where_the_tags_were_at_first(
    open_at, registry, make_layout, name, has
) -> None:
    release = open_at(registry.host)
    make_layout(release.store.images, name)
    before = has("0.9.0", "latest")
    PushImages().run(release)
    PushImages().run(release)

    RestoreImageTags().run(release)

    assert release.registry.digest("latest") == before


def test_a_tag_that_others_have_moved_since_is_left_to_them(open_at, registry, make_layout, name, has) -> None:
    release = open_at(registry.host)
    make_layout(release.store.images, name)
    has("0.9.0", "latest")
    PushImages().run(release)
    other = has("1.1.0", "latest")

    RestoreImageTags().run(release)

    assert release.registry.digest("latest") == other


def while_blobs_go_up(proxy, do: Callable[[], object]) -> None:
    """Does something to the registry after the check, and before any tag is put."""

    def strike(_handler) -> bool:
        do()
        return False

    proxy.fail_at(1, "POST", "/blobs/uploads/", strike)


def test_a_version_that_somebody_else_pushes_meanwhile_is_not_overwritten(
    open_at, registry, proxy, make_layout, name, has
) -> None:
    release = open_at(proxy.host)
    make_layout(release.store.images, name)
    assert isinstance(PushImages().check(release), Todo)
    pushed: list[str] = []
    while_blobs_go_up(proxy, lambda: pushed.append(has("1.0.0")))

    with pytest.raises(ConflictError) as caught:
        PushImages().run(release)

    assert "1.0.0 is already another image" in caught.value.message
    assert "Release 1.0.1 instead" in caught.value.remedy
    assert registry.digests(name) == {"1.0.0": pushed[0]}


def test_latest_does_not_move_down_when_a_higher_version_goes_out_meanwhile(
    open_at, registry, proxy, make_layout, name, has
) -> None:
    release = open_at(proxy.host)
    layout = make_layout(release.store.images, name)
    higher: list[str] = []
    while_blobs_go_up(proxy, lambda: higher.append(has("1.1.0", "1.1", "latest")))

    PushImages().run(release)

    own = layout.roots()["image"].digest
    assert registry.digests(name) == {"1.0.0": own, "1.0": own, **dict.fromkeys(("1.1.0", "1.1", "latest"), higher[0])}
    assert isinstance(PushImages().verify(release), Done)


# --- a registry that is none ------------------------------------------------------------------------------------------


def login_page(handler) -> bool:
    """What a captive portal answers to everything."""
    return handler.answer(200, b"<html>Please log in</html>", {"Content-Type": "text/html"})


def test_a_login_page_in_the_place_of_the_registry_is_named_and_not_taken_for_one(open_at, proxy) -> None:
    registry = open_at(proxy.host).registry
    proxy.fault = login_page

    for ask in (registry.tags, lambda: registry.find("latest")):
        with pytest.raises(ServiceError) as caught:
            ask()
        assert f"The registry {proxy.host} sent" in caught.value.message
        assert "html instead of" in caught.value.message.lower()
        assert "whether a proxy or a login page is in between" in caught.value.remedy


def test_json_that_is_no_object_is_named(open_at, proxy) -> None:
    proxy.fault = lambda handler: handler.answer(200, b"[1]", {"Content-Type": "application/json"})

    with pytest.raises(ServiceError, match="sent JSON of an unexpected form"):
        open_at(proxy.host).registry.tags()


def test_a_token_that_is_a_login_page_is_named(open_at, proxy) -> None:
    challenge = {"WWW-Authenticate": f'Bearer realm="http://{proxy.host}/token",service="s"'}
    proxy.fault = lambda handler: (
        login_page(handler) if handler.path.startswith("/token") else handler.answer(401, b"{}", challenge)
    )

    with pytest.raises(ServiceError, match="sent HTML instead of JSON when asked to log in to list the tags"):
        open_at(proxy.host).registry.tags()


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_an_upload_that_is_told_no_place_to_go_on_ends_with_the_registry_named(
    open_at, proxy, make_layout, name, method
) -> None:
    release = open_at(proxy.host)
    make_layout(release.store.images, name)
    proxy.fail_at(1, method, "/blobs/uploads/", lambda handler: handler.answer(202))

    with pytest.raises(ServiceError) as caught:
        PushImages().run(release)

    assert f"The registry {proxy.host} sent 202 and no Location when asked to take sha256:" in caught.value.message


# --- logging in -------------------------------------------------------------------------------------------------------


class Door:
    """Wants a bearer token, and gives anybody with a login one for `actions`."""

    def __init__(self, host: str, *actions: str) -> None:
        self.challenge = {"WWW-Authenticate": f'Bearer realm="http://{host}/token",service="s"'}
        self.access = json.dumps({"access": [{"type": "repository", "name": "x", "actions": actions}]}).encode()

    def __call__(self, handler) -> bool:
        if not handler.path.startswith("/token"):
            return handler.answer(401, b"{}", self.challenge)
        claims = base64.urlsafe_b64encode(self.access).decode().rstrip("=")
        return handler.answer(200, json.dumps({"token": f"e30.{claims}.c2ln"}).encode())


@pytest.fixture
def log_in(open_at, proxy, make_layout, name, tmp_path, monkeypatch) -> Callable[..., object]:
    """What the step says where docker has no login, and the token may do `actions`."""
    (tmp_path / "config.json").write_text("{}")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))

    def said(*actions: str, **tokens: str) -> object:
        release = open_at(proxy.host, **tokens)
        # Built already, so that no engine is needed.
        if not release.store.images.exists():
            make_layout(release.store.images, name)
        proxy.fault = Door(proxy.host, *actions) if actions else None
        return LogInForImages().check(release)

    return said


def test_a_registry_that_asks_for_no_login_is_said(log_in, proxy) -> None:
    assert log_in() == Done(f"{proxy.host} needs no login")


def test_a_missing_login_stands_against_a_release_and_the_way_to_get_one_is_told(log_in, proxy) -> None:
    outcome = log_in("pull", "push")

    assert isinstance(outcome, Conflict)
    assert outcome.what == f"there is no login for the registry {proxy.host}"
    assert f"docker login {proxy.host}" in outcome.remedy
    assert "TINY_TOKEN" in outcome.remedy


def test_a_login_that_may_not_push_stands_against_a_release_and_one_that_may_does_not(log_in, proxy, name) -> None:
    refused = log_in("pull", TINY_TOKEN="any")

    assert isinstance(refused, Conflict)
    assert refused.what == f"the login for {proxy.host} may not push {name}"
    assert log_in("pull", "push", TINY_TOKEN="any") == Done(f"may push {proxy.host}/{name}")
    assert proxy.log == []


# --- starting and verifying -------------------------------------------------------------------------------------------


@pytest.fixture
def engine(tmp_path) -> None:
    if reason := buildx.unavailable(tmp_path):
        pytest.skip(reason)


@pytest.fixture
def built(engine, open_at, registry) -> Callable[..., tuple[Release, OciLayout]]:
    """A release whose dists and images are built; the dists are none, as nothing here looks into them."""

    def build(**variables: str) -> tuple[Release, OciLayout]:
        release = open_at(registry.host, BAKED)
        (release.git.root / "bake.hcl").write_text(BAKE)
        (release.git.root / "Dockerfile").write_text(DOCKERFILE)
        release.store.dist.mkdir(parents=True)
        names = ("tiny_thing-1.0.0-py3-none-any.whl", "tiny_thing-1.0.0.tar.gz")
        digests = {name: hashlib.sha256(name.encode()).hexdigest() for name in names}
        for name in names:
            (release.store.dist / name).write_text(name)
        release.journal.write("built", files=digests)
        write_sums(release.store.dist, digests)
        images = release.config.images
        with release.store.scratch("build") as room:
            make = ImageBuild(images, release.git.root, release.version, release.git.head(), 1700000000)
            layout = make.into_layout(images.targets, room, variables={"PYTHON_IMAGE": BASE, **variables})
            layout.path.rename(release.store.images)
        return release, OciLayout(release.store.images)

    return build


def test_every_image_is_started_and_what_was_seen_is_told(built) -> None:
    release, _ = built()
    step = StartImages()
    assert isinstance(step.check(release), Todo)
    assert not step.have_started(release)

    step.run(release)

    assert step.have_started(release)

    outcome = step.verify(release)
    assert isinstance(outcome, Done)
    for target in ("plain", "extra"):
        assert f"{target} linux/amd64 prints 'tiny-thing 1.0.0', healthy after" in outcome.evidence


def test_images_that_were_not_seen_to_start_are_not_pushed_by_hand_either(
    built, registry, name, tmp_path, monkeypatch
) -> None:
    release, _ = built()
    monkeypatch.setenv("RELEASER_STATE_DIR", str(tmp_path / "state"))

    with pytest.raises(UsageError, match=r"images of 1\.0\.0 .* not started"):
        image_tasks.push(release.git.root, "1.0.0", None)

    assert registry.digests(name) == {}
    StartImages().run(release)
    image_tasks.push(release.git.root, "1.0.0", None)
    assert "1.0.0" in registry.digests(name)


def test_an_image_that_ends_instead_of_becoming_healthy_is_named_and_stays_to_do(built) -> None:
    release, _ = built(EXTRA_SERVES="exit 7")

    with pytest.raises(StepError) as caught:
        StartImages().run(release)

    assert ":extra (linux/amd64) ended with 7 instead of becoming healthy" in caught.value.message
    assert "the extra one serves" in caught.value.message
    assert isinstance(StartImages().check(release), Todo)


def test_images_are_verified_after_a_push_and_a_tag_that_was_moved_is_named(built, registry, name) -> None:
    release, layout = built()
    PushImages().run(release)
    roots = layout.roots()
    own = {target: root.digest for target, root in roots.items()}

    def point_latest_at(root: Descriptor) -> None:
        registry.put(name, "latest", layout.read(root), root.media_type)

    point_latest_at(roots["extra"])

    with pytest.raises(StepError) as caught:
        VerifyImages().run(release)
    assert f"the tag latest points at {own['extra'][:19]}" in caught.value.message
    assert isinstance(VerifyImages().check(release), Todo)

    point_latest_at(roots["plain"])
    VerifyImages().run(release)
    outcome = VerifyImages().verify(release)
    assert isinstance(outcome, Done)
    assert f"1.0.0, 1.0, latest at {own['plain'][:19]} (linux/amd64" in outcome.evidence
    assert f"1.0.0-extra, 1.0-extra, latest-extra, latest-too at {own['extra'][:19]}" in outcome.evidence

    # What passed once is asked again: the receipt is not the registry.
    point_latest_at(roots["extra"])
    registry.delete(name, "1.0-extra")
    again = VerifyImages().check(release)
    assert isinstance(again, Todo)
    assert f"latest is at {own['extra'][:19]}" in again.what
    assert "1.0-extra is gone" in again.what


# --- a whole rehearsal ------------------------------------------------------------------------------------------------


@pytest.fixture
def with_images(engine, tiny_project, name) -> Callable[[str], None]:
    """Gives the tiny project images that go to `host`."""

    def give(host: str) -> None:
        text = (tiny_project.path / "pyproject.toml").read_text()
        tiny_project.write("pyproject.toml", text + IMAGES.format(repository=f"{host}/{name}", targets=BAKED))
        tiny_project.write("bake.hcl", BAKE)
        tiny_project.write("Dockerfile", DOCKERFILE)
        tiny_project.commit("Images")

    return give


def digests_of(layout: Path) -> dict[str, str]:
    """Digests by target, read without the engine."""
    found = json.loads((layout / "index.json").read_bytes())["manifests"]
    return {one["annotations"]["org.opencontainers.image.ref.name"]: one["digest"] for one in found}


def test_a_rehearsal_ends_with_exactly_the_expected_tags_and_every_digest_in_the_report(
    with_images, tiny_project, invoke, name
) -> None:
    if shutil.which(program.PROGRAM) is None:
        pytest.skip(f"there is no {program.PROGRAM} program here")
    with_images("registry.invalid")

    ended = invoke(tiny_project.path, "rehearse", "--version", "0.2.0", env={"PYTHON_IMAGE": BASE})

    assert ended.status == 0, ended.err
    world = invoke.world(tiny_project, "0.2.0")
    own = digests_of(world.store / "images")
    tags = world.path / "registry/docker/registry/v2/repositories" / name / "_manifests/tags"
    plain, extra = ["0.2.0", "0.2", "latest"], ["0.2.0-extra", "0.2-extra", "latest-extra", "latest-too"]
    assert {tag.name: (tag / "current/link").read_text() for tag in tags.iterdir()} == {
        **dict.fromkeys(plain, own["plain"]),
        **dict.fromkeys(extra, own["extra"]),
    }
    report = world.report()
    for target, names in (("plain", plain), ("extra", extra)):
        assert f"| {target} | {own[target]} | linux/amd64 | {', '.join(names)} |\n" in report
    assert "- verify_images: " in report


def test_without_a_registry_to_stand_in_a_rehearsal_asks_no_other_and_says_that_nothing_was_pushed(
    with_images, tiny_project, invoke, proxy, tmp_path, monkeypatch
) -> None:
    monkeypatch.setenv("PATH", without(program.PROGRAM, tmp_path / "programs"))
    command, reason = program.program(tmp_path)
    if command:
        pytest.skip("the container engine has an image of a registry, which stands in")
    asked: list[str] = []
    proxy.fault = lambda handler: asked.append(handler.path) or handler.refuse(500, "UNKNOWN")
    with_images(proxy.host)

    ended = invoke(tiny_project.path, "rehearse", "--version", "0.2.0", env={"PYTHON_IMAGE": BASE})

    assert ended.status == 0, ended.err
    assert asked == []
    world = invoke.world(tiny_project, "0.2.0")
    own, report = digests_of(world.store / "images"), world.report()
    assert f"\nNot pushed: {reason}. The digests are those of what was built here.\n" in report
    for target in ("plain", "extra"):
        assert f"| {target} | {own[target]} | linux/amd64 | - |\n" in report


def without(program: str, room: Path) -> str:
    """A PATH with every program that is on it now, but for one."""
    places = []
    for number, place in enumerate(map(Path, os.environ["PATH"].split(os.pathsep))):
        if (place / program).exists():
            mirror = room / str(number)
            mirror.mkdir(parents=True)
            for one in place.iterdir():
                if one.name != program:
                    (mirror / one.name).symlink_to(one)
            place = mirror
        places.append(str(place))
    return os.pathsep.join(places)
