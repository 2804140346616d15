from __future__ import annotations

from releaser.adapters.docker.buildx import failure

PLAIN = """\
#0 building with "default" instance using docker driver
#11 [both linux/amd64 app 3/3] RUN make
#12 [board linux/arm64 app 3/3] RUN make
#12 0.201 this is the board
#11 0.231 first words
#11 0.345 last words
#11 ERROR: process "/bin/sh -c make" did not complete successfully: exit code: 2
#12 CANCELED
------
 > [both linux/amd64 app 3/3] RUN make:
0.345 last words
------
ERROR: target both: failed to solve: process "/bin/sh -c make" did not complete successfully: exit code: 2
"""


def test_a_failed_build_is_told_by_the_step_that_failed_and_its_own_last_lines() -> None:
    assert failure(PLAIN) == (
        "The build failed at [both linux/amd64 app 3/3] RUN make: "
        'process "/bin/sh -c make" did not complete successfully: exit code: 2\n'
        "0.231 first words\n0.345 last words"
    )


def test_only_the_last_of_many_lines_are_shown() -> None:
    chatty = "\n".join(["#1 [a 1/1] RUN x", *(f"#1 line {n}" for n in range(100)), "#1 ERROR: exit code: 1"])

    lines = failure(chatty).splitlines()

    assert len(lines) == 26
    assert lines[-1] == "line 99"


def test_a_build_that_never_came_to_a_step_is_told_by_its_last_lines() -> None:
    assert failure('\nERROR: no builder "x" found\n') == (
        'The build failed. Its last lines:\nERROR: no builder "x" found'
    )
