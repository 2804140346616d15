from __future__ import annotations

import json
import re

import pytest

from live_vlm_webui.http.assets import load_assets
from live_vlm_webui.http.languages import ALL_STYLES, chosen, imported, load_pages, rendered, with_all_styles

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
    german = load_pages(load_assets())["de"].body.decode()
    assert '<html lang="de">' in german
    assert re.search(r"<h2[^>]*>Frühere Antworten</h2>", german)
    assert "Earlier answers" not in german
    table = re.search(r'<script id="words" type="application/json">(.*?)</script>', german, re.DOTALL)
    assert json.loads(table[1])["history"] == "Frühere Antworten"
    assert re.search(r'<option value="de" lang="de" selected>Deutsch</option>', german)


def test_a_text_with_markup_stays_a_text():
    words = {"a": "</script><b>&", "b": '"<'}
    template = (
        '<html lang=""><script id="words" type="application/json"></script><p data-say="a"></p><img data-say-alt="b">'
    )
    page = rendered(template, words, "en", {"en": "English"})
    assert page.count("</script>") == 1
    assert '<p data-say="a">&lt;/script&gt;&lt;b&gt;&amp;</p>' in page
    assert '<img data-say-alt="b" alt="&quot;&lt;">' in page


def test_each_module_that_the_page_imports_is_named_in_it_so_that_all_are_fetched_at_once():
    assets = load_assets()
    needed = imported(assets)
    assert {"common/words.js", "camera/webrtc.js", "common/dom.js"} <= set(needed) <= set(assets)
    for page in load_pages(assets).values():
        assert (
            re.findall(r'rel="modulepreload" href="static/([^"]+)" fetchpriority="low"', page.body.decode()) == needed
        )


def test_all_sheets_are_fetched_in_one_piece_in_the_pages_order():
    assets = with_all_styles(load_assets())
    sheets = [path for path in assets if path.startswith("css/") and path != ALL_STYLES]
    whole = assets[ALL_STYLES].body
    assert len(whole) == sum(len(assets[path].body) for path in sheets)
    assert whole.startswith(assets["css/tokens.css"].body)
    for page in load_pages(assets).values():
        assert re.findall(r'rel="stylesheet" href="static/([^"]+)"', page.body.decode()) == [ALL_STYLES]
