from __future__ import annotations

from importlib.resources import files

from live_vlm_webui.http.assets import load_assets, make_asset
from live_vlm_webui.http.joined import ALL_MODULES, with_all_modules
from live_vlm_webui.http.languages import load_pages

SCRIPT = """// A module.
const MANY = 15; // models are searched from this number on
const ADDRESS = "http://127.0.0.1; // not a comment";
const told = { one: 'it"s; // not one', // one
  two: `a; // not one`, // it's one
}; // the end
const escaped = "a\\"; // not one";
/* All of
   this. */
const next = 1;
"""
LEFT = """
const MANY = 15;
const ADDRESS = "http://127.0.0.1; // not a comment";
const told = { one: 'it"s; // not one',
  two: `a; // not one`,
};
const escaped = "a\\"; // not one";


const next = 1;
"""


def test_comments_are_not_sent_and_what_looks_like_one_in_a_string_is():
    assert make_asset("a.js", SCRIPT.encode()).body.decode() == LEFT


def test_nothing_but_comments_is_left_out_of_the_scripts_and_hardly_any_is_sent():
    root = files("live_vlm_webui").joinpath("static")
    kept = 0
    for path, asset in load_assets().items():
        if not path.endswith(".js"):
            continue
        sent = asset.body.decode()
        whole = root.joinpath(path).read_text("utf-8")
        for before, after in zip(whole.split("\n"), sent.split("\n"), strict=True):
            assert before.startswith(after)
            assert not after or not before[len(after) :].endswith((";", "{", "}", "(", ","))  # as code ends
        kept += sent.count("; // ")
    assert kept == 0


def test_the_first_load_has_room_for_what_comes_next():
    assets = with_all_modules(load_assets())
    documents = load_pages(assets).documents
    for themes in documents.values():
        assert len(themes[""].compressed) + len(assets[ALL_MODULES].compressed) < 42_500
