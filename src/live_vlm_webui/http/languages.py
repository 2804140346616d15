"""The page in each language: texts filled in by the server, so that none is missing or wrong at the first paint."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Mapping
from html import escape
from typing import Any

from live_vlm_webui.http.assets import Asset, make_asset

OTHERWISE = "en"
"""The language of browsers that want none of ours."""
COOKIE = "language"
FOLDER = "words/"
MOST_WISHES = 20
"""How many languages of a request are looked at."""

TAG = re.compile(r"<[a-z][^<>]*\bdata-say[^<>]*>")
IN_TAG = re.compile(r'\bdata-say(?:-([a-z-]+))?="([^"]+)"')
IMPORT = re.compile(r'^(?:import|export) [^;]*?from "(\.[^"]+)";', re.MULTILINE)

STYLESHEET = re.compile(r'<link rel="stylesheet" href="static/([^"]+)">')
STYLESHEETS = re.compile(rf"(?:{STYLESHEET.pattern}\s*)+")
ALL_STYLES = "css/all.css"
"""All sheets that the page names, in its order."""


def with_all_styles(assets: Mapping[str, Asset]) -> dict[str, Asset]:
    """Add ``ALL_STYLES`` to the page's files."""
    named = STYLESHEET.findall(assets["index.html"].body.decode())
    return {**assets, ALL_STYLES: make_asset("all.css", b"".join(assets[path].body for path in named))}


def load_pages(assets: Mapping[str, Asset]) -> dict[str, Asset]:
    """Return the page in each language that ``static/words`` has, by language."""
    texts = {
        path.removeprefix(FOLDER).removesuffix(".json"): json.loads(asset.body)
        for path, asset in assets.items()
        if path.startswith(FOLDER)
    }
    names = {language: words["page"]["language.name"] for language, words in sorted(texts.items())}
    # Else a browser learns of a module only when it has the one that imports it: four rounds instead of one.
    early = "".join(f'<link rel="modulepreload" href="static/{path}" fetchpriority="low">' for path in imported(assets))
    template = assets["index.html"].body.decode().replace("</head>", f"{early}</head>", 1)
    # Nothing is painted before all sheets are there.
    template = STYLESHEETS.sub(f'<link rel="stylesheet" href="static/{ALL_STYLES}">', template, count=1)
    return {
        language: make_asset("index.html", rendered(template, words["page"], language, names).encode())
        for language, words in texts.items()
    }


def imported(assets: Mapping[str, Asset], first: str = "app.js") -> list[str]:
    """Return the paths of all modules that ``first`` imports, directly or not, without those loaded when needed."""
    found = [first]
    for path in found:
        for name in IMPORT.findall(assets[path].body.decode()):
            wanted = posixpath.normpath(posixpath.join(posixpath.dirname(path), name))
            if wanted not in found:
                found.append(wanted)
    return found[1:]


def rendered(template: str, words: Mapping[str, Any], language: str, names: Mapping[str, str]) -> str:
    """Return the page with its texts, its language, the choice of languages, and all texts for its scripts."""

    def fill(tag: re.Match[str]) -> str:
        named = IN_TAG.findall(tag[0])
        attributes = "".join(f' {name}="{escape(words[key])}"' for name, key in named if name)
        content = "".join(escape(words[key], quote=False) for name, key in named if not name)
        return f"{tag[0][:-1]}{attributes}>{content}"

    options = "".join(
        f'<option value="{code}" lang="{code}"{" selected" * (code == language)}>{escape(name)}</option>'
        for code, name in names.items()
    )
    # "<" could end the script element
    table = json.dumps(words, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    page = TAG.sub(fill, template)
    page = page.replace('<html lang="">', f'<html lang="{language}">', 1)
    page = page.replace('<select id="language"></select>', f'<select id="language">{options}</select>', 1)
    return page.replace('type="application/json"></script>', f'type="application/json">{table}</script>', 1)


def chosen(cookie: str | None, accepted: str, known: Mapping[str, object]) -> str:
    """Return the language to send.

    Args:
        cookie: The language that the user has chosen in the page, if any.
        accepted: The header ``Accept-Language``, such as ``de-AT,de;q=0.9,en;q=0.5``.
        known: The languages that there are.
    """
    if cookie in known:
        return str(cookie)
    wishes: list[tuple[float, str]] = []
    for wish in accepted.split(",")[:MOST_WISHES]:
        name, _, weight = wish.partition(";")
        found = re.fullmatch(r"\s*q=([01](?:\.\d{0,3})?)\s*", weight)
        wishes.append((float(found[1]) if found else 1.0, name.strip().lower().partition("-")[0]))
    for wanted, name in sorted(wishes, key=lambda wish: -wish[0]):
        if wanted and name in known:
            return name
    return OTHERWISE
