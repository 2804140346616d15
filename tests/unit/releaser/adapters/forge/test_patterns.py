"""Branches and tags are matched as GitHub matches them."""

from __future__ import annotations

import pytest

from releaser.adapters.forge.patterns import concerns, fits, matches


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
        ("v1.0", ["v[0-9].[0-9]"], True),
        ("v1.0", ["v[0-9]+.0"], True),
        ("v.0", ["v[0-9]+.0"], False),
        ("v1.0", ["v1.?0"], True),
        ("v10", ["v1.?0"], True),
        ("colour", ["colou?r"], True),
        ("color", ["colou?r"], True),
    ],
)
def test_a_name_is_included_as_the_last_pattern_that_fits_says(name, patterns, expected):
    assert matches(name, patterns) is expected


@pytest.mark.parametrize(
    ("name", "pattern", "expected"),
    [
        ("main", "main", True),
        ("main", "mai?", True),
        ("mai", "main?", False),
        ("qa/one", "qa/*", True),
        ("qa/one/two", "qa/*", False),
        ("qa/one", "qa?one", False),
        ("qa/one/two", "qa/**", False),
        ("qa/one/two", "qa/**/*", True),
        ("qa/one", "qa/**/*", True),
        ("qa-more/one/two", "qa**/**/*", True),
        ("one/two", "*", False),
        ("one/two", "**/*", True),
        ("one/qa", "**/qa", True),
        ("one/my-qa", "**/qa", False),
        ("v1", "v[0-9]", True),
        ("va", "v[!0-9]", True),
        ("v/", "v[!0-9]", False),
        ("v1.0", "v1+0", False),
        ("v1+0", "v1+0", True),
        ("{a,b}", "{a,b}", True),
        ("a", "{a,b}", False),
        ("main", "!other", False),
    ],
)
def test_a_pattern_of_a_rule_fits_as_fnmatch_with_pathname_does(name: str, pattern: str, expected: bool) -> None:
    assert fits(name, [pattern]) is expected


@pytest.mark.parametrize(
    ("ref", "include", "exclude", "expected"),
    [
        ("refs/heads/one/two", ["~ALL"], [], True),
        ("refs/tags/v1", ["~ALL"], ["refs/tags/v*"], False),
        ("refs/heads/trunk", ["~DEFAULT_BRANCH"], [], True),
        ("refs/heads/trunk2", ["~DEFAULT_BRANCH"], [], False),
        ("refs/heads/trunk", ["~ALL"], ["~DEFAULT_BRANCH"], False),
        ("refs/heads/releases/1", ["refs/heads/*"], [], False),
        ("refs/heads/releases/1", ["refs/heads/**/*"], [], True),
        ("refs/heads/trunk", [], [], False),
    ],
)
def test_a_ruleset_concerns_what_it_includes_and_does_not_exclude(
    ref: str, include: list[str], exclude: list[str], expected: bool
) -> None:
    assert concerns(ref, include, exclude, "trunk") is expected
