"""Built files are compared with the commit's blobs."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from releaser.adapters.git.entries import LINK, Entry, blob_id
from releaser.dists.origins import Origins, Sources, compare

FILES = {
    "pyproject.toml": "[project]\n",
    "LICENSE": "Do as you like.\n",
    "src/acme/demo/__init__.py": "VERSION = 1\n",
    "src/acme/demo/page.html": "<p>\n",
    "bin/run": "#!/usr/bin/env python3\nprint()\n",
}
LINKS = {"docs/licence": "../LICENSE", "shared": "src/acme", "round": "round"}
STEM, INFO = "demo-1.0.0", "demo-1.0.0.dist-info"
IN_WHEEL = {
    "acme/demo/__init__.py": FILES["src/acme/demo/__init__.py"],
    "acme/demo/page.html": FILES["src/acme/demo/page.html"],
    f"{STEM}.data/scripts/run": "#!python\nprint()\n",
    f"{INFO}/METADATA": "Name: demo\n",
    f"{INFO}/licenses/LICENSE": FILES["LICENSE"],
}
IN_SDIST = {**{name: text for name, text in FILES.items() if name != "bin/run"}, "PKG-INFO": "Name: demo\n"}


class Built:
    """A commit, and what is said to be built from it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.sdist, self.wheel, self.links = dict(IN_SDIST), dict(IN_WHEEL), dict[str, str]()
        self.files = {name: Entry("100644", blob_id(text.encode())) for name, text in FILES.items()}
        self.files |= {name: Entry(LINK, blob_id(to.encode()), content=to.encode()) for name, to in LINKS.items()}

    def compared(self, *generated: str) -> Origins:
        sdist, wheel = self.root / f"{STEM}.tar.gz", self.root / f"{STEM}-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            for name, text in self.wheel.items():
                archive.writestr(name, text)
        with tarfile.open(sdist, "w:gz") as archive:
            for name, text in self.sdist.items():
                info = tarfile.TarInfo(f"{STEM}/{name}")
                info.size = len(text.encode())
                archive.addfile(info, io.BytesIO(text.encode()))
            for name, target in self.links.items():
                info = tarfile.TarInfo(f"{STEM}/{name}")
                info.type, info.linkname = tarfile.SYMTYPE, target
                archive.addfile(info)
        return compare([sdist, wheel], Sources(self.files), generated)


@pytest.fixture
def built(tmp_path: Path) -> Built:
    return Built(tmp_path)


def test_files_of_the_commit_are_counted_and_what_the_backend_makes_is_named_once(built: Built) -> None:
    found = built.compared()

    assert found.wrong == []
    assert found.described() == f"8 files have exactly the content of the source's; made by the build: PKG-INFO, {INFO}"


@pytest.mark.parametrize("name", ["src/acme/demo/__init__.py", "pyproject.toml"])
def test_other_line_ends_in_the_sdist_are_another_file(built: Built, name: str) -> None:
    built.sdist[name] = FILES[name].replace("\n", "\r\n")

    assert built.compared().wrong == [f"{STEM}.tar.gz: {name} differs from the source's"]


@pytest.mark.parametrize("name", ["acme/demo/page.html", f"{STEM}.data/scripts/run", f"{INFO}/licenses/LICENSE"])
def test_other_line_ends_in_the_wheel_are_another_file(built: Built, name: str) -> None:
    built.wheel[name] = built.wheel[name].replace("\n", "\r\n")

    (wrong,) = built.compared().wrong
    assert wrong.startswith(f"{STEM}-py3-none-any.whl: {name} differs from")


def test_what_is_in_no_commit_is_refused_until_the_project_says_that_it_is_made(built: Built) -> None:
    built.sdist["src/acme/demo/_version.py"] = built.wheel["acme/demo/_version.py"] = "VERSION = 2\n"

    assert built.compared().wrong == [
        f"{STEM}.tar.gz: src/acme/demo/_version.py is not a file of the source",
        f"{STEM}-py3-none-any.whl: acme/demo/_version.py is not a file of the source",
    ]
    found = built.compared("*acme/demo/_version.py")
    assert (found.wrong, found.made[-1]) == ([], "acme/demo/_version.py")


