"""Every path to a release has the same end: whatever happens to a job of the workflows, and by hand in the web page."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from paths_table.ends import TAG
from paths_table.row import Row
from paths_table.world import VERSION, Paths

WHEEL, SDIST = f"tiny_thing-{VERSION}-py3-none-any.whl", f"tiny_thing-{VERSION}.tar.gz"


@pytest.fixture(scope="session")
def paths(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Paths]:
    made = Paths(tmp_path_factory.mktemp("paths"))
    yield made
    made.close()


def test_a_release_by_workflows_ends_as_an_undisturbed_one_after(
    job_row: Row, paths: Paths, record_property: Callable[[str, object], None]
) -> None:
    begun = time.monotonic()
    found = paths.strike(job_row)
    record_property("paths table", {**found.as_json(), "seconds": round(time.monotonic() - begun, 1)})
    assert not found.wrong, found.wrong


@pytest.mark.parametrize("tag", ["in the page", pytest.param("pushed", marks=pytest.mark.lengthy)])
def test_a_release_by_hand_in_the_web_page_has_the_same_files_started_twice_too(paths: Paths, tag: str) -> None:
    from_here = paths.from_here
    paths.start()
    paths.serve()
    paths.publish_by_hand(tag=tag)
    paths.dispatch("build-wheel.yml")
    assert paths.wait() == ["build-wheel.yml: success"]
    assert [run["event"] for run in paths.runs()] == ["release", "workflow_dispatch"]
    end = paths.end()
    same = ("commit", "branch", "refs", "pypi")
    assert {part: end[part] for part in same} == {part: from_here[part] for part in same}
    assert end["taken"] == {"testpypi": [], "pypi": from_here["taken"]["pypi"]}
    # What differs: nobody tried it on TestPyPI, the bill of materials is the engine's, and the notes are the person's.
    bill = f"tiny_thing-{VERSION}.cdx.json"
    assert end["assets"][TAG] == {name: how for name, how in from_here["assets"][TAG].items() if name != bill}
    assert end["releases"][0]["body"] == "By hand\n"
    assert end["releases"][0]["latest"]
    # The page makes a lightweight tag, which has no message of its own.
    assert end["tag"]["type"] == ("commit" if tag == "in the page" else from_here["tag"]["type"])


def test_an_immutable_release_by_hand_takes_no_files_and_pypi_gets_them_all_the_same(paths: Paths) -> None:
    from_here = paths.from_here
    paths.start()
    paths.make_immutable()
    paths.serve()
    assert paths.publish_by_hand()["immutable"]
    assert paths.wait() == ["build-wheel.yml: success"]
    end = paths.end()
    assert end["pypi"] == from_here["pypi"]
    assert end["assets"] == {TAG: {}}
    assert {job["name"]: job["conclusion"] for job in paths.runs()[0]["jobs"]}["Attach files"] == "skipped"
    assert f"The release {TAG} is immutable and takes no files" in paths.log("Build from the tag")


def test_a_draft_with_anothers_wheel_is_not_published_to_pypi_until_the_wheel_is_gone(paths: Paths) -> None:
    from_here = paths.from_here
    paths.start()
    paths.serve()
    draft = paths.publish_by_hand(tag="", draft=True)
    wheel = paths.attach(draft, WHEEL, b"another's")
    paths.attach(draft, "slides.pdf", b"%PDF")
    paths.in_page("PATCH", f"/releases/{draft['id']}", {"draft": False, "tag_name": TAG})
    assert paths.wait() == ["build-wheel.yml: failure"]
    assert WHEEL in paths.told()
    assert paths.end()["pypi"] == {}
    paths.in_page("DELETE", f"/releases/assets/{wheel['id']}")
    paths.go_on()
    assert paths.wait() == ["build-wheel.yml: success"], paths.told()
    end = paths.end()
    assert end["pypi"] == from_here["pypi"]
    assert sorted(end["assets"][TAG]) == ["SHA256SUMS", "slides.pdf", WHEEL, SDIST]
