"""Each row of the fault table: the fault strikes, and the same command again ends as if nothing had happened."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator

import pytest
from fault_table.broken import BROKEN, Broken
from fault_table.row import IMAGES, Row
from fault_table.rows import rows
from fault_table.world import Table

from releaser.rehearsal.registry.program import PROGRAM


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Table]:
    made = Table(tmp_path_factory.mktemp("table"))
    yield made
    made.close()


def test_a_release_comes_back_from(row: Row, table: Table, record_property: Callable[[str, object], None]) -> None:
    _need_registry(row)
    begun = time.monotonic()
    found = table.strike(row)
    record_property("fault table", {**found.as_json(), "seconds": round(time.monotonic() - begun, 1)})
    assert not found.wrong, found.wrong


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.what)
def test_a_fault_that_is_put_back_into_the_code_fails_its_row(broken: Broken, table: Table) -> None:
    (row,) = (one for one in rows() if one.name == broken.row)
    _need_registry(row)
    found = table.strike(row, broken.what)
    assert found.struck
    assert broken.says in found.wrong
    assert found.wrong


def _need_registry(row: Row) -> None:
    if row.rung in IMAGES and shutil.which(PROGRAM) is None:
        pytest.skip(f"there is no {PROGRAM} program here")
