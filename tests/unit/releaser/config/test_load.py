from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from releaser.config.load import load_config, parse_config, state_root
from releaser.config.project import Config
from releaser.errors import ConfigError

ROOT = Path(__file__).parents[4]
FILES = [{"path": "pyproject.toml", "key": "project.version"}]
PROJECT = {"name": "demo", "version": "1.0.0"}


def parsed(project: dict[str, Any] | None = None, **table: Any) -> Config:
    table = {name.replace("_", "-"): value for name, value in table.items()}
    return parse_config({"version-files": FILES, **table}, PROJECT if project is None else project)


def refusal(project: dict[str, Any] | None = None, **table: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        parsed(project, **table)
    assert caught.value.exit_code == 2
    assert caught.value.remedy
    return caught.value.message


# --- what has one owner -----------------------------------------------------------------------------------------------

IMAGES = {"repository": "registry.example/demo", "targets": [{"name": "one"}]}


def test_a_release_by_ci_leaves_both_indexes_and_the_images_to_it() -> None:
    found = parsed(run="ci", images=IMAGES, release_workflow="ship.yml")

    assert (found.testpypi.via, found.pypi.via, found.images.via) == ("ci", "ci", "ci")
    assert found.testpypi.workflow == "ship.yml"


@pytest.mark.parametrize(
    ("table", "name"),
    [
        ({"pypi": {"via": "upload"}}, 'pypi.via = "upload"'),
        ({"testpypi": {"via": "upload"}}, 'testpypi.via = "upload"'),
        ({"images": {**IMAGES, "via": "push"}}, 'images.via = "push"'),
    ],
)
def test_what_ci_publishes_cannot_be_published_from_here_too(table: dict[str, Any], name: str) -> None:
    message = refusal(run="ci", **table)

    assert name in message
    assert "would publish twice" in message


def test_testpypi_cannot_be_left_to_a_workflow_that_never_has_the_commit() -> None:
    assert 'testpypi.via = "ci" needs run = "ci"' in refusal(testpypi={"via": "ci"})


# --- what it is without a word ----------------------------------------------------------------------------------------


def test_version_files_are_all_that_must_be_given() -> None:
    found = parsed()

    assert (found.distribution, found.package, found.command, found.changelog) == ("demo", "demo", None, "CHANGELOG.md")
    assert (found.git.remote, found.git.branch, found.git.tag) == ("origin", "main", "v{version}")
    assert (found.pypi.repository, found.pypi.token_env, found.pypi.via) == ("pypi", "PYPI_TOKEN", "upload")
    assert (found.testpypi.repository, found.testpypi.token_env) == ("testpypi", "TESTPYPI_TOKEN")
    assert found.wait.timeout == 30 * 60


def test_texts_are_those_of_the_release_process() -> None:
    found = parsed()

    assert found.git.commit_message.format(version="1.0.0") == "chore: bump version to 1.0.0"
    said = found.git.tag_message.format(version="1.0.0", machine="mine")
    assert said == "Release version 1.0.0\n\nReleased-on: mine"
    assert found.forge.title.format(version="1.0.0", description="Faster") == "v1.0.0 - Faster"


@pytest.mark.parametrize(
    ("name", "package"), [("demo", "demo"), ("My-Demo", "my_demo"), ("zope.interface", "zope_interface")]
)
def test_the_import_name_follows_from_the_distribution(name: str, package: str) -> None:
    assert parsed({"name": name}).package == package
    assert parsed({"name": name}, package="other").package == "other"


def test_the_first_script_is_the_command_to_ask_for_its_version() -> None:
    scripts = {"first": "demo:main", "second": "demo:other"}

    assert parsed({"name": "demo", "scripts": scripts}).command == "first"
    assert parsed({"name": "demo", "scripts": scripts}, command="second").command == "second"


def test_one_key_of_testpypi_leaves_its_others_testpypis() -> None:
    found = parsed(testpypi={"simple-url": "https://index.invalid/simple"})

    assert (found.testpypi.repository, found.testpypi.token_env) == ("testpypi", "TESTPYPI_TOKEN")


def test_what_was_read_cannot_be_changed() -> None:
    found = parsed()

    with pytest.raises(ValidationError):
        found.changelog = "other"
    with pytest.raises(ValidationError):
        found.git.branch = "other"


# --- what is wrong with it --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ({"chngelog": "X"}, "unknown key chngelog (did you mean changelog?)"),
        ({"pass-envs": []}, "unknown key pass-envs (did you mean pass-env?)"),
        ({"git": {"brnach": "X"}}, "unknown key git.brnach (did you mean branch?)"),
        ({"build": {"max-size": 1}}, "unknown key build.max-size (did you mean max-size-mib?)"),
        ({"qualify": {"session": []}}, "unknown key qualify.session (did you mean sessions?)"),
        ({"testpypi": {"upload_utl": "X"}}, "unknown key testpypi.upload_utl (did you mean upload-url?)"),
        ({"pypi": {"workflows": "X"}}, "unknown key pypi.workflows (did you mean workflow?)"),
        ({"forge": {"titel": "X"}}, "unknown key forge.titel (did you mean title?)"),
        ({"images": {"repositry": ""}}, "unknown key images.repositry (did you mean repository?)"),
        ({"after": {"reminder": []}}, "unknown key after.reminder (did you mean reminders?)"),
        ({"wait": {"time-out": 1}}, "unknown key wait.time-out (did you mean timeout?)"),
        (
            {"version_files": [*FILES, {"path": "x", "patern": "{version}", "key": "v"}]},
            "unknown key version-files.1.patern (did you mean pattern?)",
        ),
    ],
)
def test_an_unknown_key_is_named_with_the_nearest_known_one(table: dict[str, Any], expected: str) -> None:
    assert expected in refusal(**table)


