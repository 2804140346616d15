"""The page in each language: texts filled in by the server, so that none is missing or wrong at the first paint."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from live_vlm_webui.http.assets import Asset, compact, make_asset
from live_vlm_webui.http.joined import ALL_MODULES, FIRST, STYLESHEET, all_styles

OTHERWISE = "en"
"""The language of browsers that want none of ours."""
COOKIE = "language"
THEME_COOKIE = "theme"
FOLDER = "words/"
MOST_WISHES = 20
"""How many languages of a request are looked at."""

TAG = re.compile(r"<[a-z][^<>]*\bdata-say[^<>]*>")
IN_TAG = re.compile(r'\bdata-say(?:-([a-z-]+))?="([^"]+)"')
THEMES = ("", "light", "dark")
"""What can be chosen in the page; the first is the system's."""


@dataclass(frozen=True)
class Pages:
    """The page as it is sent: whole, with its texts and styles, so that one response is all that the first paint needs.

    Attributes:
        documents: The page by language, then by theme.
        style_hash: What a content security policy must allow for its style sheet.
    """

    documents: Mapping[str, Mapping[str, Asset]]
    style_hash: str

    def get(self, language: str, theme: str) -> Asset:
        """Return the page in ``language``, and in ``theme`` if there is such a theme."""
        themes = self.documents[language]
        return themes.get(theme, themes[THEMES[0]])


def load_pages(assets: Mapping[str, Asset]) -> Pages:
    """Return the page in each language that ``static/words`` has, and in each theme."""
    texts = {
        path.removeprefix(FOLDER).removesuffix(".json"): json.loads(asset.body)
        for path, asset in assets.items()
        if path.startswith(FOLDER)
    }
    names = {language: words["page"]["language.name"] for language, words in sorted(texts.items())}
    template = assets["index.html"].body.decode()
    styles = compact(all_styles(assets, template))
    # Before the texts: these compress to little where the document repeats them, if both are within 32 KB.
    sheet = f"<style>{styles}</style>"
    template = STYLESHEET.sub("", STYLESHEET.sub(lambda _: sheet, compact(template), count=1))
    template = template.replace(f"static/{FIRST}", f"static/{ALL_MODULES}", 1)
    documents = {
        language: {
            theme: make_asset("index.html", in_theme(rendered(template, words, language, names), theme).encode())
            for theme in THEMES
        }
        for language, words in texts.items()
    }
    return Pages(documents, f"'sha256-{b64encode(hashlib.sha256(styles.encode()).digest()).decode()}'")


def in_theme(page: str, theme: str) -> str:
    """Return the page with a theme that was chosen in it, "" for the system's."""
    return page.replace("<html ", f'<html data-theme="{theme}" ', 1) if theme else page


def rendered(template: str, words: Mapping[str, Any], language: str, names: Mapping[str, str]) -> str:
    """Return the page with its texts, its language, the choice of languages, and all texts for its scripts.

    Args:
        template: The document.
        words: The language's file: the texts under ``page``; under ``early`` those sentences of the server that a page
            needs at once, and under ``server`` all others, which are left out.
        language: The language's code.
        names: All languages by their codes.
    """
    texts = words["page"]

    def fill(tag: re.Match[str]) -> str:
        named = IN_TAG.findall(tag[0])
        attributes = "".join(f' {name}="{escape(texts[key])}"' for name, key in named if name)
        content = "".join(escape(texts[key], quote=False) for name, key in named if not name)
        return f"{tag[0][:-1]}{attributes}>{content}"

    options = "".join(
        f'<option value="{code}" lang="{code}"{" selected" * (code == language)}>{escape(name)}</option>'
        for code, name in names.items()
    )
    # "<" could end the script element
    early = {name: words[name] for name in ("page", "early") if name in words}
    table = json.dumps(early, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
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
