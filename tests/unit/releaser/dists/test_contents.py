from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from releaser.config.load import parse_config
from releaser.dists import contents
from releaser.versions.version import Version

WHEEL = "demo-1.0.0-py3-none-any.whl"
SDIST = "demo-1.0.0.tar.gz"
INFO = "demo-1.0.0.dist-info"
PACKAGE = {"demo/__init__.py": "VERSION = 1\n", "demo/page.html": "<p>", "demo/deep/data.bin": "\0"}
IN_WHEEL = {
    **PACKAGE,
    f"{INFO}/METADATA": "Metadata-Version: 2.4\nName: demo\nVersion: 1.0.0\n\nWhat it is.\n",
    f"{INFO}/licenses/LICENSE": "Do as you like.\n",
}
IN_SDIST = {
    **{f"src/{name}": text for name, text in PACKAGE.items()},
    "LICENSE": "Do as you like.\n",
    "PKG-INFO": "Name: demo\n",
}


class Built:
    """A tree, and what is said to be built from it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.package = list(PACKAGE)
        self.wheel = dict(IN_WHEEL)
        self.sdist = dict(IN_SDIST)
        self.table: dict[str, object] = {}
        self.version = Version(1, 0, 0)

    def problems(self, *private: Path) -> list[str]:
        wheel, sdist = self.root / WHEEL, self.root / SDIST
        with zipfile.ZipFile(wheel, "w") as archive:
            for name, text in self.wheel.items():
                archive.writestr(name, text)
        with tarfile.open(sdist, "w:gz") as archive:
            for name, text in self.sdist.items():
                info = tarfile.TarInfo(f"demo-1.0.0/{name}")
                info.size = len(text.encode())
                archive.addfile(info, io.BytesIO(text.encode()))
        files = [{"path": "pyproject.toml", "key": "project.version"}]
        parsed = parse_config({"version-files": files, **self.table}, {"name": "demo"})
        return contents.problems([sdist, wheel], parsed, self.version, self.package, private)


@pytest.fixture
def built(tmp_path: Path) -> Built:
    return Built(tmp_path)


def test_files_as_they_should_be_are_left_in_peace(built: Built) -> None:
    assert built.problems(built.root) == []


def test_every_file_of_the_package_must_be_in_the_wheel_but_what_may_be_left_out(built: Built) -> None:
    built.package += ["demo/new.css", "demo/data/.gitkeep", "demo/notes/todo.txt"]
    built.table = {"build": {"left-out": ["demo/notes/*"]}}

    assert built.problems() == [f"{WHEEL} lacks demo/new.css"]


def test_a_namespace_package_is_a_package_and_what_is_beside_it_is_not(built: Built) -> None:
    built.table, built.package = {"package": "acme.demo"}, ["acme/demo/__init__.py"]
    built.wheel = {f"acme/{name}" if INFO not in name else name: text for name, text in built.wheel.items()}
    assert built.problems() == []

    built.wheel |= {"acme/other/x.py": "", "acme/__init__.py": "", "acme/stray.py": "", "demo/x.py": ""}
    assert built.problems() == [
        f"{WHEEL} installs acme/other in addition to acme.demo",
        f"{WHEEL} installs acme/stray.py in addition to acme.demo",
        f"{WHEEL} installs demo in addition to acme.demo",
    ]


@pytest.mark.parametrize(
    "name",
    ["tests/test_demo.py", "test/data.json", "docs/index.md", ".github/workflows/ci.yml", "demo/server.pem", ".env"],
)
def test_what_no_user_needs_is_not_shipped(built: Built, name: str) -> None:
    built.sdist[name] = "x"

    assert built.problems() == [f"{SDIST} contains {name}"]


@pytest.mark.parametrize("name", ["demo/__pycache__/a.pyc", "demo/key.key"])
def test_what_must_not_be_there_is_found_in_the_wheel_too(built: Built, name: str) -> None:
    built.wheel[name] = "x"

    assert f"{WHEEL} contains {name}" in built.problems()


def test_what_is_required_must_be_in_both(built: Built) -> None:
    built.table = {"build": {"require": ["demo/page.html", "demo/*.js"]}}

    assert built.problems() == [f"{SDIST} lacks demo/*.js", f"{WHEEL} lacks demo/*.js"]


def test_what_is_forbidden_is_the_projects_to_say(built: Built) -> None:
    built.table = {"build": {"forbid": ["demo/*.html"]}}

    assert built.problems() == [f"{SDIST} contains demo/page.html", f"{WHEEL} contains demo/page.html"]


@pytest.mark.parametrize("name", ["LICENSE.txt", "License.md", "LICENCE", "COPYING", "licenses/licence.rst"])
def test_a_licence_has_many_names(built: Built, name: str) -> None:
    del built.sdist["LICENSE"]
    assert built.problems() == [f"{SDIST} contains no licence"]

    built.sdist[name] = "Do as you like."
    assert built.problems() == []


def test_nothing_is_installed_beside_the_package(built: Built) -> None:
    built.wheel |= {
        "releaser/__init__.py": "",
        "stray.py": "",
        f"{INFO}/entry_points.txt": "",
        "demo-1.0.0.data/scripts/x": "",
    }

    assert built.problems() == [
        f"{WHEEL} installs releaser in addition to demo",
        f"{WHEEL} installs stray.py in addition to demo",
    ]


@pytest.mark.parametrize(
    ("declared", "version", "problem"),
    [
        ("1.0.0", "1.0.0", None),
        ("1.0.1", "1.0.0", "declares version 1.0.1, not 1.0.0"),
        ("1.0.0rc1", "1.0.0-rc.1", None),
        ("1.0.0-rc.1", "1.0.0-rc.1", "declares version 1.0.0-rc.1, not 1.0.0rc1"),
        ("", "1.0.0", "declares version , not 1.0.0"),
    ],
)
def test_the_wheels_metadata_says_the_version_as_the_index_writes_it(
    built: Built, declared: str, version: str, problem: str | None
) -> None:
    built.version = Version.parse(version)
    built.wheel[f"{INFO}/METADATA"] = f"Name: demo\nVersion: {declared}\n\n"

    assert built.problems() == ([f"{WHEEL} {problem}"] if problem else [])


def test_a_wheel_without_the_package_is_noticed_where_the_source_does_not_show_it(built: Built) -> None:
    built.package = []
    built.wheel = {name: text for name, text in IN_WHEEL.items() if name not in PACKAGE}

    assert built.problems() == [f"{WHEEL} does not contain demo"]
    built.wheel["demo.py"] = ""
    assert built.problems() == []


def test_too_large_is_too_large(built: Built) -> None:
    built.table = {"build": {"max-size-mib": 0.0001}}

    found = built.problems()

    assert [problem.partition(" has ")[0] for problem in found] == [SDIST, WHEEL]
    assert all("(build.max-size-mib)" in problem for problem in found)


def test_no_text_names_a_place_on_this_machine(built: Built) -> None:
    place = built.root / "work"
    built.wheel[f"{INFO}/direct_url.json"] = f'{{"url": "file://{place}"}}'
    built.sdist["src/demo/page.html"] = f"<!-- {place}/x -->"
    built.sdist["src/demo/deep/data.bin"] = f"{place}"

    assert built.problems(place) == [
        f"{SDIST}: src/demo/page.html names {place}",
        f"{WHEEL}: {INFO}/direct_url.json names {place}",
    ]


def test_a_place_that_stands_in_many_texts_by_right_is_not_private(built: Built) -> None:
    built.sdist["README.md"] = "unpack it in /tmp or /"

    assert built.problems(Path("/tmp"), Path("/")) == []


def test_the_users_home_is_private(built: Built, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    built.sdist["README.md"] = "see /home/somebody/notes"

    assert built.problems() == [f"{SDIST}: README.md names /home/somebody"]


@pytest.mark.parametrize("home", ["/root", "/", "/home/ci"])
def test_a_home_like_many_is_not(built: Built, monkeypatch: pytest.MonkeyPatch, home: str) -> None:
    monkeypatch.setenv("HOME", home)
    built.sdist["README.md"] = f"see {home}/notes, {home}"

    assert built.problems() == []
