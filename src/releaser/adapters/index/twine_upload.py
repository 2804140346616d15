"""Running twine, which gives up at the first response that asks for fewer requests."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from releaser.adapters import process
from releaser.adapters.environment import Changes
from releaser.adapters.retries import pauses_for
from releaser.core.activity import current
from releaser.errors import CommandError


def run_twine(command: Sequence[str | Path], where: Path, login: Changes, index: str, within: float) -> None:
    """Upload, by the rule for all requests; an index takes the same bytes twice.

    Args:
        command: The call of twine.
        where: The directory to run it in.
        login: Its user and password.
        index: What messages call the index.
        within: Seconds that it may take.

    Raises:
        CommandError: It failed.
        NoAnswerError: It did not end in time.
    """
    env: Changes = {"NO_COLOR": "1", "COLUMNS": "200", **login}
    pauses: Iterator[float] | None = None
    while True:
        try:
            process.run(command, cwd=where, env=env, purpose=f"Uploading to {index}", within=within)
        except CommandError as error:
            found = re.search(r"HTTPError: (\d{3}) ", error.message)
            status = int(found[1]) if found else 0
            pauses = pauses or pauses_for(status)
            pause = next(pauses, None) if status in (403, 429) else None
            if pause is None:
                raise
            current().tell(f"{index} refused (HTTP {status}); retrying in {pause:.0f} s")
            current().sleep(pause)
        else:
            return
