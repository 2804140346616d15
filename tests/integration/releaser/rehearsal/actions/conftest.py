"""A GitHub on loopback that carries out a test's own workflows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest_asyncio
from runner_hub import Hub


@pytest_asyncio.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Callable[..., Any]]:
    """Start a GitHub with these workflows, given as text by name."""
    made: list[Hub] = []

    async def start(*, files: Mapping[str, str] | None = None, setting: Mapping[str, Any] | None = None, **texts: str):
        one = Hub(tmp_path, **(setting or {}))
        made.append(one)
        workflows = {f".github/workflows/{name}.yml": text for name, text in texts.items()}
        one.commit({"README.md": "Demo\n", **workflows, **(files or {})}, "First")
        await one.start()
        return one

    yield start
    for one in made:
        await one.stop()
