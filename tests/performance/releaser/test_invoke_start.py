"""How long ``invoke --list`` takes in a project with every task of the engine, beside a project with one empty task."""

from __future__ import annotations

from dataclasses import replace

RUNS = 12

ONE_EMPTY_TASK = """
from invoke.tasks import task


@task
def nothing(c):
    pass
"""


def test_listing_the_tasks(figure, run, invoke, best_of, tmp_path):
    bare = replace(run, root=tmp_path / "bare")
    bare.root.mkdir()
    (bare.root / "tasks.py").write_text(ONE_EMPTY_TASK, "utf-8")
    every, empty = best_of(RUNS, lambda: run([*invoke, "--list"]), lambda: bare([*invoke, "--list"]))
    reference = f"{every * 1000:.0f} ms, and with one empty task {empty * 1000:.0f} ms; best of {RUNS}"
    figure("invoke --list, of that with one empty task", every / empty, budget=1.3, unit="times", reference=reference)
