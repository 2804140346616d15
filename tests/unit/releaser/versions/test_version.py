from __future__ import annotations

import re

import pytest
import semver
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version as Pep440Version

from releaser.errors import VersionError
from releaser.versions.version import MAX_LENGTH, PARTS, STAGES, Version

numbers = st.integers(0, 3) | st.integers(0, 10**12)
finals = st.builds(Version, numbers, numbers, numbers)
prereleases = st.builds(Version, numbers, numbers, numbers, st.sampled_from(STAGES), numbers)
versions = finals | prereleases
close_versions = st.builds(
    Version, st.just(1), st.integers(0, 1), st.just(0), st.sampled_from((None, *STAGES)), st.just(0)
) | st.builds(Version, st.just(1), st.integers(0, 1), st.just(0), st.sampled_from(STAGES), st.integers(1, 20))
identifiers = st.from_regex(r"(0|[1-9][0-9]{0,2}|[a-zA-Z-]{1,6}|rc[0-9]{1,2}|dev|post|alpha|beta|pre)", fullmatch=True)
semver_texts = st.builds(
    lambda release, prerelease: "-".join([release, ".".join(prerelease)] if prerelease else [release]),
    st.sampled_from(["0.2.0", "1.0.0"]),
    st.lists(identifiers, max_size=3),
)

REFUSED = {
    # text: (what the reason says, what the remedy offers)
    "0.2.0-1": ("after 0.2.0 in PEP 440", "0.2.1"),
    "0.2.0-post.1": ("after 0.2.0 in PEP 440", "0.2.1"),
    "0.2.0-dev.3": ("below every alpha", "0.2.0-alpha.3"),
    "0.2.0-pre.1": ("reads pre as rc", "0.2.0-rc.1"),
    "0.2.0-preview.1": ("reads preview as rc", "0.2.0-rc.1"),
    "0.2.0-c.1": ("reads c as rc", "0.2.0-rc.1"),
    "0.2.0-a.1": ("reads a as alpha", "0.2.0-alpha.1"),
    "0.2.0-b.12": ("reads b as beta", "0.2.0-beta.12"),
    "0.2.0-rc.1.2": ("after rc it allows one number", "0.2.0-rc.1"),
    "0.2.0-alpha.beta": ("after alpha it allows one number", "0.2.0-alpha.1"),
    "0.2.0-x.7": ("no stage named 'x'", "0.2.0-alpha.7"),
    "0.2.0-1.2": ("no stage named '1'", "0.2.0"),
    "0.2.0-alpha.0": ("same as -alpha in PEP 440", "0.2.0-alpha.1"),
    "0.2.0-rc.0": ("same as -rc in PEP 440", "0.2.0-rc.1"),
    "0.2.0-rc1": ("as text", "0.2.0-rc.1"),
    "0.2.0-rc-1": ("as text", "0.2.0-rc.1"),
    "0.2.0-RC.1": ("ignores case", "0.2.0-rc.1"),
    "0.2.0-Alpha": ("ignores case", "0.2.0-alpha.1"),
    "0.2.0+build": ("local version", "0.2.0"),
    "0.2.0-rc.1+build.5": ("local version", "0.2.0-rc.1"),
    "1": ("three numbers", "1.0.0"),
    "1.2": ("three numbers", "1.2.0"),
    "1.2-rc.1": ("three numbers", "1.2.0-rc.1"),
    "1.2.3.4": ("not SemVer", "1.2.3"),
    "v0.2.0": ("tag's name", "0.2.0"),
    "V0.2.0": ("tag's name", "0.2.0"),
    "01.2.0": ("leading zeros", "1.2.0"),
    "0.2.0-rc.01": ("leading zeros", "0.2.0-rc.1"),
    "0.2.0rc1": ("PEP 440 form", "0.2.0-rc.1"),
    "0.2.0a2": ("PEP 440 form", "0.2.0-alpha.2"),
    "0.2.0.post1": ("not SemVer", "0.2.1"),
    " 0.2.0": ("white space", "0.2.0"),
    "0.2.0\n": ("white space", "0.2.0"),
    "0.2.0-rc .1": ("white space", "0.2.0-rc.1"),
    "٠.٢.٠": ("other than ASCII", "0.2.0"),
    "0.2.0-αlpha.1": ("other than ASCII", "0.2.0-alpha.1"),
    "0.2.0\0": ("not SemVer", "0.2.0"),
    "": ("empty", None),
    "latest": ("not SemVer", None),
    "-1.0.0": ("not SemVer", None),
    "1." + "9" * 62: ("three numbers", None),
    "9" * 5000: ("5000 characters", None),
    "0.2.0-rc." + "1" * 10**6: ("characters", None),
}


