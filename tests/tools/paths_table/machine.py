"""The machine that a rehearsed job gets: what the lock lists is there already, and `invoke` starts at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from releaser.rehearsal.actions.python import tools_of

from .row import WORKFLOWS, jobs_of

_PYTHON = """#!/bin/sh
# What the workflows install is here already, as on a machine that keeps its tools; installing is tested elsewhere.
case "$*" in
  "-m pip install --require-hashes --no-deps -r .github/"*-requirements.txt) test -f "$7" ;;
  "-m pip install --no-index --no-build-isolation --no-deps -e .") test -f pyproject.toml ;;
  *) echo "not expected: python $*" >&2; exit 64 ;;
esac
"""
_INVOKE = """#!{python} -IS
import json, os, socket, sys
with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as asked:
    asked.connect({address!r})
    about = {{"words": sys.argv[1:], "env": dict(os.environ), "cwd": os.getcwd()}}
    socket.send_fds(asked, [json.dumps(about).encode()], [1, 2])
    sys.exit(int(asked.recv(16) or b"1"))
"""


class Machine:
    """The process that jobs' commands are forked from, and the Python that jobs set up.

    Args:
        folder: Where its socket is made.
    """

    def __init__(self, folder: Path) -> None:
        self._address = str(folder / "jobs.socket")
        command = [sys.executable, "-m", "paths_table.forks", self._address]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        self._process = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        assert self._process.stdout.readline() == "ready\n"

    def install(self, forge: Path) -> None:
        """Have the jobs of a forge's stand-in start from this Python, whichever they ask for."""
        own = forge / "tools" / "own"
        (own / "bin").mkdir(parents=True)
        (own / "made-at").write_text(str(own))
        texts = {"python": _PYTHON, "invoke": _INVOKE.format(python=sys.executable, address=self._address)}
        for name, text in texts.items():
            (own / "bin" / name).write_text(text)
            (own / "bin" / name).chmod(0o755)
        jobs = [job for workflow in WORKFLOWS for job in jobs_of(workflow).values()]
        for tools in {tools_of(step.run or "" for step in job.steps) for job in jobs}:
            for minor in range(10, 15):
                (forge / "tools" / f"python-3.{minor}-{tools}").symlink_to(own, target_is_directory=True)

    def close(self) -> None:
        """End it, and what it runs."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()
