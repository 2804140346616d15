"""What a trial receives is what was built, or the trial fails."""

from __future__ import annotations

import pytest

from releaser.errors import StepError
from releaser.steps.receipted import expect_sha256

BUILT, OTHER = "a" * 64, "b" * 64


def test_other_bytes_than_were_built_fail_the_trial_with_both_hashes():
    with pytest.raises(StepError) as caught:
        expect_sha256(OTHER, BUILT, "demo-1.0.0.tar.gz from the release")
    assert "demo-1.0.0.tar.gz from the release" in caught.value.message
    assert BUILT[:12] in caught.value.message
    assert OTHER[:12] in caught.value.message


def test_the_built_bytes_pass():
    expect_sha256(BUILT, BUILT, "demo-1.0.0.tar.gz from the release")
