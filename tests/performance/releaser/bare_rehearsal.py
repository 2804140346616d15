"""What a rehearsal of the tiny project comes to without an engine: ``python bare_rehearsal.py PROJECT WORLD VERSION``.

The same programs with the same options, one after the other where the plan has them so and side by side where it has
those. What only the engine does is left out: its questions to git and the services, its journal, its report. The calls
to the services that are no programs are made with the standard library.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

NAME, PACKAGE = "tiny-thing", "tiny_thing"
BEFORE = "0.1.0"
TOKEN = "pypi-bare"
REPOSITORY = "somebody/tiny-thing"
PYTHON = sys.executable
PATH = os.pathsep.join([str(Path(PYTHON).parent), os.environ["PATH"]])
SIMPLE_JSON = "application/vnd.pypi.simple.v1+json"


def run(*words: str | Path, cwd: Path, **env: str) -> str:
    done = subprocess.run(
        words,
        cwd=cwd,
        env={**os.environ, "PATH": PATH, **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        sys.exit(f"{words}: {done.stdout}{done.stderr}")
    return done.stdout


def side_by_side(*works: Callable[[], object]) -> None:
    with ThreadPoolExecutor(len(works)) as pool:
        for future in [pool.submit(work) for work in works]:
            future.result()


def ask(url: str, method: str = "GET", body: bytes | None = None, **headers: str) -> bytes:
    request = Request(url, body, headers, method=method)
    request.add_unredirected_header("Authorization", f"Bearer {TOKEN}")  # an asset's redirect refuses it, as GitHub's
    with urlopen(request) as answer:
        return bytes(answer.read())


# --- the stage ----------------------------------------------------------------------------------------------------


def remote_and_clone(project: Path, world: Path) -> Path:
    origin, clone = world / "origin.git", world / "checkout"
    run("git", "init", "--quiet", "--bare", "--initial-branch=main", origin, cwd=project)
    refs = ["HEAD:refs/heads/main", "refs/tags/*:refs/tags/*"]
    run("git", "push", "--quiet", "--no-verify", origin, *refs, cwd=project)
    run("git", "clone", "--quiet", f"file://{origin}", clone, cwd=world)
    return clone


def stand_ins(world: Path, stack: ExitStack) -> list[subprocess.Popen[bytes]]:
    token = world / "token"
    token.write_text(TOKEN, "utf-8")
    index, forge = "releaser.rehearsal.index", "releaser.rehearsal.forge"
    commands = (
        [index, "--world", world / "testpypi", "--name", "testpypi"],
        [index, "--world", world / "pypi", "--name", "pypi"],
        [forge, "--world", world / "forge", "--repository", REPOSITORY, "--git-dir", world / "origin.git"],
    )
    running = []
    for words in commands:
        whole = [PYTHON, "-m", *words, "--token-file", token, "--stop-with-stdin"]
        process = subprocess.Popen(whole, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        stack.callback(process.wait)
        stack.callback(process.terminate)
        running.append(process)
    return running


def address(started: subprocess.Popen[bytes]) -> str:
    """What a stand-in prints when it is ready."""
    assert started.stdout
    return str(json.loads(started.stdout.readline())["url"])


def build(source: Path, target: Path, fast: bool, *options: str, **env: str) -> None:
    installer = ("--installer", "uv") if fast else ()
    run(PYTHON, "-m", "build", *installer, *options, "--outdir", target, source, cwd=source, **env)


def may_use_uv() -> bool:
    """As the engine does: where uv is, unless pip has an index of its own, which uv does not know."""
    words = [PYTHON, "-m", "pip", "config", "get", "global.index-url"]
    own = "PIP_INDEX_URL" in os.environ or subprocess.run(words, capture_output=True, check=False).returncode == 0
    return shutil.which("uv", path=PATH) is not None and not own


def upload(url: str, *files: Path) -> None:
    options = ("--non-interactive", "--disable-progress-bar", "--repository-url", f"{url}/legacy/")
    login = {"TWINE_USERNAME": "__token__", "TWINE_PASSWORD": TOKEN}
    run(PYTHON, "-m", "twine", "--no-color", "upload", *options, *files, cwd=files[0].parent, **login)


def release_before(world: Path, pypi: str, fast: bool) -> None:
    place = world / "before"
    place.mkdir()
    run("git", "clone", "--quiet", f"file://{world / 'origin.git'}", place / "source", cwd=place)
    build(place / "source", place / "dist", fast, "--wheel")
    upload(pypi, *(place / "dist").glob("*.whl"))


# --- the release --------------------------------------------------------------------------------------------------


def commit_release(clone: Path, tree: Path, world: Path, version: str) -> str:
    run("git", "worktree", "add", "--quiet", "--force", "--detach", tree, "HEAD", cwd=clone)
    for name in ("pyproject.toml", "src/tiny_thing/__init__.py"):
        text = (tree / name).read_text("utf-8")
        (tree / name).write_text(text.replace(f'"{BEFORE}"', f'"{version}"'), "utf-8")
    changes = tree / "CHANGELOG.md"
    dated = f"## [Unreleased]\n\n## [{version}] - {time.strftime('%Y-%m-%d')}"
    changes.write_text(changes.read_text("utf-8").replace("## [Unreleased]", dated), "utf-8")
    names = ["pyproject.toml", "src/tiny_thing/__init__.py", "CHANGELOG.md"]
    run("git", "add", "--", *names, cwd=tree)
    run("git", "commit", "--quiet", "--message", f"chore: bump version to {version}", "--", *names, cwd=tree)
    commit = run("git", "rev-parse", "HEAD", cwd=tree).strip()
    ref = f"refs/releaser/v{version}"
    run("git", "update-ref", ref, commit, "0" * 40, cwd=clone)
    run("git", "bundle", "create", "--quiet", world / "commit.bundle", ref, f"^{commit}^", cwd=clone)
    return commit


def build_release(tree: Path, dist: Path, commit: str, fast: bool) -> list[Path]:
    epoch = run("git", "show", "--no-patch", "--format=%ct", commit, cwd=tree).strip()
    build(tree, dist, fast, SOURCE_DATE_EPOCH=epoch)
    files = [*dist.glob("*.tar.gz"), *dist.glob("*.whl")]
    run(PYTHON, "-m", "twine", "--no-color", "check", "--strict", *files, cwd=dist)
    python = environment(dist.with_name("sbom"))
    report = ("--dry-run", "--ignore-installed", "--report", dist.with_name("sbom") / "report.json")
    pip(python, "install", *report, files[1])
    (dist / f"{PACKAGE}.cdx.json").write_text("{}", "utf-8")
    (dist / "SHA256SUMS").write_text("", "utf-8")
    return files


def environment(path: Path) -> Path:
    run(PYTHON, "-m", "virtualenv", "--quiet", "--no-periodic-update", path, cwd=path.parent)
    return path / "bin" / "python"


def pip(python: Path, *words: str | Path) -> None:
    run(python, "-m", "pip", "--disable-pip-version-check", "--no-input", *words, cwd=python.parent)


def install(python: Path, *what: str | Path) -> None:
    pip(python, "install", "--report", python.with_name("report.json"), *what)


def ask_installed(python: Path, version: str) -> None:
    metadata = "import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))"
    attribute = "import importlib, sys; print(importlib.import_module(sys.argv[1]).__version__)"
    for code, name in ((metadata, NAME), (attribute, PACKAGE)):
        assert run(python, "-I", "-c", code, name, cwd=python.parent).strip() == version
    assert run(python.with_name(NAME), "--version", cwd=python.parent).strip() == f"{NAME} {version}"
    assert run(python.with_name(NAME), "--help", cwd=python.parent)


def try_wheel(place: Path, wheel: Path, version: str) -> None:
    python = environment(place)
    install(python, wheel)
    ask_installed(python, version)


def try_with_uv(place: Path, wheel: Path, version: str) -> None:
    # The engine takes the oldest and the newest Python here; of one Python the work is the same.
    for end in ("oldest", "newest"):
        run(PYTHON, "-m", "uv", "venv", "--python", PYTHON, place / end, cwd=wheel.parent)
        python = place / end / "bin" / "python"
        run(PYTHON, "-m", "uv", "pip", "install", "--python", python, wheel, cwd=wheel.parent)
        ask_installed(python, version)


def try_by_pip_and_uv(world: Path, wheel: Path, version: str) -> None:
    try_wheel(world / "try_wheel", wheel, version)
    try_with_uv(world / "try_with_uv", wheel, version)


def smoke(tree: Path, place: Path, wheel: Path) -> None:
    words = ["--noxfile", tree / "noxfile.py", "--envdir", place, "--session", "smoke"]
    run(PYTHON, "-m", "nox", *words, cwd=tree, RELEASER_WHEEL=str(wheel))


def wait_until_shown(url: str, files: list[Path]) -> None:
    page = f"{url}/simple/{NAME}/"
    wanted = {path.name for path in files}
    while True:
        try:
            served = json.loads(ask(page, Accept=SIMPLE_JSON))["files"]
            if wanted <= {one["filename"] for one in served}:
                return
        except HTTPError as error:
            if error.code != 404:
                raise
        time.sleep(0.2)


def publish_index(url: str, files: list[Path]) -> None:
    upload(url, *files)
    wait_until_shown(url, files)


def try_testpypi(place: Path, url: str, version: str) -> None:
    python = environment(place)
    only = ("--no-deps", "--no-cache-dir", "--only-binary=:all:", "--index-url", f"{url}/simple/")
    pip(python, "download", *only, "--dest", place / "fetched", f"{NAME}=={version}")
    install(python, *(place / "fetched").iterdir())
    ask_installed(python, version)


def publish_release(forge: str, dist: Path, commit: str, version: str) -> None:
    api = f"{forge}/repos/{REPOSITORY}/releases"
    facts = {"tag_name": f"v{version}", "target_commitish": commit, "name": f"v{version}", "body": "-", "draft": True}
    draft: dict[str, Any] = json.loads(ask(api, "POST", json.dumps(facts).encode()))
    address = draft["upload_url"].partition("{")[0]
    for path in sorted(dist.iterdir()):
        kind = {"Content-Type": "application/octet-stream"}
        ask(f"{address}?name={path.name}", "POST", path.read_bytes(), **kind)
    change = {"tag_name": f"v{version}", "draft": False, "make_latest": "true"}
    ask(f"{api}/{draft['id']}", "PATCH", json.dumps(change).encode())


def verify_index(url: str, version: str) -> None:
    for one in json.loads(ask(f"{url}/simple/{NAME}/", Accept=SIMPLE_JSON))["files"]:
        ask(url + one["url"] if one["url"].startswith("/") else one["url"])
    ask(f"{url}/pypi/{NAME}/{version}/json")


def verify_release(forge: str, version: str) -> None:
    api = f"{forge}/repos/{REPOSITORY}/releases"
    for asset in json.loads(ask(f"{api}/tags/v{version}"))["assets"]:
        ask(f"{api}/assets/{asset['id']}", Accept="application/octet-stream")


def install_from(place: Path, url: str, version: str, *before: str) -> None:
    python = environment(place)
    index = ("--index-url", f"{url}/simple/")
    for old in before:
        install(python, *index, f"{NAME}=={old}")
    install(python, *(["--upgrade"] if before else []), *index, f"{NAME}=={version}")
    ask_installed(python, version)


def main(project: Path, world: Path, version: str) -> None:
    world.mkdir(parents=True)
    tree, dist, tag = world / "worktree", world / "dist", f"v{version}"
    with ExitStack() as stack:
        clone = remote_and_clone(project, world)
        started = stand_ins(world, stack)
        fast = may_use_uv()
        testpypi, pypi, forge = map(address, started)
        release_before(world, pypi, fast)
        commit = commit_release(clone, tree, world, version)
        files = build_release(tree, dist, commit, fast)
        _, wheel = files
        side_by_side(lambda: try_by_pip_and_uv(world, wheel, version), lambda: smoke(tree, world / "smoke", wheel))
        publish_index(testpypi, files)
        try_testpypi(world / "try_testpypi", testpypi, version)
        run("git", "tag", "--annotate", tag, commit, "--message", f"Release version {version}", cwd=clone)
        refs = [f"{commit}:refs/heads/main", f"refs/tags/{tag}"]
        run("git", "push", "--atomic", "--porcelain", "origin", *refs, cwd=clone)
        side_by_side(lambda: publish_release(forge, dist, commit, version), lambda: publish_index(pypi, files))
        side_by_side(
            lambda: verify_index(pypi, version),
            lambda: verify_release(forge, version),
            lambda: install_from(world / "install", pypi, version),
            lambda: install_from(world / "upgrade", pypi, version, BEFORE),
        )
        run("git", "worktree", "remove", "--force", "--force", tree, cwd=clone)
        run("git", "worktree", "prune", cwd=clone)
        run("git", "merge", "--ff-only", "--quiet", commit, cwd=clone)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
