"""One row of the table, as data."""

from __future__ import annotations

from dataclasses import dataclass

from releaser.rehearsal.injection import RequestFault

# How a run may end that meets a fault: well, with a step's error, refused, or by waiting in vain.
ANY = (0, 1, 3, 5, 6)
# The same for a rollback, which ends with 7 where something stays.
ANY_BACK = (0, 1, 3, 5, 7)

REFUSED = (2, 3)
IMAGES = ("images configured", "images begun", "images built", "images pushed")
"""The worlds of a project that has images."""


@dataclass(frozen=True)
class Row:
    """One row.

    Attributes:
        where: What is struck, in words.
        what: By what.
        rung: The world in which it begins.
        fault: The fault, as `invoke rehearse --fault` takes it.
        signal: What the run is sent at the strike; 0: nothing.
        codes: How the run may end that meets it.
        refused: Whether nothing that others can see may change from the strike on.
        again: What the same command comes to afterwards: "converges"; "refused", again with nothing touched; or
            "restored": it converges once the files on this machine are as they were.
        choose: What a person chooses for that command.
        leaves: What differs from an undisturbed world in the end, because somebody wanted it so.
        quick: Whether it belongs to the part that runs in CI.
        command: What is run, and run again: `release` or `rollback`.
        words: What that command is given as well.
    """

    where: str
    what: str
    rung: str
    fault: str
    signal: int = 0
    codes: tuple[int, ...] = ANY
    refused: bool = False
    again: str = "converges"
    choose: tuple[str, ...] = ()
    leaves: tuple[str, ...] = ()
    quick: bool = False
    command: str = "release"
    words: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its name, unique in the table."""
        return f"{self.where}, {self.what}"

    @property
    def kind(self) -> str:
        """What it belongs to in the table's sums."""
        if self.command == "rollback":
            return "rollback"
        if self.who == "registry" or self.rung in IMAGES:
            return "images"
        if self.who == "engine":
            return "kill"
        if self.who == "world" or ":clock=" in self.fault or ":lag=" in self.fault:
            return "world"
        return "reading" if ":at=GET" in self.fault else "writing"

    @property
    def who(self) -> str:
        """Who is struck: a service, `remote`, `engine` or `world`."""
        return self.fault.partition(":")[0]

    @property
    def request(self) -> RequestFault | None:
        """The fault in a service's answers, where it is one."""
        _, _, rest = self.fault.partition(":")
        return RequestFault.parse(rest.removeprefix("at=")) if rest.startswith("at=") else None

    @property
    def lag(self) -> float | None:
        """How late an index shows what it took, where that is the fault."""
        _, _, rest = self.fault.partition(":")
        return float(rest.removeprefix("lag=")) if rest.startswith("lag=") else None

    @property
    def push(self) -> dict[str, str]:
        """The fault in what the git remote does with a push, where it is one."""
        who, _, rest = self.fault.partition(":")
        name, _, value = rest.partition("=")
        return {name: value} if who == "remote" else {}
