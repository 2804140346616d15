"""Branches and tags are matched as GitHub matches them."""

from __future__ import annotations

import pytest

from releaser.adapters.forge.patterns import matches


@pytest.mark.parametrize(
    ("name", "patterns", "expected"),
    [
        ("v1.0", ["v*"], True),
        ("v1/0", ["v*"], False),
        ("v1/0", ["v**"], True),
        ("main", ["release/*", "main"], True),
        ("release/1", ["release/*", "!release/1"], False),
        ("xmain", ["main"], False),
        ("v1.0", [], False),
    ],
)
def test_a_name_is_included_as_the_last_pattern_that_fits_says(name, patterns, expected):
    assert matches(name, patterns) is expected
