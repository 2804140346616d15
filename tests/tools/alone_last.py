"""A scheduler of pytest-xdist: workers steal tests from each other; those that run alone go to one of them, at the end.

Without it workers would steal them first, because they are last in every queue, and all others would wait for each.
"""

from __future__ import annotations

from pathlib import Path

from xdist.scheduler import WorkStealingScheduling
from xdist.scheduler.worksteal import MIN_PENDING
from xdist.workermanage import WorkerController


class AloneLast(WorkStealingScheduling):
    """Keeps the last tests of the collection back until the workers have nothing else.

    Args:
        config: pytest's configuration.
        log: pytest-xdist's log.
        count: The file in which a worker has written how many tests those are.
    """

    def __init__(self, config, log, count: Path) -> None:
        super().__init__(config, log)
        self._count = count
        self._kept: list[int] | None = None
        self._given = False

    @property
    def tests_finished(self) -> bool:
        """Whether all tests were run."""
        return not self._kept and super().tests_finished

    @property
    def has_pending(self) -> bool:
        """Whether tests are still to run."""
        return bool(self._kept) or super().has_pending

    def check_schedule(self) -> None:
        """Give idle workers tests."""
        if self._kept is None:
            first = len(self.pending) - int(self._count.read_text("utf-8"))
            self._kept = self.pending[first:]
            del self.pending[first:]
        idle = [node for node in self._up() if len(self.node2pending[node]) < MIN_PENDING]
        if self._kept and idle and self._nothing_else():
            # The one that is to run fewest others before them.
            node = min(idle, key=lambda one: len(self.node2pending[one]))
            self.pending, self._kept, self._given = self._kept, [], True
            self._send_tests(node, len(self.pending))
        if not self._given or self.pending:  # what a worker that died has left is shared out, too
            super().check_schedule()
            return
        for node in self._up():
            if len(self.node2pending[node]) < MIN_PENDING:
                node.shutdown()  # after its last test

    def _up(self) -> list[WorkerController]:
        return [node for node in self.nodes if not node.shutting_down]

    def _nothing_else(self) -> bool:
        queues = [len(self.node2pending[node]) for node in self._up()]
        return not self.pending and self.steal_requested_from_node is None and max(queues) <= MIN_PENDING
