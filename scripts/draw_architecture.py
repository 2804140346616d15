#!/usr/bin/env python3
"""Draw docs/images/architecture.svg: the folders of both programs, and which imports which.

The picture is computed from the imports in src: a folder stands above everything that it imports, and an arrow that
follows from others is left out. `python scripts/draw_architecture.py` writes it; tests/unit/test_architecture.py fails
if it is out of date. Needs grimp, which import-linter brings along.
"""

from __future__ import annotations

import ast
import sys
import textwrap
from collections import defaultdict
from dataclasses import dataclass
from html import escape
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "images" / "architecture.svg"
PROGRAMS = ("releaser", "live_vlm_webui")

WIDTH, HEIGHT = 190, 58  # of a box, in pixels
GAP_X, GAP_Y = 18, 34
MARGIN, TITLE = 24, 46
BETWEEN = 60  # the two programs
STYLE = """
text { font-family: -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2933 }
.title { font-size: 20px; font-weight: 700 }
.name { font-size: 13px; font-weight: 600 }
.what { font-size: 9.5px; fill: #52606d }
.folder { fill: #e8f1fb; stroke: #3b7dbd } .module { fill: #fbf6e8; stroke: #b08d2f }
.arrow { fill: none; stroke: #9aa5b1; stroke-width: 1.2; marker-end: url(#head) }
"""


@dataclass(frozen=True)
class Room:
    """A folder or a module directly below a program's package.

    Attributes:
        name: Its name below the package.
        what: The first sentence of its docstring.
        is_folder: Whether it is a folder.
    """

    name: str
    what: str
    is_folder: bool


def rooms_of(package: str) -> dict[str, Room]:
    """Return the rooms of a package by name, `__main__` left out."""
    found = {}
    for path in sorted((ROOT / "src" / package).iterdir()):
        source = path / "__init__.py" if path.is_dir() else path
        name = path.name.removesuffix(".py")
        if source.suffix != ".py" or not source.exists() or name.startswith("__"):
            continue
        first = (ast.get_docstring(ast.parse(source.read_text("utf-8"))) or "").split("\n\n")[0]
        sentence = " ".join(first.split()).split(". ")[0].rstrip(".").replace("`", "")
        found[name] = Room(name, sentence, path.is_dir())
    return found


def imports_of(package: str, names: list[str]) -> dict[str, set[str]]:
    """Return for each room the rooms that it imports."""
    graph = grimp.build_graph(package, cache_dir=None)
    full = {name: f"{package}.{name}" for name in names}
    return {
        one: {
            other
            for other in names
            if other != one and graph.direct_import_exists(importer=full[one], imported=full[other], as_packages=True)
        }
        for one in names
    }


def floors_of(imports: dict[str, set[str]]) -> dict[str, int]:
    """Return each room's floor: one above the highest that it imports.

    Raises:
        ValueError: Rooms import each other in a circle.
    """
    floors: dict[str, int] = {}
    while len(floors) < len(imports):
        ready = [name for name in imports if name not in floors and imports[name] <= floors.keys()]
        if not ready:
            raise ValueError(f"Imports run in a circle among {sorted(imports.keys() - floors.keys())}")
        floors.update({name: 1 + max((floors[other] for other in imports[name]), default=-1) for name in ready})
    return floors


def without_implied(imports: dict[str, set[str]]) -> dict[str, set[str]]:
    """Return the arrows that do not follow from others (the transitive reduction)."""

    def reach(name: str) -> set[str]:
        return set().union(*({other} | reach(other) for other in imports[name]))

    return {
        name: {one for one in below if not any(one in reach(other) for other in below - {one})}
        for name, below in imports.items()
    }


def drawn(package: str, left: float) -> tuple[list[str], float, float]:
    """Return the SVG elements of one program whose left edge is at `left`, and its width and height in pixels."""
    rooms = rooms_of(package)
    imports = imports_of(package, list(rooms))
    floors = floors_of(imports)
    arrows = without_implied(imports)
    rows: defaultdict[int, list[str]] = defaultdict(list)
    for name, floor in floors.items():
        rows[floor].append(name)
    top = max(rows)
    wide = max(len(row) for row in rows.values())
    width = wide * (WIDTH + GAP_X) - GAP_X
    place: dict[str, tuple[float, float]] = {}
    for floor in range(top, -1, -1):
        above = {name: [place[one][0] for one in arrows if name in arrows[one]] for name in rows[floor]}
        middle = left + (width - WIDTH) / 2
        row = sorted(
            rows[floor], key=lambda name: (sum(above[name]) / len(above[name]) if above[name] else middle, name)
        )
        start = left + (width - len(row) * (WIDTH + GAP_X) + GAP_X) / 2
        y = MARGIN + TITLE + (top - floor) * (HEIGHT + GAP_Y)
        place.update({name: (start + number * (WIDTH + GAP_X), y) for number, name in enumerate(row)})
    elements = [f'<text class="title" x="{left}" y="{MARGIN + 16}">src/{package}</text>']
    for name, below in sorted(arrows.items()):
        x, y = place[name]
        for other in sorted(below):
            to_x, to_y = place[other]
            x1, y1, x2, y2 = x + WIDTH / 2, y + HEIGHT, to_x + WIDTH / 2, to_y - 5
            bend = max(24.0, (y2 - y1) / 2)
            elements.append(f'<path class="arrow" d="M{x1} {y1} C{x1} {y1 + bend} {x2} {y2 - bend} {x2} {y2}"/>')
    for name, (x, y) in sorted(place.items()):
        room = rooms[name]
        kind = "folder" if room.is_folder else "module"
        elements.append(f'<rect class="{kind}" x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="6"/>')
        shown = f"{name}/" if room.is_folder else f"{name}.py"
        elements.append(f'<text class="name" x="{x + 10}" y="{y + 18}">{escape(shown)}</text>')
        for number, line in enumerate(textwrap.wrap(room.what, 34, max_lines=3, placeholder=" …")):
            elements.append(f'<text class="what" x="{x + 10}" y="{y + 31 + number * 11}">{escape(line)}</text>')
    return elements, width, MARGIN + TITLE + (top + 1) * (HEIGHT + GAP_Y) - GAP_Y + MARGIN


def picture() -> str:
    """Return the whole picture as SVG."""
    elements: list[str] = []
    left, height = float(MARGIN), 0.0
    for package in PROGRAMS:
        own, width, own_height = drawn(package, left)
        elements += own
        left += width + BETWEEN
        height = max(height, own_height)
    width = left - BETWEEN + MARGIN
    head = (
        '<marker id="head" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 L8 4 L0 8 z" fill="#9aa5b1"/></marker>'
    )
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
            f'viewBox="0 0 {width:.0f} {height:.0f}" role="img">',
            "<title>The folders of both programs: each imports only what is below it</title>",
            f"<style>{STYLE}</style>",
            f"<defs>{head}</defs>",
            '<rect width="100%" height="100%" fill="#ffffff"/>',
            *elements,
            "</svg>\n",
        ]
    )


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "src"))
    PICTURE.write_text(picture(), "utf-8")
    sys.stdout.write(f"Wrote {PICTURE.relative_to(ROOT)}\n")
