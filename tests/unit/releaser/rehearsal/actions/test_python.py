"""Which Python a job gets."""

from __future__ import annotations

import sys

from releaser.rehearsal.actions.python import Pythons

OWN = f"{sys.version_info[0]}.{sys.version_info[1]}"


def test_the_version_that_is_asked_for_where_there_is_one(tmp_path):
    found = Pythons(tmp_path).interpreter(OWN)
    assert (found.version, found.unproven) == (OWN, None)


def test_the_one_that_runs_this_where_there_is_none_and_it_is_said(tmp_path):
    found = Pythons(tmp_path).interpreter("3.99")
    assert found.version == OWN
    assert found.unproven == f"Python 3.99: this machine has none, so {OWN} ran in its place"


def test_that_of_the_images_base_and_it_is_said(tmp_path):
    found = Pythons(tmp_path, {"3.99": OWN}).interpreter("3.99")
    assert found.version == OWN
    assert found.unproven == f"Python 3.99: the images' base here has {OWN}, so {OWN} ran in its place"
