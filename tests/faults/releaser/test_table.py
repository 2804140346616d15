"""Each row of the fault table: the fault strikes, and the same command again ends as if nothing had happened."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from fault_table.rows import Row
from fault_table.world import Table


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Table]:
    made = Table(tmp_path_factory.mktemp("table"))
    yield made
    made.close()


def test_a_release_comes_back_from(row: Row, table: Table, record_property: Callable[[str, object], None]) -> None:
    begun = time.monotonic()
    found = table.strike(row)
    record_property("fault table", {**found.as_json(), "seconds": round(time.monotonic() - begun, 1)})
    assert not found.wrong, found.wrong
