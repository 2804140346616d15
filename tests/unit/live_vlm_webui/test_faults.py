"""The table of faults in docs/app.md names tests that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TABLE = (
    (ROOT / "docs" / "app.md").read_text("utf-8").partition("## Known faults of such servers")[2].partition("\n## ")[0]
)
NAMED = re.findall(r"`(tests/[^`]+)::(test_\w+)`", TABLE)


def test_every_fault_has_a_test():
    rows = [line for line in TABLE.splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 13
    assert [row for row in rows if "::test_" not in row] == []


@pytest.mark.parametrize(("file", "name"), NAMED, ids=[name for _, name in NAMED])
def test_that_test_exists(file, name):
    assert re.search(rf"^(async )?def {name}\(", (ROOT / file).read_text("utf-8"), re.MULTILINE)