def _accepted(text: str) -> Version | None:
    try:
        return Version.parse(text)
    except VersionError:
        return None


@pytest.mark.parametrize(
    ("text", "pep440"),
    [
        ("0.2.0", "0.2.0"),
        ("0.2.0-alpha", "0.2.0a0"),
        ("0.2.0-alpha.1", "0.2.0a1"),
        ("0.2.0-beta", "0.2.0b0"),
        ("0.2.0-beta.1", "0.2.0b1"),
        ("0.2.0-rc", "0.2.0rc0"),
        ("0.2.0-rc.10", "0.2.0rc10"),
    ],
)
def test_a_version_has_one_form_for_people_and_one_for_the_index(text: str, pep440: str) -> None:
    version = Version.parse(text)

    assert (str(version), version.pep440) == (text, pep440)
    assert Version.from_pep440(pep440) == version
    assert str(Pep440Version(text)) == pep440


@pytest.mark.parametrize(("text", "expected"), REFUSED.items(), ids=lambda value: repr(value)[:30])
def test_what_the_two_schemes_do_not_share_is_refused_with_reason_and_remedy(
    text: str, expected: tuple[str, str | None]
) -> None:
    reason, suggestion = expected

    with pytest.raises(VersionError) as caught:
        Version.parse(text)

    assert reason in caught.value.message
    assert len(caught.value.message) < 300
    if suggestion is None:
        assert caught.value.remedy.startswith("Use MAJOR.MINOR.PATCH")
    else:
        assert caught.value.remedy == f"Use {suggestion}."
        assert str(Version.parse(suggestion)) == suggestion


@given(versions)
def test_parsing_what_a_version_prints_gives_it_back(version: Version) -> None:
    assert Version.parse(str(version)) == version
    assert Version.from_pep440(version.pep440) == version
    assert Version.from_tag(version.tag()) == version
    assert str(Pep440Version(str(version))) == version.pep440


@given(versions | close_versions, versions | close_versions)
def test_semver_and_pep440_order_versions_the_same_way(one: Version, other: Version) -> None:
    expected = semver.Version.parse(str(one)).compare(str(other))

    assert (one > other) - (one < other) == expected
    assert (one >= other) - (one <= other) == expected
    mine, yours = Pep440Version(one.pep440), Pep440Version(other.pep440)
    assert (mine > yours) - (mine < yours) == expected
    assert (one == other) == (mine == yours) == (expected == 0)
    if one == other:
        assert hash(one) == hash(other)


@given(semver_texts, semver_texts)
def test_no_two_accepted_texts_are_ordered_differently_by_the_two_schemes(one: str, other: str) -> None:
    if _accepted(one) and _accepted(other):
        expected = semver.Version.parse(one).compare(other)
        mine, yours = Pep440Version(one), Pep440Version(other)
        assert (mine > yours) - (mine < yours) == expected


@given(st.text(max_size=80) | st.from_regex(r"v?[0-9.]{1,8}[-a-z.+0-9]{0,12}", fullmatch=True))
def test_any_other_text_is_refused_with_a_remedy_that_can_be_followed(text: str) -> None:
    try:
        assert str(Version.parse(text)) == text
    except VersionError as error:
        suggestion = re.fullmatch(r"Use (\S+)\.", error.remedy)
        assert suggestion is None or Version.parse(suggestion[1])


@pytest.mark.parametrize(
    "text",
    ["0.2.0.post1", "0.2.0.dev1", "0.2.0rc1.dev2", "1!0.2.0", "0.2.0+local", "1.2.3.4", "rubbish", "", "1" * 5000],
)
def test_an_index_version_without_a_semver_twin_has_none(text: str) -> None:
    assert Version.from_pep440(text) is None


