"""Reading [tool.releaser]: one table, one model, and an error that names what is wrong in it."""

from __future__ import annotations

import difflib
import os
import sys
from pathlib import Path
from typing import Any, get_args

import platformdirs
from pydantic import BaseModel, ValidationError

from releaser.config.project import Config
from releaser.config.services import rehearsed
from releaser.errors import ConfigError

if sys.version_info >= (3, 11):
    import tomllib
else:  # pragma: no cover
    import tomli as tomllib


def load_config(root: Path) -> Config:
    """Read the configuration of the project at `root`.

    Raises:
        ConfigError: There is no pyproject.toml, it is not TOML, [tool.releaser] has a wrong key or value, or
            `RELEASER_SERVICES` leads to another machine.
    """
    path = root / "pyproject.toml"
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"There is no pyproject.toml in {root}", "Run this in the root of a checkout.") from None
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read: {error.strerror}", "Make it readable; nothing was changed."
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}", "Fix the file; nothing was changed.") from None
    tools, project = document.get("tool"), document.get("project")
    table = tools.get("releaser") if isinstance(tools, dict) else None
    if not isinstance(table, dict):
        raise ConfigError(
            f"{path} has no [tool.releaser] table",
            "Add one; docs/releaser.md shows the smallest one (version-files is the only required key).",
        )
    return rehearsed(parse_config(table, project if isinstance(project, dict) else {}))


def parse_config(table: dict[str, Any], project: dict[str, Any]) -> Config:
    """Return the configuration that `table` ([tool.releaser]) and `project` ([project]) make together.

    Raises:
        ConfigError: A key is unknown (the nearest known one is named), missing, or its value is of the wrong kind.
    """
    table = dict(table)
    table.setdefault("distribution", project.get("name"))
    if table["distribution"] is None:
        raise ConfigError(
            "pyproject.toml names no distribution", "Set name in [project], or distribution in [tool.releaser]."
        )
    table.setdefault("package", str(table["distribution"]).replace("-", "_").replace(".", "_").lower())
    scripts = project.get("scripts")
    table.setdefault("command", next(iter(scripts), None) if isinstance(scripts, dict) else None)
    try:
        return Config.model_validate(table)
    except ValidationError as error:
        problems = [_problem(dict(one)) for one in error.errors()]
        raise ConfigError(
            "[tool.releaser] in pyproject.toml: " + "; ".join(problems), "Fix it; nothing was changed."
        ) from None


def _problem(error: dict[str, Any]) -> str:
    *parents, last = error["loc"] or ("",)
    where = ".".join(str(part) for part in error["loc"])
    if error["type"] != "extra_forbidden":
        return f"{where}: {str(error['msg']).removeprefix('Value error, ')}" if where else str(error["msg"])
    known = [name.replace("_", "-") for name in _model_at(tuple(parents)).model_fields]
    near = difflib.get_close_matches(str(last), known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"known here: {', '.join(sorted(known))}"
    return f"unknown key {where} ({hint})"


def _model_at(parents: tuple[str | int, ...]) -> type[BaseModel]:
    model: type[BaseModel] = Config
    for part in parents:
        if isinstance(part, int):
            continue
        annotation = model.model_fields[str(part).replace("-", "_")].annotation
        candidates = [annotation, *get_args(annotation)]
        model = next(c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel))
    return model


def state_root() -> Path:
    """Return the directory, outside any checkout, for releases' state; `RELEASER_STATE_DIR` overrides it."""
    if override := os.environ.get("RELEASER_STATE_DIR"):
        return Path(override).resolve()
    return platformdirs.user_state_path("releaser")
