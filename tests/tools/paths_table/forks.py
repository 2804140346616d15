"""The `invoke` of rehearsed jobs, in processes forked from one that has imported everything."""

from __future__ import annotations

import copy
import io
import json
import os
import select
import signal
import socket
import sys
import traceback
from contextlib import suppress
from typing import Any

from fault_table import child
from invoke.program import Program

from releaser.tasks import namespace

__all__ = ["child"]  # it imports what each job would import again


def main(address: str) -> None:
    """Carry out what is asked at a socket, until standard input ends."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        listening.bind(address)
        listening.listen()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while listening in select.select([listening, 0], [], [])[0]:
            asked, _ = listening.accept()
            if os.fork() == 0:
                listening.close()
                _answer(asked)
                os._exit(0)
            asked.close()
            with suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass


def _answer(asked: socket.socket) -> None:
    """Run one command, and say how it ended; it ends with who asked."""
    message, streams, _, _ = socket.recv_fds(asked, 1 << 20, 2)
    worker = os.fork()
    if worker == 0:
        asked.close()
        os.setsid()
        for number, stream in enumerate(streams, start=1):
            os.dup2(stream, number)
        # Others than the server's, which may be of files that can be sought in.
        sys.stdout, sys.stderr = (io.TextIOWrapper(io.FileIO(one, "w"), line_buffering=True) for one in (1, 2))
        os._exit(_ended(json.loads(message)))
    for stream in streams:
        os.close(stream)
    ended = os.pidfd_open(worker)
    if ended not in select.select([asked, ended], [], [])[0]:
        with suppress(ProcessLookupError):
            os.killpg(worker, signal.SIGKILL)
    _, status = os.waitpid(worker, 0)
    with suppress(OSError):
        asked.send(str(os.waitstatus_to_exitcode(status)).encode())


def _ended(about: dict[str, Any]) -> int:
    os.environ.clear()
    os.environ.update(about["env"])
    os.chdir(about["cwd"])
    try:
        sys.argv = ["invoke", *about["words"]]
        Program(namespace=copy.deepcopy(namespace), name="invoke", binary="invoke").run(sys.argv)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except BaseException:  # noqa: BLE001  this process ends here
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


if __name__ == "__main__":
    main(sys.argv[1])
