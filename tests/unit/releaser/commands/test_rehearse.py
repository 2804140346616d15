"""What a failed rehearsal advises."""

from __future__ import annotations

import pytest

from releaser.commands.rehearse import CI, How, rehearsed


@pytest.mark.parametrize(
    ("real", "advice"),
    [
        (
            "Run `invoke rollback --version 0.2.0`, then pull.",
            "Run `invoke rehearse --version 0.2.0 --fresh`, then pull.",
        ),
        ('`invoke yank --version 0.2.0 --reason "..."`', "`invoke rehearse --version 0.2.0 --fresh`"),
        ("`invoke release --version 0.2.1`", "`invoke rehearse --version 0.2.1`"),
        ("`invoke publish.pypi --version 0.2.0 --from-release`", "`invoke rehearse --version 0.2.0`"),
        ("If nothing is published, `invoke rollback`", "If nothing is published, `invoke rehearse --fresh`"),
        ("Run `git fetch` and `invoke build`.", "Run `git fetch` and `invoke build`."),
    ],
)
def test_it_never_points_at_real_services(real: str, advice: str) -> None:
    assert rehearsed(real, How()) == advice


def test_it_advises_to_rehearse_in_the_same_way() -> None:
    how = How(by=CI, quick=True)
    assert rehearsed("`invoke watch --version 0.2.0`", how) == "`invoke rehearse --version 0.2.0 --as ci --quick`"
    assert rehearsed("`invoke rollback`", how) == "`invoke rehearse --as ci --quick --fresh`"
