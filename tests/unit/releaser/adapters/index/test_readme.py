"""What becomes of a description on the index."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from releaser.adapters.index.readme import render

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[5]
MARKDOWN = """# Demo

![A picture](docs/page.png) and [a guide](docs/guide.md#start),
[the same](docs/guide.md#start), [this section](#demo), [away](https://example.invalid/docs),
[a host](//example.invalid/x), <a href="mailto:me@example.invalid">me</a>

<img src="logo.svg" alt="">

`[code](docs/guide.md)` [named][it]

[it]: a%20file.md
"""


def test_relative_addresses_are_found_with_their_lines():
    found = {str(one) for one in render(MARKDOWN, "text/markdown").relative}
    assert found == {
        "line 3: picture docs/page.png",
        "line 3, 4: link docs/guide.md#start",
        "line 7: picture logo.svg",
        "line 11: link a%20file.md",
    }


def test_restructured_text_is_rendered_too():
    assert [str(one) for one in render("`A guide <guide.rst>`_\n", "text/x-rst").relative] == ["line 1: link guide.rst"]


def test_what_does_not_render_says_why_and_where():
    shown = render("Demo\n====\n\n.. toctree::\n", "text/x-rst")
    assert shown.html is None
    assert shown.problem == 'line 4: Unknown directive type "toctree".'


def test_plain_text_has_no_links():
    assert render("See docs/guide.md", "text/plain").relative == ()


@pytest.mark.filterwarnings("error")
def test_this_projects_readme_has_none_once_it_is_built():
    hook = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["metadata"]["hooks"]
    text = (ROOT / "README.md").read_text("utf-8")
    assert render(text, "text/markdown").relative
    for one in hook["fancy-pypi-readme"]["substitutions"]:
        text = re.sub(one["pattern"], one["replacement"], text)
    assert render(text, "text/markdown").relative == ()