def test_an_unknown_key_like_none_is_told_which_there_are() -> None:
    assert "unknown key wait.zzz (known here: first-delay, longest-delay, timeout)" in refusal(wait={"zzz": 1})


def test_everything_that_is_wrong_is_said_at_once() -> None:
    message = refusal(chngelog="X", git={"branch": 3}, forge={"repository": "demo"}, build={"x": 1})

    for part in ("chngelog", "git.branch: ", "forge: repository must be OWNER/NAME", "build.x"):
        assert part in message


@pytest.mark.parametrize(
    ("table", "where"),
    [
        ({"changelog": 3}, "changelog: "),
        ({"distribution": 3}, "distribution: "),
        ({"git": "main"}, "git: "),
        ({"git": {"branch": ["main"]}}, "git.branch: "),
        ({"testpypi": "https://index.invalid"}, "testpypi: "),
        ({"build": {"require": "py.typed"}}, "build.require: "),
        ({"build": {"require": [1]}}, "build.require.0: "),
        ({"build": {"max-size-mib": "big"}}, "build.max-size-mib: "),
        ({"build": {"max-size-mib": 0}}, "build.max-size-mib: "),
        ({"pypi": {"via": "magic"}}, "pypi.via: "),
        ({"wait": {"timeout": -1}}, "wait.timeout: "),
        ({"wait": {"first-delay": 0}}, "wait.first-delay: "),
        ({"version_files": "pyproject.toml"}, "version-files: "),
        ({"version_files": ["pyproject.toml"]}, "version-files.0: "),
        ({"version_files": []}, "version-files: "),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_with_its_place(table: dict[str, Any], where: str) -> None:
    message = refusal(**table)

    assert where in message
    assert "Traceback" not in message


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ({"path": "x"}, "give either key"),
        ({"path": "x", "key": "v", "pattern": "{version}"}, "give either key"),
        ({"path": "x", "pattern": "VERSION"}, "pattern must contain {version} exactly once"),
        ({"path": "x", "pattern": "{version} {version}"}, "pattern must contain {version} exactly once"),
        ({"key": "v"}, "version-files.0.path: Field required"),
        ({"path": "x", "key": "v", "scheme": "calver"}, "version-files.0.scheme: "),
    ],
)
def test_a_version_file_says_one_place_exactly(file: dict[str, str], reason: str) -> None:
    assert reason in refusal(version_files=[file])


@pytest.mark.parametrize("tag", ["release", "{version}-{version}", "v{versoin}", "v{", "v{}"])
def test_a_tag_that_does_not_tell_versions_apart_is_refused(tag: str) -> None:
    assert "git" in refusal(git={"tag": tag})


@pytest.mark.parametrize(
    ("table", "field"),
    [
        ({"git": {"commit-message": "bump {verison}"}}, "{verison}"),
        ({"forge": {"title": "{version} {notes}"}}, "{notes}"),
        ({"forge": {"install": "pip install {name}"}}, "{name}"),
        ({"forge": {"full-changes": "{url}"}}, "{url}"),
        ({"forge": {"milestone": "{description}"}}, "{description}"),
        ({"after": {"announcement": "{title}"}}, "{title}"),
        ({"git": {"tag-message": "{}"}}, "{}"),
    ],
)
def test_a_misspelt_field_in_a_text_is_found_now_and_not_in_the_middle_of_a_release(
    table: dict[str, Any], field: str
) -> None:
    assert f"{field} is unknown here" in refusal(**table)


