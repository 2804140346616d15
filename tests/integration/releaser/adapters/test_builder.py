"""Real builds by `python -m build`, of a project that brings its own backend, so that nothing need be fetched."""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
import zipfile
from pathlib import Path

import pytest

from releaser.adapters import builder
from releaser.core.activity import Activity, bound
from releaser.core.files import sha256
from releaser.errors import CommandError, ConflictError, StepError, UsageError

EPOCH = 1_767_225_600
WHEEL = "demo-1.0.0-py3-none-any.whl"

PROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""

# What it is told by its surroundings becomes part of what it builds.
BACKEND = '''\
"""A backend of a few lines."""

import io
import os
import sys
import tarfile
import zipfile

NAME = "demo-1.0.0"
FACTS = f"{os.environ['SOURCE_DATE_EPOCH']} {os.environ.get('SOME_TOKEN')}" if "SOURCE_DATE_EPOCH" in os.environ else ""
METADATA = "Metadata-Version: 2.1\\nName: demo\\nVersion: 1.0.0\\n\\nWhat it is.\\n"


def build_sdist(directory, config_settings=None):
    print("building the sdist")
    with tarfile.open(os.path.join(directory, f"{NAME}.tar.gz"), "w:gz") as archive:
        for name in ("pyproject.toml", "backend.py"):
            archive.add(name, f"{NAME}/{name}")
        info = tarfile.TarInfo(f"{NAME}/PKG-INFO")
        info.size = len(METADATA)
        archive.addfile(info, io.BytesIO(METADATA.encode()))
    return f"{NAME}.tar.gz"


def build_wheel(directory, config_settings=None, metadata_directory=None):
    with zipfile.ZipFile(os.path.join(directory, f"{NAME}-py3-none-any.whl"), "w") as archive:
        archive.writestr("demo/facts", FACTS)
        archive.writestr("demo/from", os.getcwd())
        archive.writestr(f"{NAME}.dist-info/METADATA", METADATA)
    return f"{NAME}-py3-none-any.whl"
'''


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.mkdir()
    (path / "pyproject.toml").write_text(PROJECT)
    (path / "backend.py").write_text(BACKEND)
    return path


@pytest.fixture
def target(tmp_path: Path) -> Path:
    path = tmp_path / "dist"
    path.mkdir()
    return path


def contents(path: Path) -> dict[str, str]:
    return {name: content.decode() for name, content in builder.members(path)}


def test_a_build_makes_one_sdist_and_from_it_one_wheel_and_leaves_the_source_alone(source: Path, target: Path) -> None:
    builder.build(source, target, epoch=EPOCH)

    assert sorted(path.name for path in target.iterdir()) == [WHEEL, "demo-1.0.0.tar.gz"]
    assert not Path(contents(target / WHEEL)["demo/from"]).is_relative_to(source)
    assert sorted(path.name for path in source.iterdir()) == ["backend.py", "pyproject.toml"]


