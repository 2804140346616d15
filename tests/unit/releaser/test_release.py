from __future__ import annotations

from pathlib import Path

import pytest

from releaser.adapters.git import Git
from releaser.adapters.publishers import Publisher
from releaser.adapters.remotes import repository_of
from releaser.config.load import parse_config
from releaser.config.project import Config
from releaser.errors import UsageError
from releaser.release import Release
from releaser.secret import Credentials, Secret
from releaser.store import ReleaseStore
from releaser.versions.version import Version


def configured(**table: object) -> Config:
    files = [{"path": "pyproject.toml", "key": "project.version"}]
    return parse_config({"version-files": files, **table}, {"name": "demo"})


def released(
    tmp_path: Path, version: str = "1.2.0", environment: dict[str, str] | None = None, **table: object
) -> Release:
    credentials = Credentials(environment or {})
    return Release(
        configured(**table), Version.parse(version), Git(tmp_path), ReleaseStore(tmp_path / "state"), credentials
    )


@pytest.mark.parametrize(
    "url",
    [
        "https://forge.invalid/owner/name",
        "https://forge.invalid/owner/name.git",
        "https://forge.invalid/owner/name.git/",
        "https://forge.invalid:8443/owner/name/",
        "https://me:secret@forge.invalid/owner/name.git",
        "http://127.0.0.1:3000/owner/name",
        "git@forge.invalid:owner/name.git",
        "git@forge.invalid:owner/name",
        "org-1234@forge.invalid:owner/name.git",
        "ssh://git@forge.invalid/owner/name.git",
        "ssh://git@forge.invalid:2222/owner/name",
    ],
)
def test_a_remotes_address_names_the_repository(url: str) -> None:
    assert repository_of(url) == "owner/name"


@pytest.mark.parametrize(
    ("url", "name"),
    [("git@forge.invalid:a.b/c.d.git", "a.b/c.d"), ("https://forge.invalid/a/c.github.io", "a/c.github.io")],
)
def test_dots_in_names_stay(url: str, name: str) -> None:
    assert repository_of(url) == name


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/srv/git/name.git",
        "../name",
        "file:///srv/owner/name.git",
        "https://forge.invalid/name",
        "https://forge.invalid/group/sub/name",
        "git@forge.invalid:name.git",
        "https://forge.invalid/owner/name\nhttps://forge.invalid/owner/name",
    ],
)
def test_other_addresses_name_none(url: str) -> None:
    assert repository_of(url) is None


def test_the_configured_repository_needs_no_remote(tmp_path: Path) -> None:
    release = released(tmp_path, forge={"repository": "owner/name"})

    assert release.repository == "owner/name"


def test_the_tag_and_the_private_ref_follow_from_the_version(tmp_path: Path) -> None:
    release = released(tmp_path, "1.2.0-rc.1", git={"tag": "release-{version}"})

    assert (release.tag, release.ref) == ("release-1.2.0-rc.1", "refs/releaser/release-1.2.0-rc.1")


def test_tokens_are_read_by_the_names_in_the_configuration(tmp_path: Path) -> None:
    environment = {"PYPI_TOKEN": " pypi-one\n", "MY_TOKEN": "forge-two", "TESTPYPI_TOKEN": "  "}
    release = released(tmp_path, environment=environment, forge={"token-env": "MY_TOKEN"})

    assert isinstance(release.pypi.token, Secret)
    assert release.testpypi.token is None
    assert release.config.token_variables == ("TESTPYPI_TOKEN", "PYPI_TOKEN", "MY_TOKEN")
    assert release.redactor()("pypi-one, forge-two") == "[hidden], [hidden]"


def test_no_token_is_shown_with_the_release(tmp_path: Path) -> None:
    release = released(tmp_path, environment={"PYPI_TOKEN": "hunter2hunter2"})

    assert "hunter2" not in repr(release) + repr(release.pypi) + repr(release.credentials)


def test_files_that_are_not_built_are_asked_for_with_the_command_that_builds_them(tmp_path: Path) -> None:
    release = released(tmp_path)

    assert release.dists() is None
    with pytest.raises(UsageError, match=r"demo 1\.2\.0 has not been built yet") as caught:
        release.built()
    assert "invoke release --version 1.2.0" in caught.value.remedy


def test_an_index_knows_the_publisher_that_is_named_in_the_configuration_and_whether_to_attest(tmp_path: Path) -> None:
    pypi = {"via": "ci", "workflow": "up.yml", "environment": "release", "attestations": True}
    release = released(tmp_path, forge={"repository": "me/demo"}, pypi=pypi)
    assert (release.pypi.publisher, release.pypi.attests) == (Publisher("me/demo", "up.yml", "release"), True)
    assert (release.testpypi.publisher, release.testpypi.attests) == (None, False)