@pytest.mark.parametrize("repository", ["demo", "a/b/c", "/", "a/", "/b", "a b/c", "https://forge.invalid/a/b"])
def test_a_repository_is_an_owner_and_a_name(repository: str) -> None:
    assert "repository must be OWNER/NAME" in refusal(forge={"repository": repository})


@pytest.mark.parametrize(
    "qualify",
    [
        {"sessions": ["unit", "unit"]},
        {"sessions": ["unit"], "where-possible": ["unit"]},
        {"sessions": ["unit-fast"], "where-possible": ["unit_fast"]},
    ],
)
def test_a_session_stands_once_among_those_that_a_release_runs(qualify: dict[str, Any]) -> None:
    assert "occurs twice" in refusal(qualify=qualify)


def test_only_a_session_of_the_release_can_run_alone_or_on_each_python() -> None:
    assert parsed(qualify={"sessions": ["unit"], "where-possible": ["e2e"], "alone": ["e2e", "unit"]})
    assert "each-python names e2e" in refusal(qualify={"where-possible": ["e2e"], "each-python": ["e2e"]})
    assert "alone names speed" in refusal(qualify={"sessions": ["unit"], "alone": ["unit", "speed"]})


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["GH_TOKEN", "NPM_TOKEN", "GH_TOKEN"], "pass-env: GH_TOKEN is listed twice"),
        (["AWS_*"], "pass-env: it lists names of environment variables, and 'AWS_*' is none"),
        (["GH_TOKEN=abc"], "'GH_TOKEN=abc' is none"),
        ([""], "'' is none"),
        ("GH_TOKEN", "pass-env: Input should be a valid tuple"),
    ],
)
def test_what_programs_are_passed_are_names_of_variables_each_once(names: Any, expected: str) -> None:
    assert expected in refusal(**{"pass-env": names})


def test_the_variables_that_hold_the_releases_tokens_are_known_from_the_configuration() -> None:
    found = parsed(pypi={"token-env": "SHIP_WITH"}, images={"token-env": "GITHUB_TOKEN"})

    assert found.token_variables == ("TESTPYPI_TOKEN", "SHIP_WITH", "GITHUB_TOKEN")


def test_only_a_workflow_that_uploads_to_pypi_can_attest() -> None:
    table = {"version-files": [{"path": "a", "key": "b"}]}
    with pytest.raises(ConfigError, match=r'pypi: attestations need via = "ci"'):
        parse_config({**table, "pypi": {"attestations": True}}, {"name": "demo"})
    config = parse_config({**table, "pypi": {"attestations": True, "via": "ci"}}, {"name": "demo"})
    assert (config.pypi.attestations, config.pypi.names_workflow) == (True, False)


def test_a_distribution_must_be_known() -> None:
    assert "names no distribution" in refusal({})
    assert parsed({}, distribution="demo").distribution == "demo"


@pytest.mark.parametrize("scripts", [3, "demo", []])
def test_what_is_wrong_elsewhere_in_the_project_is_for_others_to_say(scripts: Any) -> None:
    assert parsed({"name": "demo", "scripts": scripts}).command is None


# --- the file ---------------------------------------------------------------------------------------------------------


def test_this_repositorys_own_configuration_loads() -> None:
    found = load_config(ROOT)

    assert found.distribution == "live-vlm-webui"
    assert found.command == "live-vlm-webui"
    assert [file.path for file in found.version_files] == ["pyproject.toml", "src/live_vlm_webui/__init__.py"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[project\n", "is not TOML"),
        (b"name = 'caf\xe9'\n", "is not TOML"),
        (b"", "has no [tool.releaser] table"),
        (b"tool = 3\n", "has no [tool.releaser] table"),
        (b"[tool]\nreleaser = 'yes'\n", "has no [tool.releaser] table"),
        (b"project = 3\n[tool.releaser]\n", "names no distribution"),
        (b"[project]\nname = 'demo'\n[tool.releaser]\n", "version-files: Field required"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_a_remedy(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "pyproject.toml").write_bytes(content)

    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path)

    assert message in caught.value.message
    assert caught.value.remedy


def test_a_missing_file_is_refused_and_so_is_a_directory_of_its_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"There is no pyproject\.toml"):
        load_config(tmp_path)
    (tmp_path / "pyproject.toml").mkdir()
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load_config(tmp_path)


def test_state_lies_outside_of_checkouts_and_where_one_wants_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RELEASER_STATE_DIR", "here")
    assert state_root() == tmp_path / "here"
    monkeypatch.delenv("RELEASER_STATE_DIR")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    assert state_root().name == "releaser"
    assert not state_root().is_relative_to(ROOT)
