"""The lock: which versions of the tools that build and publish are trusted, and whether it holds all of them."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from releaser.adapters.installers.lock import Lock
from releaser.errors import ConflictError, UsageError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[5]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
ONE, TWO = "1" * 64, "2" * 64
TEXT = f"""\
# made by a command
hatchling==1.33.0 \\
    --hash=sha256:{ONE} \\
    --hash=sha256:{TWO}
    # via nothing
filelock==4.1.0 ; python_full_version < '3.11' \\
    --hash=sha256:{ONE}
filelock==4.3.1 ; python_full_version >= '3.11' \\
    --hash=sha256:{TWO}
readme-renderer[md]==46.0 \\
    --hash=sha256:{ONE}
"""


@pytest.fixture
def lock(tmp_path: Path) -> Lock:
    (tmp_path / "lock.txt").write_text(TEXT)
    return Lock.read(tmp_path, "lock.txt")


def test_what_it_meets_needs_no_word(lock: Lock) -> None:
    assert lock.unmet(["hatchling>=1.27", "Readme_Renderer[md]>=44", "colorama; sys_platform == 'win32'"]) == []


@pytest.mark.parametrize(
    ("requirement", "sentence"),
    [
        ("flit-core>=3", "flit-core>=3 is not in lock.txt"),
        ("hatchling>=2", "hatchling>=2 is required, and lock.txt has 1.33.0"),
        ("hatchling[more]", "hatchling[more] is required, and lock.txt has it without more"),
        ("hatchling three", "'hatchling three' is no requirement"),
    ],
)
def test_what_it_does_not_meet_is_named(lock: Lock, requirement: str, sentence: str) -> None:
    assert lock.unmet([requirement]) == [sentence]
    with pytest.raises(ConflictError, match=re.escape(sentence)):
        lock.must_meet([requirement])


def test_each_python_is_asked_for_itself(lock: Lock) -> None:
    assert lock.unmet(["filelock>=4.2"], {"python_full_version": "3.12.1"}) == []
    assert lock.unmet(["filelock>=4.2"], {"python_full_version": "3.10.4"}) == [
        "filelock>=4.2 is required, and lock.txt has 4.1.0"
    ]


def test_constraints_keep_markers_and_have_no_extras(lock: Lock) -> None:
    assert lock.constraints(hashes=False).splitlines() == [
        "hatchling==1.33.0",
        'filelock==4.1.0 ; python_full_version < "3.11"',
        'filelock==4.3.1 ; python_full_version >= "3.11"',
        "readme-renderer==46.0",
    ]
    assert lock.constraints(hashes=True).splitlines()[0] == (
        f"hatchling==1.33.0 --hash=sha256:{ONE} --hash=sha256:{TWO}"
    )


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("hatchling==1.33.0", "'hatchling==1.33.0' has no hash"),
        (f"hatchling>=1.33 --hash=sha256:{ONE}", "'hatchling>=1.33' does not name one version"),
        (f"hatchling==1.* --hash=sha256:{ONE}", "'hatchling==1.*' does not name one version"),
        (f"hatchling @ file:///x.whl --hash=sha256:{ONE}", "'hatchling @ file:///x.whl' does not name one version"),
        ("--extra-index-url x", "'--extra-index-url x' is no requirement"),
    ],
)
def test_a_line_that_pins_nothing_is_refused(tmp_path: Path, line: str, why: str) -> None:
    (tmp_path / "lock.txt").write_text(f"{line}\n")
    with pytest.raises(UsageError, match=re.escape(f"lock.txt: {why}")):
        Lock.read(tmp_path, "lock.txt")


def test_a_missing_one_is_named_with_the_key_that_asks_for_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"lock\.txt, which \[tool\.releaser\.build\] names as lock, cannot be read"):
        Lock.read(tmp_path, "lock.txt")


PARTS = ("github", "images", "publish")


def needed_by(group: str) -> list[str]:
    """The requirements of a dependency group, with those of the groups that it includes."""
    found: list[str] = []
    for one in PYPROJECT["dependency-groups"][group]:
        found += needed_by(one["include-group"]) if isinstance(one, dict) else [one]
    return found


@pytest.mark.parametrize("system", ["linux", "darwin"])
@pytest.mark.parametrize("python", re.findall(r"(3\.\d+)\"", '"'.join(PYPROJECT["project"]["classifiers"]) + '"'))
def test_this_projects_lock_is_not_stale(python: str, system: str) -> None:
    """If it is: `nox -s lock`, and commit what that writes."""
    needed = [*PYPROJECT["build-system"]["requires"], *PYPROJECT["project"]["optional-dependencies"]["dev"]]
    lock = Lock.read(ROOT, PYPROJECT["tool"]["releaser"]["build"]["lock"])

    machine = {"python_version": python, "python_full_version": f"{python}.2", "sys_platform": system}
    assert lock.unmet(needed, machine) == []
    for part in PARTS:
        wanted = [*PYPROJECT["build-system"]["requires"], *needed_by(part)]
        assert Lock.read(ROOT, f".github/{part}-requirements.txt").unmet(wanted, machine) == []


@pytest.mark.parametrize("part", PARTS)
def test_a_part_of_the_lock_has_the_versions_and_hashes_of_the_whole(part: str) -> None:
    whole = Lock.read(ROOT, PYPROJECT["tool"]["releaser"]["build"]["lock"])
    pins = {(pin.name, pin.version): set(pin.hashes) for pin in whole.pins}
    found = Lock.read(ROOT, f".github/{part}-requirements.txt").pins

    assert {(pin.name, pin.version): set(pin.hashes) for pin in found}.items() <= pins.items()
    assert len(found) < len(whole.pins)


@pytest.mark.parametrize("name", ["release", *PARTS])
def test_this_projects_lock_has_no_address_and_no_path_of_the_machine_that_made_it(name: str) -> None:
    text = (ROOT / ".github" / f"{name}-requirements.txt").read_text("utf-8")
    assert not re.search(r"://|/(tmp|home|root|work|Users)\b|--(extra-)?index|--find-links", text)