def test_what_a_backend_makes_of_setuptools_and_of_c_is_known(built: Built) -> None:
    built.sdist |= {"setup.cfg": "[egg_info]\n", "src/demo.egg-info/PKG-INFO": "Name: demo\n"}
    built.wheel |= {"acme/demo/fast.cpython-312-x86_64-linux-gnu.so": "\0"}

    assert built.compared().wrong == []


def test_a_compiled_file_that_is_committed_is_compared(built: Built) -> None:
    built.files["src/acme/demo/fast.so"] = Entry("100644", blob_id(b"\0"))
    built.wheel["acme/demo/fast.so"] = "another"

    assert built.compared().wrong == [f"{STEM}-py3-none-any.whl: acme/demo/fast.so differs from src/acme/demo/fast.so"]


def test_lfs_content_is_what_its_pointer_names(built: Built) -> None:
    digest = hashlib.sha256(b"a model").hexdigest()
    built.files["src/acme/demo/a.onnx"] = Entry("100644", blob_id(b"version https://git-lfs"), lfs=digest)
    built.wheel["acme/demo/a.onnx"] = "a model"
    assert built.compared().wrong == []

    built.wheel["acme/demo/a.onnx"] = built.sdist["src/acme/demo/a.onnx"] = "version https://git-lfs"
    assert [wrong.partition(" differs")[0] for wrong in built.compared().wrong] == [
        f"{STEM}.tar.gz: src/acme/demo/a.onnx"
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("\0GITCRYPT\0abc", "is encrypted in the commit (git-crypt)"),
        (
            f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 1\n",
            "is a Git LFS pointer, not",
        ),
    ],
)
def test_what_only_stands_for_a_file_is_refused_though_it_is_committed(built: Built, text: str, reason: str) -> None:
    built.files["src/acme/demo/data"] = Entry("100644", blob_id(text.encode()))
    built.wheel["acme/demo/data"] = text

    (wrong,) = built.compared().wrong
    assert f"acme/demo/data {reason}" in wrong


def test_a_pyproject_that_says_the_same_in_another_form_is_the_same(built: Built) -> None:
    built.files["pyproject.toml"] = Entry("100644", "0" * 40, content=b"[project]\nname='demo'  # the name\n")
    built.sdist["pyproject.toml"] = '[project]\nname = "demo"\n'
    assert built.compared().wrong == []

    for other in ('[project]\nname = "other"\n', "[project\n"):
        built.sdist["pyproject.toml"] = other
        assert built.compared().wrong == [f"{STEM}.tar.gz: pyproject.toml differs from the source's"]


def test_a_link_of_the_commit_may_be_packed_as_what_it_leads_to(built: Built) -> None:
    built.sdist |= {"docs/licence": FILES["LICENSE"], "shared/demo/page.html": FILES["src/acme/demo/page.html"]}
    assert built.compared().wrong == []

    built.sdist |= {"docs/licence": "other", "round": "x"}
    assert built.compared().wrong == [
        f"{STEM}.tar.gz: docs/licence differs from the source's",
        f"{STEM}.tar.gz: round is not a file of the source",
    ]


def test_a_link_that_leads_to_nothing_in_the_sdist_is_the_commits_or_refused(built: Built) -> None:
    built.links = {"docs/licence": "../LICENSE", "docs/again": "licence", "shared": "src/acme"}
    built.files["docs/again"] = built.files["docs/licence"]
    assert built.compared().wrong == []

    built.links = {"docs/demo.svg": "../demo.svg", "round": "round"}
    found = built.compared()
    assert found.wrong == [f"{STEM}.tar.gz: docs/demo.svg (a symbolic link to ../demo.svg, which is not in the sdist)"]
    assert "packed as committed: round (a symbolic link to round, which is not in the sdist)" in found.described()


def test_a_package_is_found_in_src_and_at_the_top(built: Built) -> None:
    expected = ["acme/demo/__init__.py", "acme/demo/page.html"]
    assert Sources(built.files).within("acme.demo") == expected

    moved = {name.removeprefix("src/"): entry for name, entry in built.files.items()}
    assert Sources(moved).within("acme.demo") == expected
    assert Sources(moved).within("demo") == []
