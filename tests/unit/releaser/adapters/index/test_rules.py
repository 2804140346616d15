"""PyPI's rules for what is uploaded, in its own words."""

from __future__ import annotations

from typing import Any

import pytest

from releaser.adapters.index import rules

PLAIN: dict[str, Any] = {"metadata_version": "2.4", "name": "demo", "version": "1.0"}


def refused(**fields: Any) -> list[str]:
    return [one.message for one in rules.refusals({**PLAIN, **fields})]  # type: ignore[typeddict-item]


def test_plain_metadata_is_accepted():
    fields = {
        "summary": "x" * 512,
        "classifiers": ["Programming Language :: Python :: 3"],
        "project_urls": {"A label that has 32 characters...": "https://example.invalid"},
        "requires_dist": ["requests>=2; python_version > '3.8'"],
        "author_email": "Somebody <somebody@users.noreply.github.com>",
        "description_content_type": "text/markdown; charset=UTF-8; variant=GFM",
    }
    assert refused(**{**fields, "project_urls": {"x" * 32: "https://example.invalid"}}) == []


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (
            {"classifiers": ["Programing Language :: Python"]},
            "'Programing Language :: Python' is not a valid classifier.",
        ),
        ({"classifiers": ["Private :: Do Not Upload"]}, "'Private :: Do Not Upload' is not a valid classifier."),
        ({"classifiers": ["Natural Language :: Ukranian"]}, "has been deprecated, use one of"),
        ({"requires_dist": ["left-pad @ https://example.invalid/x.whl"]}, "Can't have direct dependency: left-pad @"),
        ({"requires_dist": ["not a requirement"]}, "'not a requirement' is invalid for 'requires-dist'"),
        ({"project_urls": {"x" * 33: "https://example.invalid"}}, f"'{'x' * 33}' must be 32 characters or less."),
        ({"project_urls": {"": "https://example.invalid"}}, "Must have a label"),
        ({"project_urls": {"Home": ""}}, "Must have a URL"),
        ({"project_urls": {"Home": "example.invalid"}}, "'example.invalid' is not a valid url"),
        ({"home_page": "ftp://example.invalid"}, "'ftp://example.invalid' is not a valid url."),
        ({"summary": "x" * 513}, "'summary' field must be 512 characters or less."),
        ({"summary": "two\nlines"}, "'summary' must be a single line"),
        (
            {"author_email": "Somebody <somebody>"},
            "'somebody' is not a valid email address: An email address must",
        ),
        (
            {"author_email": "me@localhost"},
            "'me@localhost' is not a valid email address: The part after the @-sign is",
        ),
        ({"maintainer_email": "me@host"}, "'me@host' is not a valid email address: The part after the @-sign is not"),
        ({"name": "a widget"}, "'a widget' is invalid for 'name'"),
        ({"metadata_version": "2.9"}, "'2.9' is not a valid metadata version"),
        ({"description_content_type": "text/html"}, "'text/html'"),
        ({"requires_python": "about 3"}, "'about 3' is invalid for 'requires-python'"),
        ({"license_expression": "My own"}, "'My own' is invalid"),
    ],
)
def test_what_pypi_refuses_is_refused(fields: dict[str, Any], reason: str):
    assert any(reason in one for one in refused(**fields)), refused(**fields)


def test_all_reasons_are_found_and_the_name_comes_first():
    found = rules.refusals({**PLAIN, "name": "a b", "classifiers": ["x"], "summary": "x" * 600})  # type: ignore[typeddict-item]
    assert [one.field for one in found] == ["name", "classifier", "summary"]
    assert found[1].as_answered == (
        "'x' is not a valid classifier. See https://packaging.python.org/specifications/core-metadata for more "
        "information."
    )


@pytest.mark.parametrize(
    "platform",
    [
        "any",
        "win_amd64",
        "manylinux1_x86_64",
        "manylinux2014_ppc64",
        "manylinux_2_17_x86_64.manylinux2014_x86_64",
        "manylinux_2_39_riscv64",
        "musllinux_1_2_aarch64",
        "linux_armv7l",
        "macosx_10_9_universal2",
        "macosx_11_0_arm64",
        "ios_13_0_arm64_iphoneos",
        "android_21_arm64_v8a",
    ],
)
def test_a_platform_on_pypis_list_is_accepted(platform: str):
    assert rules.refused_platform(f"demo-1.0-cp311-cp311-{platform}.whl") is None


@pytest.mark.parametrize(
    "platform",
    ["linux_x86_64", "linux_aarch64", "manylinux2014_mips", "musllinux_1_2_ppc64", "macosx_11_3_arm64", "freebsd_13"],
)
def test_a_platform_that_is_not_on_it_is_refused(platform: str):
    name = f"demo-1.0-cp311-cp311-{platform}.whl"
    assert rules.refused_platform(name) == f"Binary wheel '{name}' has an unsupported platform tag '{platform}'."


def test_an_sdist_has_no_platform():
    assert rules.refused_platform("demo-1.0.tar.gz") is None
