from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releaser.config.images import ImageTargetConfig
from releaser.images.tags import in_push_order, released_in, tags_of
from releaser.versions.version import Version

BARE = ImageTargetConfig(name="bare", platforms=("linux/amd64", "linux/arm64"))
ARM = ImageTargetConfig(name="arm", suffix="-arm", platforms=("linux/arm64",), aliases=("latest-board",))
BOTH = (BARE, ARM)


def versions(*texts: str) -> set[Version]:
    return {Version.parse(text) for text in texts}


def names(target: ImageTargetConfig, version: str, *released: str) -> list[str]:
    return [tag.name for tag in tags_of(target, Version.parse(version), versions(*released))]


def test_the_first_version_takes_every_tag_the_most_specific_first() -> None:
    assert names(BARE, "0.2.0") == ["0.2.0", "0.2", "latest"]


def test_a_suffix_is_on_every_tag_but_an_alias_which_follows_latest() -> None:
    assert names(ARM, "0.2.0", "0.1.0") == ["0.2.0-arm", "0.2-arm", "latest-arm", "latest-board"]


def test_a_version_that_is_out_already_keeps_its_tags() -> None:
    assert names(BARE, "0.2.0", "0.1.0", "0.2.0") == ["0.2.0", "0.2", "latest"]


def test_a_patch_of_an_older_line_takes_its_series_and_leaves_latest_and_its_alias() -> None:
    assert names(ARM, "1.9.1", "1.9.0", "2.0.1") == ["1.9.1-arm", "1.9-arm"]


def test_a_patch_below_the_highest_of_its_series_takes_its_own_tag_alone() -> None:
    assert names(BARE, "1.9.1", "1.9.2", "1.8.0") == ["1.9.1"]


def test_versions_are_compared_as_numbers() -> None:
    assert names(BARE, "0.10.0", "0.9.0") == ["0.10.0", "0.10", "latest"]


@pytest.mark.parametrize("version", ["0.2.0-alpha", "0.2.0-beta.2", "0.2.0-rc.1"])
def test_a_prerelease_takes_its_own_tag_alone(version: str) -> None:
    assert names(ARM, version) == [f"{version}-arm"]


def test_every_version_tag_is_pushed_before_any_that_floats_and_latest_comes_last() -> None:
    pushed = [tag.name for tag in in_push_order(BOTH, Version.parse("1.2.3"), versions("1.2.2"))]

    assert pushed == ["1.2.3", "1.2.3-arm", "1.2", "1.2-arm", "latest", "latest-arm", "latest-board"]


def test_only_the_version_tag_stays_for_good() -> None:
    assert [tag.name for tag in tags_of(BARE, Version.parse("1.2.3"), ()) if not tag.floats] == ["1.2.3"]


def test_versions_are_read_from_a_registrys_tags_with_every_suffix_and_nothing_else_is() -> None:
    tags = [
        "1.0.0",
        "1.1.0-arm",
        "1.2.0-rc.1",
        "1.2.0-rc.1-arm",
        "1.3.0-other",
        "1.3",
        "latest",
        "sha256-1.4.0",
        "v9.0.0",
    ]

    assert released_in(tags, BOTH) == versions("1.0.0", "1.1.0")


FINAL = st.builds(Version, st.integers(0, 3), st.integers(0, 3), st.integers(0, 3))


@given(st.lists(FINAL, unique=True, min_size=1))
def test_whatever_the_order_of_releases_each_floating_tag_ends_on_the_highest_version_that_it_can_stand_for(
    releases: list[Version],
) -> None:
    world: dict[str, Version] = {}
    for version in releases:
        released = released_in(world, BOTH)
        world.update({tag.name: version for tag in in_push_order(BOTH, version, released)})

    assert world["latest"] == world["latest-arm"] == world["latest-board"] == max(releases)
    for version in releases:
        assert world[str(version)] == version
        series = (version.major, version.minor)
        highest = max(one for one in releases if (one.major, one.minor) == series)
        assert world[f"{version.major}.{version.minor}-arm"] == highest
