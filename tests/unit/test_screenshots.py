"""The pictures of the page in README and docs are those that `nox -s screenshots` takes."""

from __future__ import annotations

import re
import runpy
import struct
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+\.(?:png|jpe?g|webp|gif))\)")
MOST_KB = 400
SCRIPT = runpy.run_path(str(ROOT / "scripts" / "take_screenshots.py"))


def shown() -> dict[Path, str]:
    """The pictures that pages show, and their descriptions."""
    return {
        (page.parent / path).resolve(): words
        for page in PAGES
        for words, path in IMAGE.findall(page.read_text("utf-8"))
    }


def test_every_picture_that_a_page_shows_is_taken_and_every_one_taken_is_shown():
    assert {path.relative_to(SCRIPT["IMAGES"]).as_posix() for path in shown()} == set(SCRIPT["PICTURES"])
    assert all(len(words.split()) >= 3 for words in shown().values())


@pytest.mark.parametrize("name", SCRIPT["PICTURES"])
def test_a_picture_has_the_size_that_it_is_taken_in_and_is_small(name):
    picture = (SCRIPT["IMAGES"] / name).read_bytes()
    shot = SCRIPT["PICTURES"][name]
    width, height, depth, kind = struct.unpack(">IIBB", picture[16:26])
    assert (width, height) == (shot.width * shot.scale, shot.height * shot.scale)
    assert (depth, kind) == (8, 3), "run `nox -s screenshots`: it is stored without a palette"
    assert len(picture) <= MOST_KB * 1000


def test_no_picture_lies_there_that_none_takes():
    assert {path.name for path in SCRIPT["IMAGES"].glob("*.png")} == set(SCRIPT["PICTURES"])
