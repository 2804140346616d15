"""A fault at one request is read from its text, and a wrong text is named."""

from __future__ import annotations

from argparse import ArgumentTypeError

import pytest
from fault_table.rows import rows

from releaser.rehearsal.faults import RehearsalFaults
from releaser.rehearsal.injection import RequestFault
from releaser.rehearsal.world_faults import WORLD_FAULTS


def test_a_fault_is_read_as_it_is_written():
    text = "POST:/legacy/:2+:after:status=502"
    assert RequestFault.parse(text) == RequestFault("POST", "/legacy/", 2, "after", "status", 502, lasting=True)
    assert str(RequestFault.parse(text)) == text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("POST:/legacy/:after:drop", "is not METHOD:PATH:NTH"),
        ("POST:/legacy/:0:after:drop", "is not METHOD:PATH:NTH"),
        ("POST:/legacy/:1:during:drop", "is not METHOD:PATH:NTH"),
        ("", "is not METHOD:PATH:NTH"),
        ("POST:/legacy/:1:after:fire", "there is no fault 'fire'"),
        ("POST:/legacy/:1:after:status", "needs =STATUS"),
        ("POST:/legacy/:1:after:slow=long", "needs =SECONDS"),
        ("POST:/legacy/:1:after:drop=1", "takes no value"),
        ("POST:/legacy/:1:after:clock=late", "needs =SECONDS"),
    ],
)
def test_a_wrong_text_is_named(text, says):
    with pytest.raises(ArgumentTypeError, match=says):
        RequestFault.parse(text)


def test_a_rehearsal_hands_it_to_the_stand_in():
    faults = RehearsalFaults.parse(["pypi:at=GET:/simple/:1:before:status=503", "pypi:lag=2"])
    assert faults.options("pypi") == ["--at", "GET:/simple/:1:before:status=503", "--lag", "2"]


def test_every_row_of_the_table_has_a_name_of_its_own_and_a_fault_that_a_rehearsal_takes():
    table = rows()
    assert len({row.name for row in table}) == len(table) > 250
    for row in table:
        faults = RehearsalFaults.parse([row.fault])
        assert [f"{who}:{fault}" for who, of in faults.of.items() for fault in of] == [row.fault]
        assert not row.request or str(row.request) == row.fault.partition("at=")[2]


def test_the_table_has_every_fault_that_files_and_others_can_be_struck_by():
    named = {one.name for row in rows() for one in RehearsalFaults.parse([row.fault]).world}
    assert named == set(WORLD_FAULTS)