def test_the_backend_is_told_the_time_and_no_token(source: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_TOKEN", "hunter2hunter2")

    builder.build(source, target, epoch=EPOCH)

    assert contents(target / WHEEL)["demo/facts"] == f"{EPOCH} None"


def test_a_wheel_alone_is_built_straight_from_the_tree(source: Path, tmp_path: Path) -> None:
    builder.build_wheel(source, tmp_path / "new" / "dist")

    (wheel,) = (tmp_path / "new" / "dist").iterdir()
    assert contents(wheel)["demo/from"] == str(source)


def test_relative_paths_mean_what_they_say(source: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(source.parent)

    builder.build_wheel(Path("source"), Path("dist"))

    assert [path.name for path in target.iterdir()] == [WHEEL]


@pytest.mark.parametrize("name", ["build.py", "build/__init__.py"])
def test_a_project_may_have_a_build_module_of_its_own(source: Path, target: Path, name: str) -> None:
    (source / name).parent.mkdir(exist_ok=True)
    (source / name).write_text("raise SystemExit('this is the project, not the tool')")

    builder.build(source, target, epoch=EPOCH)

    assert len(list(target.iterdir())) == 2


def test_a_build_that_fails_says_why(source: Path, target: Path) -> None:
    (source / "backend.py").write_text(
        BACKEND.replace('print("building the sdist")', 'raise OSError("no such colour")')
    )

    with pytest.raises(CommandError, match=r"Building the distributions failed(?s:.*)no such colour"):
        builder.build(source, target, epoch=EPOCH)


def test_a_requirement_that_cannot_be_had_is_named_and_everything_is_kept(
    source: Path, target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source / "pyproject.toml").write_text(PROJECT.replace("[]", '["no-such-backend"]', 1))
    (tmp_path / "index" / "no-such-backend").mkdir(parents=True)
    (tmp_path / "index" / "no-such-backend" / "index.html").touch()
    monkeypatch.setenv("PIP_INDEX_URL", (tmp_path / "index").as_uri())

    with pytest.raises(CommandError, match=r"no versions of no-such-backend") as caught:
        builder.build(source, target, epoch=EPOCH, log=tmp_path / "build.log")

    assert "Traceback" not in caught.value.message
    assert str(tmp_path / "build.log") in caught.value.message
    assert "Traceback" in (tmp_path / "build.log").read_text()


def test_a_build_that_makes_more_than_is_released_is_refused(source: Path, target: Path) -> None:
    (target / "demo-0.9.0-py3-none-any.whl").touch()

    with pytest.raises(StepError, match=r"The build produced demo-0\.9\.0-py3-none-any\.whl, demo-1\.0\.0-py3"):
        builder.build(source, target, epoch=EPOCH)


def test_the_same_tree_is_built_into_the_same_bytes_by_a_backend_that_can(source: Path, tmp_path: Path) -> None:
    (source / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "demo"\nversion = "1.0.0"\n'
    )
    (source / "demo").mkdir()
    (source / "demo" / "__init__.py").write_text("")
    hashes = []
    for number in range(2):
        target = tmp_path / f"dist{number}"
        builder.build(source, target, epoch=EPOCH)
        hashes.append({path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in target.iterdir()})
        (source / "demo" / "__init__.py").touch()

    assert hashes[0] == hashes[1]
    assert len(hashes[0]) == 2


# --- with a lock ------------------------------------------------------------------------------------------------------

HATCHLING = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "demo"
version = "1.0.0"
"""
OLD_HATCHLING = (
    "hatchling==1.27.0 --hash=sha256:d3a2f3567c4f926ea39849cdf924c7e99e6686c9c8e288ae1037c8fa2a5d937b"
    " --hash=sha256:971c296d9819abb3811112fc52c7a9751c8d381898f36533bb16f9791e941fd6\n"
)


@pytest.fixture
def locked(source: Path) -> Path:
    """A project whose lock holds an older backend than the index has, and what that one needs."""
    (source / "pyproject.toml").write_text(HATCHLING)
    (source / "demo").mkdir()
    (source / "demo" / "__init__.py").write_text("")
    lines = (Path(__file__).parents[4] / ".github" / "release-requirements.txt").read_text("utf-8").split("\n")
    start = next(number for number, line in enumerate(lines) if line.startswith("hatchling=="))
    end = next(number for number, line in enumerate(lines) if number > start and not line.startswith(" "))
    (source / "lock.txt").write_text("\n".join([*lines[:start], OLD_HATCHLING, *lines[end:]]))
    return source


def test_two_builds_by_a_lock_use_its_backend_and_make_the_same_bytes(locked: Path, tmp_path: Path) -> None:
    hashes = []
    for number in range(2):
        target = tmp_path / f"dist{number}"
        builder.build(locked, target, epoch=EPOCH, lock="lock.txt")
        hashes.append({path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in target.iterdir()})

    assert hashes[0] == hashes[1]
    (wheel,) = (tmp_path / "dist0").glob("*.whl")
    assert "Generator: hatchling 1.27.0" in contents(wheel)["demo-1.0.0.dist-info/WHEEL"]


def test_a_backend_whose_bytes_are_not_the_locked_ones_is_not_run(locked: Path, target: Path) -> None:
    text = (locked / "lock.txt").read_text()
    (locked / "lock.txt").write_text(re.sub("sha256:(d3a2f356|971c296d)", "sha256:00000000", text))

    with pytest.raises(CommandError, match=r"Hash mismatch for `hatchling==1\.27\.0`"):
        builder.build(locked, target, epoch=EPOCH, lock="lock.txt")

    assert list(target.iterdir()) == []


def test_a_backend_that_is_not_in_the_lock_is_named_and_nothing_is_run(locked: Path, target: Path) -> None:
    (locked / "pyproject.toml").write_text(HATCHLING.replace('"hatchling"', '"flit-core"'))

    with pytest.raises(ConflictError, match=r"tools are not locked: flit-core is not in lock\.txt"):
        builder.build(locked, target, epoch=EPOCH, lock="lock.txt")

    assert list(target.iterdir()) == []


ASKING = """

def get_requires_for_build_sdist(config_settings=None):
    return ["tool-in-an-index"]
"""


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An index that pip's settings name, with two versions of a tool."""
    folder = tmp_path / "index" / "tool-in-an-index"
    folder.mkdir(parents=True)
    for version in ("1.0", "2.0"):
        info = f"tool_in_an_index-{version}.dist-info"
        with zipfile.ZipFile(folder / f"tool_in_an_index-{version}-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: tool-in-an-index\nVersion: {version}\n")
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", "")
    names = "".join(f'<a href="{path.name}">{path.name}</a>\n' for path in folder.iterdir())
    (folder / "index.html").write_text(names)
    monkeypatch.setenv("PIP_INDEX_URL", (tmp_path / "index").as_uri())


@pytest.mark.usefixtures("index")
def test_hashes_are_compared_where_pips_settings_name_an_index_too(source: Path, target: Path, tmp_path: Path) -> None:
    (source / "backend.py").write_text(BACKEND + ASKING)
    (source / "lock.txt").write_text(f"tool-in-an-index==1.0 --hash=sha256:{'0' * 64}\n")

    with pytest.raises(CommandError, match=r"Hash mismatch for `tool-in-an-index==1\.0`"):
        builder.build(source, target, epoch=EPOCH, lock="lock.txt")

    (wheel,) = (tmp_path / "index" / "tool-in-an-index").glob("*-1.0-*.whl")
    (source / "lock.txt").write_text(f"tool-in-an-index==1.0 --hash=sha256:{sha256(wheel)}\n")
    builder.build(source, target, epoch=EPOCH, lock="lock.txt")


@pytest.mark.usefixtures("index")
def test_pip_takes_the_locked_version_of_what_a_backend_asks_for_and_says_that_it_compares_no_hash(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_TRUSTED_HOST", "index.example")
    asking = 'print("building the sdist", __import__("importlib.metadata", fromlist=["x"]).version("tool-in-an-index"))'
    (source / "backend.py").write_text(BACKEND.replace('print("building the sdist")', asking) + ASKING)
    (source / "lock.txt").write_text(f"tool-in-an-index==1.0 --hash=sha256:{'0' * 64}\n")

    told: list[str] = []
    with bound(Activity(note=told.append)):
        builder.build(source, target, epoch=EPOCH, lock="lock.txt", log=target.with_name("build.log"))

    assert "building the sdist 1.0" in target.with_name("build.log").read_text()
    (note,) = told
    assert "without comparing hashes: pip's settings say more than uv can be told" in note


@pytest.mark.usefixtures("index")
def test_what_a_backend_asks_for_and_the_lock_does_not_hold_is_named(source: Path, target: Path) -> None:
    (source / "backend.py").write_text(BACKEND + ASKING)
    (source / "lock.txt").write_text(f"hatchling==1.0 --hash=sha256:{'0' * 64}\n")

    with pytest.raises(ConflictError, match=r"tool-in-an-index is not in lock\.txt"):
        builder.build(source, target, epoch=EPOCH, lock="lock.txt")


# --- looking into what was built --------------------------------------------------------------------------------------


def test_members_are_files_alone_and_an_sdists_without_its_top_directory(tmp_path: Path) -> None:
    wheel, sdist = tmp_path / "demo-1-py3-none-any.whl", tmp_path / "demo-1.tar.gz"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("demo/", "")
        archive.writestr("demo/__init__.py", "one")
        archive.writestr("demo/data.bin", b"\0\xff")
    with tarfile.open(sdist, "w:gz") as archive:
        for name, kind, content in (
            ("demo-1", tarfile.DIRTYPE, b""),
            ("demo-1/src/demo.py", tarfile.REGTYPE, b"one"),
            ("demo-1/link", tarfile.SYMTYPE, b""),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.size, info.linkname = kind, len(content), "src/demo.py"
            archive.addfile(info, io.BytesIO(content))

    assert dict(builder.members(wheel)) == {"demo/__init__.py": b"one", "demo/data.bin": b"\0\xff"}
    assert dict(builder.members(sdist)) == {"src/demo.py": b"one", "link": b"one"}


def test_a_wheels_metadata_are_its_headers(source: Path, target: Path) -> None:
    builder.build_wheel(source, target)
    (wheel,) = target.iterdir()

    assert builder.wheel_metadata(wheel) == {"Metadata-Version": "2.1", "Name": "demo", "Version": "1.0.0"}


def test_a_wheel_without_metadata_is_none(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.whl", "w"):
        pass

    with pytest.raises(StepError, match=r"x\.whl contains no METADATA"):
        builder.wheel_metadata(tmp_path / "x.whl")


@pytest.mark.parametrize(
    ("extra", "complaint"),
    [
        ("Description-Content-Type: text/markdown\n\nWhat it is.\n", None),
        ("\n", "`long_description` missing"),
        ("Description-Content-Type: text/x-rst\n\nBroken `link <\n=\n", "syntax errors in markup"),
    ],
    ids=["right", "no description", "broken description"],
)
def test_what_the_index_would_refuse_or_not_render_is_refused_here(
    tmp_path: Path, extra: str, complaint: str | None
) -> None:
    wheel = tmp_path / WHEEL
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("demo-1.0.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: demo\nVersion: 1.0.0\n{extra}")

    if complaint is None:
        builder.check_metadata([wheel])
    else:
        with pytest.raises(CommandError, match=f"twine check failed(?s:.*){complaint}"):
            builder.check_metadata([wheel])


@pytest.mark.parametrize("table", ["build-system = 1", "build-system = { requires = 'hatchling' }"])
def test_a_build_system_that_is_no_table_with_a_list_is_refused(tmp_path: Path, table: str) -> None:
    (tmp_path / "pyproject.toml").write_text(table)
    with pytest.raises(UsageError, match="without a list of what it requires"):
        builder.build_system(tmp_path)
