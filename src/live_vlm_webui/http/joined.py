"""The page's modules in one file and its style sheets in another, put together once at start.

A browser would otherwise fetch thirty files before the page works, and learn of some only from others. The files of the
package stay plain modules and sheets.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

from live_vlm_webui.http.assets import Asset, compact, make_asset

FIRST = "app.js"
"""The module that the page names; it imports all others, directly or not, except those that are loaded when needed."""
ALL_MODULES = "all.js"
"""``FIRST`` and what it imports."""

IMPORT = re.compile(r'^import (\{[^;{}]*\}) from "(\.[^"]+)";', re.MULTILINE)
LATER = re.compile(r'\bimport\("(\.[^"]+)"\)')
"""A module that is loaded when it is needed."""
EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const)\*? (\w+))", re.MULTILINE)
OTHER = re.compile(r"^(?:import|export)\b[^(].*$", re.MULTILINE)
STYLESHEET = re.compile(r'<link rel="stylesheet" href="static/([^"]+)">\s*')


def with_all_modules(assets: Mapping[str, Asset]) -> dict[str, Asset]:
    """Add ``ALL_MODULES``; modules that are loaded later take from it what it has, instead of loading that twice."""
    scripts = {path: asset.body.decode() for path, asset in assets.items() if path.endswith(".js")}
    order = needed(scripts)
    parts = [_as_function(path, scripts[path]) for path in order]
    names = ", ".join(_name(path) for path in order)
    whole = "".join(parts) + f"export {{ {names} }};\n"
    later = {
        path: make_asset(path, _taking_from_all(path, text, set(order)).encode())
        for path, text in scripts.items()
        if path not in order and IMPORT.search(text)
    }
    return {**assets, **later, ALL_MODULES: make_asset(ALL_MODULES, whole.encode())}


def needed(scripts: Mapping[str, str], first: str = FIRST) -> list[str]:
    """Return ``first`` and all modules that it imports, directly or not, each after those that it imports itself.

    Raises:
        ValueError: Modules import each other in a circle.
    """
    order: list[str] = []
    entered: list[str] = []

    def enter(path: str) -> None:
        if path in order:
            return
        if path in entered:
            raise ValueError(f"modules import each other in a circle: {' -> '.join([*entered, path])}")
        entered.append(path)
        for _, wanted in IMPORT.findall(scripts[path]):
            enter(_at(path, wanted))
        entered.remove(path)
        order.append(path)

    enter(first)
    return order


def all_styles(assets: Mapping[str, Asset], page: str) -> str:
    """Return all sheets that the page names, in its order."""
    return "".join(assets[path].body.decode() for path in STYLESHEET.findall(page))


def _as_function(path: str, text: str) -> str:
    """Return a module as a constant: a function's result, which has what the module exports.

    Raises:
        ValueError: The module imports or exports in a way that is not known here.
    """
    text = IMPORT.sub(lambda found: f"const {found[1].replace(' as ', ': ')} = {_name(_at(path, found[2]))};", text)
    text = LATER.sub(lambda found: f'import("./{_at(path, found[1])}")', text)
    exported = EXPORT.findall(text)
    text = EXPORT.sub("", text)
    if unknown := OTHER.search(text):
        raise ValueError(f"{path} has a line that cannot be joined: {unknown[0]}")
    if not any(line.count("`") % 2 for line in text.splitlines()):  # in a text of several lines, indentation counts
        text = compact(text)
    return f"const {_name(path)} = (() => {{\n{text.strip()}\nreturn {{ {', '.join(exported)} }};\n}})();\n"


def _taking_from_all(path: str, text: str, held: set[str]) -> str:
    """Return a module that takes from ``ALL_MODULES`` what that holds."""
    whole = posixpath.relpath(ALL_MODULES, posixpath.dirname(path) or ".")
    if not whole.startswith("."):
        whole = f"./{whole}"

    def taken(found: re.Match[str]) -> str:
        wanted = _at(path, found[2])
        if wanted not in held:
            return found[0]
        name = _name(wanted)
        return f'import {{ {name} }} from "{whole}"; const {found[1].replace(" as ", ": ")} = {name};'

    return IMPORT.sub(taken, text)


def _at(path: str, wanted: str) -> str:
    """Return the path below ``static/`` of what ``path`` calls ``wanted``."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), wanted))


def _name(path: str) -> str:
    """Return the name of a module's constant."""
    return "$" + re.sub(r"\W", "_", path.removesuffix(".js"))
