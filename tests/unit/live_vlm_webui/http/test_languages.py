from __future__ import annotations

import json
import re
from base64 import b64encode
from hashlib import sha256

import pytest

from live_vlm_webui.http.assets import compact, load_assets
from live_vlm_webui.http.languages import chosen, load_pages, rendered

KNOWN = {"de": 1, "en": 1}


@pytest.mark.parametrize(
    ("cookie", "accepted", "language"),
    [
        (None, "de-AT,de;q=0.9,en;q=0.5", "de"),
        (None, "en-GB,en;q=0.9,de;q=0.8", "en"),
        (None, "fr;q=1.0, de;q=0.2, en;q=0.1", "de"),
        (None, "de;q=0, en", "en"),
        (None, "fr", "en"),
        (None, "", "en"),
        (None, "*;q=nonsense,;;,,de", "de"),
        ("en", "de", "en"),
        ("de", "en", "de"),
        ("../../etc", "de", "de"),
    ],
)
def test_the_choice_in_the_page_comes_before_the_browsers_and_english_is_for_all_others(cookie, accepted, language):
    assert chosen(cookie, accepted, KNOWN) == language


def test_texts_are_in_the_page_before_any_script_runs_and_no_other_languages_are():
    german = load_pages(load_assets()).get("de", "").body.decode()
    assert '<html lang="de">' in german
    assert re.search(r"<h2[^>]*>Frühere Antworten</h2>", german)
    assert "Earlier answers" not in german
    table = re.search(r'<script id="words" type="application/json">(.*?)</script>', german, re.DOTALL)
    given = json.loads(table[1])
    assert given["page"]["history"] == "Frühere Antworten"
    assert given.keys() == {"page", "early"}  # the server's other sentences are loaded when one is needed
    assert re.search(r'<option value="de" lang="de" selected>Deutsch</option>', german)


def test_a_text_with_markup_stays_a_text():
    words = {"a": "</script><b>&", "b": '"<'}
    template = (
        '<html lang=""><script id="words" type="application/json"></script><p data-say="a"></p><img data-say-alt="b">'
    )
    page = rendered(template, {"page": words}, "en", {"en": "English"})
    assert page.count("</script>") == 1
    assert '<p data-say="a">&lt;/script&gt;&lt;b&gt;&amp;</p>' in page
    assert '<img data-say-alt="b" alt="&quot;&lt;">' in page


LATER = "css/panels.css"
"""The sheet of what is opened over the page."""


def test_the_page_holds_all_its_styles_in_order_and_names_no_sheet():
    assets = load_assets()
    pages = load_pages(assets)
    for document in (page.body.decode() for themes in pages.documents.values() for page in themes.values()):
        (styles,) = re.findall(r"<style>(.*?)</style>", document, re.DOTALL)
        sheets = [
            compact(asset.body.decode()) for path, asset in assets.items() if path.startswith("css/") and path != LATER
        ]
        assert sorted(styles.splitlines()) == sorted("\n".join(sheets).splitlines())
        assert styles.startswith(compact(assets["css/tokens.css"].body.decode()))
        assert 'rel="stylesheet"' not in document
        assert pages.style_hash == f"'sha256-{b64encode(sha256(styles.encode()).digest()).decode()}'"


def test_a_theme_that_was_chosen_is_in_the_page_and_any_other_cookie_is_the_systems():
    pages = load_pages(load_assets())
    assert '<html data-theme="dark" lang="de">' in pages.get("de", "dark").body.decode()
    for other in ("", "black", '"><script>'):
        assert '<html lang="de">' in pages.get("de", other).body.decode()
