"""One row of the table, as data."""

from __future__ import annotations

from dataclasses import dataclass

from releaser.rehearsal.injection import RequestFault

# How a run may end that meets a fault: well, with a step's error, refused, or by waiting in vain.
ANY = (0, 1, 3, 5, 6)

REFUSED = (2, 3)


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

    @property
    def name(self) -> str:
        """Its name, unique in the table."""
        return f"{self.where}, {self.what}"

    @property
    def kind(self) -> str:
        """What it belongs to in the table's sums."""
        who, _, rest = self.fault.partition(":")
        if who == "engine":
            return "kill"
        if who == "world" or ":clock=" in rest:
            return "world"
        return "reading" if rest.startswith("at=GET") else "writing"

    @property
    def request(self) -> tuple[str, RequestFault] | None:
        """The service and the fault in its answers; None for the engine's and the world's."""
        who, _, rest = self.fault.partition(":")
        return (who, RequestFault.parse(rest.removeprefix("at="))) if rest.startswith("at=") else None
