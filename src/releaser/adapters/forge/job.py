"""The job of GitHub Actions that this process runs in, by the variables that GitHub sets for it.

https://docs.github.com/en/actions/reference/workflows-and-actions/variables
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from releaser.errors import ConflictError, UsageError

BOT = "github-actions[bot]"
"""As whom GitHub shows what a workflow's own token did."""
_WORKFLOW_REF = re.compile(r"(?P<repository>[^/]+/[^/]+)/\.github/workflows/(?P<file>[^/@]+)@(?P<ref>.+)")


@dataclass(frozen=True)
class Job:
    """One job.

    Attributes:
        repository: OWNER/NAME.
        event: What started the workflow: `workflow_dispatch`, `release` or others.
        commit: The commit that it was started for.
        ref: The branch or tag that it was started for, as a full ref.
        workflow_ref: The workflow's repository, file and ref: OWNER/NAME/.github/workflows/FILE@REF.
        outputs: The file that takes the step's outputs.
        server: The address of the web pages, and of the git repositories.
        choices: What the person who started the workflow chose, as STEP=CHOICE.
    """

    repository: str
    event: str
    commit: str
    ref: str
    workflow_ref: str
    outputs: Path
    server: str
    choices: tuple[str, ...] = ()

    @classmethod
    def here(cls, variables: Mapping[str, str] | None = None) -> Job:
        """Return the job that this process runs in.

        Raises:
            UsageError: It runs in none.
        """
        given = os.environ if variables is None else variables
        names = ("REPOSITORY", "EVENT_NAME", "SHA", "REF", "WORKFLOW_REF", "OUTPUT", "SERVER_URL")
        if missing := [f"GITHUB_{name}" for name in names if not given.get(f"GITHUB_{name}")]:
            raise UsageError(
                f"This is no job of GitHub Actions: {', '.join(missing)} not set",
                "Run this in a workflow. To release from here, run `invoke release`.",
            )
        repository, event, commit, ref, workflow_ref, outputs, server = (given[f"GITHUB_{name}"] for name in names)
        choices = tuple(given.get("CHOOSE", "").replace(",", " ").split())
        return cls(repository, event, commit, ref, workflow_ref, Path(outputs), server, choices)

    def expect(self, repository: str, workflow: str, events: Mapping[str, tuple[str, ...]]) -> None:
        """See that the right workflow of the right repository was started by the right event for the right ref.

        Args:
            repository: OWNER/NAME.
            workflow: The workflow's file.
            events: The refs that each event may start it for.

        Raises:
            ConflictError: It was not; each difference is named.
        """
        found = _WORKFLOW_REF.fullmatch(self.workflow_ref)
        wrong = []
        if self.repository.lower() != repository.lower():
            wrong.append(f"it runs in {self.repository}, not in {repository}")
        if found is None or found["repository"].lower() != repository.lower() or found["file"] != workflow:
            wrong.append(f"its workflow is {self.workflow_ref}, not {workflow} of {repository}")
        elif found["ref"] != self.ref:
            wrong.append(f"its workflow is that of {found['ref']}, and it runs for {self.ref}")
        refs = events.get(self.event)
        if refs is None:
            wrong.append(f"the event {self.event} started it, not {' or '.join(events)}")
        elif self.ref not in refs:
            wrong.append(f"it runs for {self.ref}, not for {' or '.join(refs)}")
        if wrong:
            raise ConflictError(
                f"This job may not publish: {'; '.join(wrong)}",
                f"Start {workflow} for {' or '.join(dict.fromkeys(one for refs in events.values() for one in refs))}.",
            )

    def output(self, name: str, value: str) -> None:
        """Set an output of the step, one line.

        Raises:
            ValueError: It has more lines, which GitHub would read as further outputs.
        """
        if "\n" in value or "\r" in value:
            raise ValueError(f"the output {name} has several lines")
        with self.outputs.open("a", encoding="utf-8") as file:
            file.write(f"{name}={value}\n")
