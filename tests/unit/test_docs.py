"""The documentation names what there is: files, tasks and their options, sessions, keys, steps, faults, exit codes."""

from __future__ import annotations

import ast
import copy
import re
import shlex
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel

from releaser import errors
from releaser.config import project as configuration
from releaser.config.load import load_config, parse_config
from releaser.plan import plan_by_workflow, release_plan
from releaser.rehearsal import faults
from releaser.rehearsal.forge import faults as forge_faults
from releaser.rehearsal.index import faults as index_faults
from releaser.rehearsal.world_faults import WORLD_FAULTS
from releaser.tasks import namespace

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
WORKFLOWS = sorted(ROOT.glob(".github/workflows/*.yml"))
FENCE = re.compile(r"^(`{3,})[^\n`]*\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
TASK = re.compile(r"\binvoke(?: -[A-Za-z])* ([a-z]+(?:\.(?:[a-z]+|\*))?)([^\n]*)")
SESSIONS = re.compile(r"\bnox(?: -[A-Za-z])* (?:-s|--session) ([^\n]*)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)

name_of = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def text_of(name):
    return (ROOT / name).read_text("utf-8")


def code_of(text):
    """Everything in code blocks and code spans, a line each; and the text without the blocks."""
    blocks = [match[2] for match in FENCE.finditer(text)]
    prose = FENCE.sub("", text)
    return "\n".join([*blocks, *(" ".join(match[2].split()) for match in SPAN.finditer(prose))])


def slugs(text):
    """What headings are linked to by, as GitHub makes it."""
    headings = re.findall(r"^#+ +(.*)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@name_of
def test_every_relative_link_leads_somewhere(page):
    prose = SPAN.sub("", FENCE.sub("", page.read_text("utf-8")))
    for target in LINK.findall(prose):
        if "://" in target or target.startswith("mailto:"):
            continue
        path, _, anchor = target.partition("#")
        led_to = page.parent / path if path else page
        assert led_to.exists(), f"{page.name} links to {target}"
        if anchor:
            assert anchor in slugs(led_to.read_text("utf-8")), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", [*PAGES, *WORKFLOWS], ids=lambda page: page.name)
def test_every_task_that_is_named_exists_with_its_options(page):
    text = page.read_text("utf-8")
    for name, rest in TASK.findall(code_of(text) if page.suffix == ".md" else text):
        if name.endswith("*"):
            assert any(task.startswith(name[:-1]) for task in namespace.task_names), f"{page.name}: invoke {name}"
            continue
        assert name in namespace.task_names, f"{page.name}: invoke {name}"
        task = copy.deepcopy(namespace[name])  # asking it for its arguments takes their help out of it
        options = {f"--{word}" for one in task.get_arguments() for word in one.names} | {"--help"}
        options |= {option.replace("_", "-") for option in options}
        given = set(re.findall(r"(?<!\S)--[a-z-]+", rest.partition(" #")[0].partition("`")[0]))
        assert given <= options, f"{page.name}: invoke {name}{rest}"


def sessions():
    tree = ast.parse(text_of("noxfile.py"))
    return {one.name for one in tree.body if isinstance(one, ast.FunctionDef) and one.decorator_list}


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_every_session_is_explained(name):
    unnamed = [one for one in sorted(sessions()) if not re.search(rf"`(nox -s )?{one}`", text_of(name))]
    assert not unnamed, name


@pytest.mark.parametrize("page", [*PAGES, *WORKFLOWS], ids=lambda page: page.name)
def test_every_session_that_is_named_exists(page):
    known, text = sessions(), page.read_text("utf-8")
    for words in SESSIONS.findall(code_of(text) if page.suffix == ".md" else text):
        named = shlex.split(words.partition(" -- ")[0].partition("`")[0], comments=True)
        assert set(named) - {"SESSION"} <= known, f"{page.name}: nox -s {words}"


def documented():
    """The tables of docs/releaser.md: for each `[tool.releaser...]` that a heading names, key to default."""
    found = {}
    _, *sections = HEADING.split(FENCE.sub("", text_of("docs/releaser.md")))
    for heading, section in zip(sections[::2], sections[1::2], strict=True):
        rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")]
        for number, table in enumerate(re.findall(r"`\[+tool\.releaser\.?([a-z-]*)\]+`", heading), start=1):
            found[table] = {row[0].strip("`"): row[number].strip("` ") for row in rows[1:]}
    return found


def models():
    """The model of each table, and the defaults of its keys; None where a key is required."""
    whole = parse_config({"version-files": [{"path": "p", "key": "k"}]}, {"name": "demo"})
    made = {
        "": whole,
        "version-files": configuration.VersionFileConfig(path="p", key=None, pattern="{version}"),
        **{name.replace("_", "-"): one for name, one in whole if isinstance(one, BaseModel)},
    }
    return {table: (type(one), one) for table, one in made.items()}


@pytest.mark.parametrize("table", models(), ids=lambda table: table or "the top")
def test_every_key_is_documented_with_its_default(table):
    model, made = models()[table]
    nested = set(models()) - {"", "version-files"}
    fields = {name.replace("_", "-"): field for name, field in model.model_fields.items()}
    written = documented()[table]
    assert written.keys() == fields.keys() - (nested if not table else set())
    for key, default in written.items():
        if default == "required":
            assert fields[key].is_required(), key
        elif default == "none":
            assert fields[key].default is None, key
        elif not default.startswith("from "):
            assert not fields[key].is_required(), key
            value = tomllib.loads(f"it = {default}")["it"]
            expected = getattr(made, key.replace("-", "_"))
            assert (tuple(value) if isinstance(value, list) else value) == expected, key


def test_no_table_is_documented_that_does_not_exist():
    assert documented().keys() == models().keys()


def test_what_comes_from_the_project_table_comes_from_there():
    taken = {key for key, written in documented()[""].items() if written.startswith("from ")}
    project = {"name": "Some.demo-tool", "scripts": {"demo": "some:main", "other": "some:other"}}
    made = parse_config({"version-files": [{"path": "a", "key": "b"}]}, project)
    assert taken == {"distribution", "package", "command"}
    assert (made.distribution, made.package, made.command) == ("Some.demo-tool", "some_demo_tool", "demo")


def test_the_smallest_table_that_is_shown_is_enough():
    shown = next(match[2] for match in FENCE.finditer(text_of("docs/releaser.md")) if "[tool.releaser]" in match[2])
    table = tomllib.loads(shown)["tool"]["releaser"]
    assert parse_config(table, {"name": "demo"}).distribution == "demo"


def test_every_step_is_explained():
    text = text_of("docs/releasing.md")
    names = [step.name for phase in (*release_plan(load_config(ROOT)), *plan_by_workflow()) for step in phase.steps]
    assert [name for name in names if f"`{name}`" not in text] == []
    phases = [phase.name for phase in release_plan(load_config(ROOT))]
    assert [name for name in phases if f"\n| {name} |" not in text] == []


def literals_of(folder):
    """The literal stretches of three words and more in the strings of our code: what each such message has."""
    nodes = (node for path in folder.rglob("*.py") for node in ast.walk(ast.parse(path.read_text("utf-8"))))
    texts = (node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))
    pieces = (piece.strip(" `.:;,") for text in texts for piece in re.split(r"\{\w*\}|\n", text))
    return {piece for piece in pieces if len(piece.split()) >= 3}


@pytest.mark.parametrize(
    ("page", "quotes"),
    [("docs/releasing.md", r"^\*\*(`.*?)\*\* *"), ("docs/troubleshooting.md", r"^\|[^|]*\|([^|]*`[^|]*)\|")],
)
def test_every_message_that_is_explained_is_one_of_ours(page, quotes):
    literals = literals_of(ROOT / "src" / "releaser")
    cells = re.findall(quotes, text_of(page), re.MULTILINE)
    shown = [span[2].strip(" .") for cell in cells for span in SPAN.finditer(cell)]
    shown = [one for one in shown if len(one.replace("...", "").split()) >= 5]

    assert shown
    assert [one for one in shown if not any(literal in one or one in literal for literal in literals)] == []


def test_every_fault_is_explained_and_can_be_given():
    shown = re.findall(r"^\| `([a-z]+:[^`]+)` \|", text_of("docs/rehearsal.md"), re.MULTILINE)
    faults.RehearsalFaults.parse(shown)
    named = faults.RehearsalFaults.parse(shown).named
    names = {who: set(named(who)) for who in ("testpypi", "forge", "remote", "engine", "world")}
    assert names["testpypi"] == {*index_faults.FAULTS, "lag"}
    assert names["forge"] == set(forge_faults.FAULTS)
    assert names["remote"] == {"drop", "drop-stored", "hold", "hold-stored", "protected", "refuse"}
    assert names["engine"] == {"kill-before", "kill-after"}
    assert names["world"] == set(WORLD_FAULTS)
    for one in shown:
        who, _, fault = one.partition(":")
        if who == "testpypi" and not fault.startswith("lag"):
            index_faults.parse_fault(fault)
        if who == "forge":
            forge_faults.parse_fault(fault)


def test_every_exit_code_is_explained():
    codes = {one.exit_code for one in vars(errors).values() if isinstance(one, type) and hasattr(one, "exit_code")}
    explained = re.findall(r"^\| ([\d, ]+) \|", text_of("docs/releaser.md"), re.MULTILINE)
    assert {int(code) for cell in explained for code in cell.split(",")} == codes | {0, 143}


def test_every_environment_variable_of_ours_is_explained():
    sources = [*ROOT.glob("src/releaser/**/*.py"), ROOT / "noxfile.py"]
    used = {name for path in sources for name in re.findall(r"RELEASER_[A-Z_]+", path.read_text("utf-8"))}
    assert used
    assert [name for name in used if f"`{name}`" not in text_of("docs/releaser.md")] == []


@name_of
def test_errors_that_are_shown_have_their_form(page):
    shown = re.findall(r"^error: .*$", "\n".join(match[2] for match in FENCE.finditer(page.read_text("utf-8"))), re.M)
    assert [one for one in shown if one.endswith(".")] == []


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_no_workflow_pastes_what_others_wrote_into_a_script(workflow):
    scripts = re.findall(r"^ *- run: .*(?:\n {10,}.*)*", workflow.read_text("utf-8"), re.MULTILINE)
    assert scripts
    assert [one for one in scripts if "${{" in one.splitlines()[0]] == []


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_pinned_to_a_commit(workflow):
    used = re.findall(r"uses: (\S+)", workflow.read_text("utf-8"))
    assert used
    assert [one for one in used if not re.search(r"@[0-9a-f]{40}$", one)] == []
