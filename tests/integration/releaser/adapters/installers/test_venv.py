"""Real environments, and real pip, which installs from the rehearsal's index on loopback."""

from __future__ import annotations

import base64
import hashlib
import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from releaser.adapters.installers.venv import Venv
from releaser.errors import CommandError, ServiceError
from releaser.rehearsal import services

TOKEN = "a-token-for-tests"
OUTSIDE = (
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "PIP_FIND_LINKS",
    "PIP_NO_INDEX",
    "PIP_CONFIG_FILE",
    "PIP_CONSTRAINT",
)


def wheel(folder: Path, name: str, version: str, *requires: str, body: str = "") -> Path:
    """A wheel with a module and a command, both of the distribution's name."""
    module, info = name.replace("-", "_").replace(".", "_"), f"{name.replace('-', '_')}-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {one}\n" for one in requires)
    members = {
        f"{module}.py": (
            f"import os, sys\n{body}\ndef main():\n    print('{name} {version}', os.environ.get('SOME_TOKEN'))\n"
            "    print('a warning', file=sys.stderr)\n    sys.exit('--fail' in sys.argv and 'it fails')\n"
        ),
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{name} = {module}:main\n",
    }
    record = "".join(f"{path},sha256={_hash(text)},{len(text)}\n" for path, text in members.items())
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in {**members, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}.items():
            archive.writestr(zipfile.ZipInfo(member), text)
    return path