def test_an_index_version_is_read_whatever_its_spelling() -> None:
    assert Version.from_pep440("0.2") == Version(0, 2, 0)
    assert Version.from_pep440("v0.2.0.RC1") == Version(0, 2, 0, "rc", 1)
    assert Version.from_pep440("1.2.3.0") == Version(1, 2, 3)


def test_an_index_version_whose_semver_form_would_be_too_long_has_none() -> None:
    text = "1.2." + "3" * (MAX_LENGTH - 6) + "a1"

    assert len(text) == MAX_LENGTH
    assert Version.from_pep440(text) is None


def test_tags_follow_the_projects_pattern() -> None:
    version = Version.parse("0.2.0-rc.1")

    assert version.tag() == "v0.2.0-rc.1"
    assert version.tag("app-{version}-final") == "app-0.2.0-rc.1-final"
    assert Version.from_tag("app-0.2.0-rc.1-final", "app-{version}-final") == version


@pytest.mark.parametrize("tag", ["0.2.0", "v0.2", "vv0.2.0", "v", "nightly", "v0.2.0-dev.1", "release-0.2.0"])
def test_a_tag_that_names_no_releasable_version_is_passed_over(tag: str) -> None:
    assert Version.from_tag(tag) is None


@pytest.mark.parametrize("pattern", ["v", "", "{version}{version}", "v{VERSION}"])
def test_a_tag_pattern_without_exactly_one_placeholder_is_refused(pattern: str) -> None:
    with pytest.raises(VersionError, match="exactly once"):
        Version(0, 2, 0).tag(pattern)
    with pytest.raises(VersionError, match="exactly once"):
        Version.from_tag("v0.2.0", pattern)


def test_overlapping_prefix_and_suffix_do_not_read_a_tag_twice() -> None:
    assert Version.from_tag("-", "-{version}-") is None


def test_after_a_final_version_come_its_successors_and_the_next_minors_stages() -> None:
    following = {part: str(version) for part, version in Version.parse("0.1.3").next_versions().items()}

    assert following == {
        "patch": "0.1.4",
        "minor": "0.2.0",
        "major": "1.0.0",
        "alpha": "0.2.0-alpha.1",
        "beta": "0.2.0-beta.1",
        "rc": "0.2.0-rc.1",
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.2.0-alpha", ["0.2.0-alpha.1", "0.2.0-beta.1", "0.2.0-rc.1", "0.2.0"]),
        ("0.2.0-beta.2", ["0.2.0-beta.3", "0.2.0-rc.1", "0.2.0"]),
        ("0.2.0-rc.9", ["0.2.0-rc.10", "0.2.0"]),
    ],
)
def test_after_a_prerelease_come_its_next_number_the_later_stages_and_the_final(text: str, expected: list[str]) -> None:
    assert [str(version) for version in Version.parse(text).next_versions().values()] == expected


@given(versions)
def test_every_next_version_is_higher(version: Version) -> None:
    following = version.next_versions()

    assert all(after > version for after in following.values())
    assert all(version.bump(part) == following[part] for part in PARTS if part in following)


@pytest.mark.parametrize(
    ("text", "patch", "minor", "major"),
    [
        ("0.2.0-rc.1", "0.2.0", "0.2.0", "1.0.0"),
        ("0.2.1-rc.1", "0.2.1", "0.3.0", "1.0.0"),
        ("1.0.0-alpha", "1.0.0", "1.0.0", "1.0.0"),
    ],
)
def test_a_prerelease_is_bumped_to_the_nearest_version_of_that_kind(
    text: str, patch: str, minor: str, major: str
) -> None:
    version = Version.parse(text)

    assert [str(version.bump("patch")), str(version.bump("minor")), str(version.bump("major"))] == [patch, minor, major]


def test_going_back_a_stage_is_refused_with_the_way_on() -> None:
    with pytest.raises(VersionError) as caught:
        Version.parse("0.2.0-rc.1").bump("beta")

    assert "would be lower" in caught.value.message
    assert caught.value.remedy == "Use 0.2.0-rc.2 or 0.2.0."


def test_a_final_version_cannot_become_final() -> None:
    with pytest.raises(VersionError, match="already final"):
        Version.parse("0.2.0").bump("final")


def test_versions_are_not_compared_with_other_things() -> None:
    assert Version(0, 2, 0) != "0.2.0"
    with pytest.raises(TypeError):
        _ = Version(0, 2, 0) < "0.3.0"
