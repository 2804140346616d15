"""What an image's build stage reads from the files beside the wheel."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PATH = Path(__file__).parents[3] / "docker" / "assemble.py"


@pytest.fixture
def pins_of(tmp_path: Path) -> Callable[[Any], list[str]]:
    """Reads a bill of materials with these components."""
    spec = importlib.util.spec_from_file_location("assemble", PATH)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    bill = tmp_path / "x.cdx.json"

    def read(components: Any) -> list[str]:
        bill.write_text(json.dumps({"components": components}), "utf-8")
        pins: list[str] = module.pins_of(bill)
        return pins

    return read


def component(name: str, version: str) -> dict[str, str]:
    return {"name": name, "version": version, "purl": f"pkg:pypi/{name}@{version}"}


def test_packages_of_the_bill_are_pinned(pins_of: Callable[[Any], list[str]]) -> None:
    others = [{"name": "bash", "version": "5", "purl": "pkg:deb/bash@5"}, {"name": "tool", "version": "1"}]
    packages = [component("aiohttp", "3.10.0"), component("a.b_c-d", "1!2.0rc1+local.1"), component("x", "1")]
    assert pins_of([*packages, *others]) == ["aiohttp==3.10.0", "a.b_c-d==1!2.0rc1+local.1", "x==1"]


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("numpy", "2.1.0\n--index-url https://elsewhere.invalid/simple"),
        ("numpy", "2.1.0 --hash=sha256:0"),
        ("--pre\nnumpy", "2.1.0"),
        ("numpy", "*"),
        ("numpy @ file:///tmp/numpy.whl #", "1"),
        ("numpy", ""),
    ],
)
def test_what_pip_could_take_for_an_option_or_an_address_is_refused(
    pins_of: Callable[[Any], list[str]], name: str, version: str
) -> None:
    with pytest.raises(SystemExit, match=r"x\.cdx\.json lists '.*', which is not a package and its version"):
        pins_of([component("aiohttp", "3.10.0"), component(name, version)])