def _hash(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@dataclass(frozen=True)
class Shelf:
    """An index, and the files on it."""

    root: Path
    simple_url: str
    upload_url: str

    def add(self, path: Path, name: str, version: str) -> Path:
        """Puts a file there, without twine, which takes a second."""
        form = {":action": "file_upload", "name": name, "version": version, "filetype": "bdist_wheel"}
        with path.open("rb") as content:
            answer = requests.post(
                self.upload_url,
                data={**form, "sha256_digest": sha256(path)},
                files={"content": (path.name, content)},
                auth=("__token__", TOKEN),
                timeout=60,
            )
        answer.raise_for_status()
        return path


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    root = tmp_path_factory.mktemp("shelf")
    (root / "token").write_text(TOKEN)
    arguments = ["--world", str(root / "world"), "--token-file", str(root / "token")]
    process = services.start("releaser.rehearsal.index", arguments, root / "log", keep=False)
    service = services.ready("index", process, root / "log")
    found = Shelf(root, f"{service.url}/simple/", f"{service.url}/legacy/")
    found.add(wheel(root, "Dotted.Demo", "1.0.0", "helper"), "Dotted.Demo", "1.0.0")
    found.add(wheel(root, "helper", "2.0"), "helper", "2.0")
    yield found
    services.stop([service])


@pytest.fixture(autouse=True)
def nobodys_pip_settings(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's index is the shelf, whatever the tester's is."""
    for name in OUTSIDE:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", shelf.simple_url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def venv(tmp_path: Path) -> Venv:
    return Venv.create(tmp_path / "venv")


def test_a_new_environment_has_pip_and_nothing_of_ours(venv: Venv, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[4] / "src"))

    listed = venv.run(
        "python", "-c", "import importlib.metadata as m; print(*sorted(d.name for d in m.distributions()))"
    )

    assert "pip" in listed.split()
    assert not {"releaser", "invoke", "pytest", "live-vlm-webui"} & set(listed.split())
    with pytest.raises(CommandError, match="No module named 'releaser'"):
        venv.run("python", "-c", "import releaser")


def test_an_installed_program_says_what_it_prints_and_sees_no_token(
    venv: Venv, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_TOKEN", "hunter2hunter2")
    venv.install(shelf.root / "helper-2.0-py3-none-any.whl")

    assert venv.run("helper") == "helper 2.0 None"
    with pytest.raises(CommandError, match=r"The installed helper failed with exit status 1(?s:.*)a warning\nit fails"):
        venv.run("helper", "--fail")
    with pytest.raises(CommandError, match="Could not start"):
        venv.run("no-such-command")


def test_installing_by_name_brings_dependencies_and_tells_the_hash_however_the_name_is_spelt(
    venv: Venv, shelf: Shelf
) -> None:
    found = venv.install("dotted_demo==1.0.0", "--index-url", shelf.simple_url, distribution="dotted-demo")

    assert found == sha256(shelf.root / "Dotted.Demo-1.0.0-py3-none-any.whl")
    assert venv.run("helper") == "helper 2.0 None"


def test_what_the_index_lacks_is_told_in_the_words_that_the_wait_for_it_looks_for(venv: Venv, shelf: Shelf) -> None:
    with pytest.raises(CommandError, match="No matching distribution"):
        venv.install("helper==9.9")
    with pytest.raises(CommandError, match="No matching distribution"):
        venv.download("helper==9.9", shelf.simple_url, venv.path / "fetched")


def test_a_download_takes_one_file_from_one_index_whatever_pip_is_told_elsewhere(
    venv: Venv, shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    impostor = wheel(tmp_path / "impostor", "Dotted.Demo", "1.0.0", body="EVIL = True")
    (tmp_path / "pip.conf").write_text(f"[global]\nfind-links = {impostor.parent}\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    monkeypatch.setenv("PIP_FIND_LINKS", str(impostor.parent))
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "http://127.0.0.1:1/simple/")

    fetched = venv.download("dotted-demo==1.0.0", shelf.simple_url, venv.path / "fetched")

    assert sha256(fetched) == sha256(shelf.root / "Dotted.Demo-1.0.0-py3-none-any.whl") != sha256(impostor)
    assert list(fetched.parent.iterdir()) == [fetched]


OWN_SETTINGS = {
    **dict.fromkeys(("user", "require-hashes", "no-index", "dry-run", "no-deps", "require-virtualenv"), "true"),
    **dict.fromkeys(("no-binary", "only-binary"), ":all:"),
    **dict.fromkeys(("constraint", "build-constraint", "find-links", "extra-index-url"), "/nowhere/50%"),
    "target": "target",
    "prefix": "prefix",
    "root": "root",
    "uploaded-prior-to": "P3D",
}


@pytest.mark.parametrize("place", ["variables", "a file"])
def test_none_of_the_users_own_settings_reaches_an_environment_of_the_engine(
    place: str, shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if place == "variables":
        for option, value in OWN_SETTINGS.items():
            monkeypatch.setenv(f"PIP_{option.upper().replace('-', '_')}", value)
        monkeypatch.setenv("VIRTUALENV_NO_PIP", "1")
        monkeypatch.setenv("PYTHONWARNINGS", "nonsense")
    else:
        lines = "".join(f"{option} = {value}\n" for option, value in OWN_SETTINGS.items())
        (tmp_path / "pip.conf").write_text(f"[global]\n{lines}[install]\n{lines}")
        monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))

    venv = Venv.create(tmp_path / "venv", shelf.simple_url)
    venv.install("dotted-demo")

    assert venv.run("helper") == "helper 2.0 None"


def test_a_dependency_that_only_another_index_of_the_user_has_is_missing(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = wheel(tmp_path / "private", "only-here", "1.0")
    monkeypatch.setenv("PIP_FIND_LINKS", str(private.parent))
    venv = Venv.create(tmp_path / "venv", shelf.simple_url)

    with pytest.raises(CommandError, match="No matching distribution found for only-here") as caught:
        venv.resolve(wheel(tmp_path, "demo", "1.0", "only-here"))

    assert caught.value.remedy.startswith("Publish what is missing where users can get it")


def test_an_index_that_cannot_be_reached_is_not_an_index_without_the_version(
    venv: Venv, shelf: Shelf, closed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_RETRIES", "1")
    monkeypatch.setenv("PIP_PROXY", closed)

    with pytest.raises(ServiceError, match="pip could not reach its index") as caught:
        venv.install("helper", "--index-url", "https://index.invalid/simple/")

    assert caught.value.remedy.startswith("Check the proxy in PIP_PROXY")


def test_resolving_lists_the_wheel_itself_first_then_what_comes_with_it_and_installs_nothing(
    venv: Venv, shelf: Shelf
) -> None:
    entries = venv.resolve(shelf.root / "Dotted.Demo-1.0.0-py3-none-any.whl")

    assert [(one["metadata"]["name"], one["metadata"]["version"]) for one in entries] == [
        ("Dotted.Demo", "1.0.0"),
        ("helper", "2.0"),
    ]
    assert entries[1]["download_info"]["archive_info"]["hashes"]["sha256"] == sha256(
        shelf.root / "helper-2.0-py3-none-any.whl"
    )
    with pytest.raises(CommandError, match="Could not start"):
        venv.run("helper")
