"""Expressions mean here what they mean at GitHub, and what is not carried out is refused by name."""

from __future__ import annotations

import pytest

from releaser.rehearsal.actions.reading.expressions import (
    ExpressionError,
    State,
    condition,
    embedded,
    filled,
    is_true,
    parse,
)

CONTEXTS = {
    "github": {"ref_name": "v1.0", "event": {"release": {"tag_name": "v1.0"}}, "run_attempt": "2"},
    "inputs": {"version": "1.0", "quick": True, "count": 3.0},
    "needs": {"build": {"result": "success", "outputs": {"made": "It's {this}"}}},
    "env": {},
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'it''s'", "it's"),
        ("github.event.release.tag_name || format('v{0}', inputs.version)", "v1.0"),
        ("github.event.nothing.tag_name || format('v{0}', inputs.version)", "v1.0"),
        ("format('{{{0}}} {1}', inputs.version, needs.build.outputs.made)", "{1.0} It's {this}"),
        ("needs.build.result == 'SUCCESS'", True),
        ("needs.build.result != 'success' || inputs.quick", True),
        ("github.run_attempt == 2", True),
        ("github.nothing == ''", True),
        ("github.nothing == 0", True),
        ("'word' == 0", False),
        ("!(inputs.quick && inputs.version)", False),
        ("contains(github.ref_name, 'V1') && startsWith(github.ref_name, 'v')", True),
        ("inputs.quick && 'yes' || 'no'", "yes"),
        ("INPUTS_none || 1", None),
    ],
)
def test_an_expression_has_the_value_that_github_gives_it(text, value):
    if value is None:
        with pytest.raises(ExpressionError, match="`INPUTS_none` is not carried out"):
            parse(text)
    else:
        assert parse(text).evaluate(State(CONTEXTS)) == value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("secrets.TOKEN", "`secrets` are none"),
        ("hashFiles('x')", "the function `hashFiles` is not carried out"),
        ("a[0]", r"`\[` in `a\[0\]` is not carried out"),
        ("1 < 2", "`<` in"),
        ("github", "`github` as a whole"),
        ("(1", r"lacks a `\)`"),
        ("1 2", "`2` in `1 2` is out of place"),
        ("contains('a')", "wrong number of arguments"),
        ("format('v{1}', inputs.version)", "names an argument that it does not have"),
    ],
)
def test_what_is_not_carried_out_is_named(text, said):
    with pytest.raises(ExpressionError, match=said):
        parse(text)


def test_a_text_keeps_what_is_around_its_expressions_and_a_whole_one_its_kind():
    state = State(CONTEXTS)
    assert filled("v${{ inputs.version }} of ${{ inputs.count }}, ${{ inputs.quick }}${{ inputs.no }}", state) == (
        "v1.0 of 3, true"
    )
    assert filled(" ${{ inputs.quick }} ", state) is True
    with pytest.raises(ExpressionError, match="not closed"):
        embedded("${{ inputs.version }")


@pytest.mark.parametrize(
    ("text", "success", "runs"),
    [
        ("inputs.quick", True, True),
        ("inputs.quick", False, False),
        ("${{ always() && inputs.quick }}", False, True),
        ("failure()", True, False),
        ("failure()", False, True),
        (False, True, False),
    ],
)
def test_a_condition_without_a_status_is_about_success(text, success, runs):
    assert is_true(condition(text).evaluate(State(CONTEXTS, success, failure=not success))) is runs
