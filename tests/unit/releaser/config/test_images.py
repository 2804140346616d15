from __future__ import annotations

from typing import Any

import pytest

from releaser.config.images import ImagesConfig
from releaser.config.load import parse_config
from releaser.errors import ConfigError

FILES = [{"path": "pyproject.toml", "key": "project.version"}]
ONE = {"name": "one"}


def parsed(**table: Any) -> ImagesConfig:
    return parse_config({"version-files": FILES, "images": table}, {"name": "demo"}).images


def refusal(**table: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        parsed(**table)
    return caught.value.message


def test_a_project_may_have_no_images() -> None:
    assert parsed().targets == ()


def test_a_repositorys_name_is_lower_cased_as_registries_want_it() -> None:
    assert parsed(repository="Registry.example/Owner/Name", targets=[ONE]).repository == "registry.example/owner/name"


@pytest.mark.parametrize("repository", ["localhost/name", "localhost:5000/a/b", "127.0.0.1:5000/name"])
def test_a_registry_may_be_on_this_machine(repository: str) -> None:
    assert parsed(repository=repository, targets=[ONE]).repository == repository


@pytest.mark.parametrize("repository", ["name", "owner/name", "registry.example", "registry.example/"])
def test_a_repository_without_its_registry_is_refused(repository: str) -> None:
    assert "repository must be REGISTRY/NAME" in refusal(repository=repository, targets=[ONE])


@pytest.mark.parametrize("repository", ["registry.example/name:tag", "registry.example/a b", "registry.example/-a"])
def test_a_repository_that_no_registry_takes_is_refused(repository: str) -> None:
    assert "not a valid repository name" in refusal(repository=repository, targets=[ONE])


def test_images_without_a_place_to_go_and_a_place_without_images_are_refused() -> None:
    assert "both repository and targets" in refusal(targets=[ONE])
    assert "both repository and targets" in refusal(repository="registry.example/name")


@pytest.mark.parametrize(
    ("targets", "twice"),
    [
        ([ONE, {"name": "one", "suffix": "-b"}], "one"),
        ([ONE, {"name": "two"}], "latest"),
        ([{"name": "a", "suffix": "-x"}, {"name": "b", "aliases": ["latest-x"]}], "latest-x"),
        ([{"name": "a", "aliases": ["any"]}, {"name": "b", "suffix": "-b", "aliases": ["any"]}], "any"),
    ],
)
def test_two_images_that_would_share_a_tag_are_refused(targets: list[dict[str, Any]], twice: str) -> None:
    assert f"{twice} is claimed by two targets" in refusal(repository="registry.example/name", targets=targets)


def test_a_suffix_without_its_dash_and_a_platform_without_its_system_are_refused() -> None:
    place = {"repository": "registry.example/name"}
    assert "suffix must be a dash" in refusal(**place, targets=[{"name": "a", "suffix": "arm"}])
    assert "a platform must be OS/ARCHITECTURE" in refusal(**place, targets=[{"name": "a", "platforms": ["arm64"]}])


def test_an_unknown_key_of_an_image_is_named_with_the_nearest_known_one() -> None:
    wrong = [{"name": "a", "platfroms": ["linux/arm64"]}]
    said = refusal(repository="registry.example/name", targets=wrong)
    assert "unknown key images.targets.0.platfroms (did you mean platforms?)" in said
