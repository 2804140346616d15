"""How a changelog's lines are read."""

from __future__ import annotations

import subprocess
import sys

COMPILED = """
from markdown_it.ruler import Ruler
from mdurl import _decode, _encode
from releaser.changelog.markdown import scan

def compile_now(ruler):
    raise AssertionError("rules were not compiled")

Ruler.__compile__ = compile_now
before = (len(_encode.encode_cache), len(_decode.decode_cache))
scan("# Changelog\\n\\n- A [link](https://example.org/%41) to [another]\\n\\n> quoted\\n\\n[another]: https://example.org/a?b\\n")
assert (len(_encode.encode_cache), len(_decode.decode_cache)) == before, "tables were not compiled"
"""


def test_nothing_is_compiled_at_its_first_use_where_steps_begin_at_once():
    subprocess.run([sys.executable, "-c", COMPILED], check=True)
