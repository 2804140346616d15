"""Programs are started in one place, which makes their environment."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import releaser

SOURCE = Path(releaser.__file__).parent
STARTERS = {
    "subprocess": {"Popen", "run", "call", "check_call", "check_output", "getoutput", "getstatusoutput"},
    "os": {"system", "popen", "posix_spawn", "posix_spawnp", "fork", "forkpty", "startfile"},
    "asyncio": {"create_subprocess_exec", "create_subprocess_shell"},
    "pty": {"spawn", "fork"},
    "psutil": {"Popen"},
    "multiprocessing": {"Process", "Pool"},
}


def starts(tree: ast.AST) -> Iterator[str]:
    """Return what a module uses to start programs: `subprocess.Popen`, or a name that it imports from there."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
        ):
            module, name = node.func.value.id, node.func.attr
        elif isinstance(node, ast.ImportFrom) and node.module in STARTERS:
            yield from (f"{node.module}.{one.name}" for one in node.names if is_starter(node.module, one.name))
            continue
        else:
            continue
        if is_starter(module, name):
            yield f"{module}.{name}"


def is_starter(module: str, name: str) -> bool:
    return name in STARTERS.get(module, ()) or (module == "os" and name.startswith(("exec", "spawn")))


def test_nothing_but_the_process_adapter_starts_programs() -> None:
    found = {
        path.relative_to(SOURCE).as_posix(): sorted(starts(ast.parse(path.read_text("utf-8"))))
        for path in SOURCE.rglob("*.py")
    }

    assert {path: names for path, names in found.items() if names} == {"adapters/process.py": ["subprocess.Popen"]}
