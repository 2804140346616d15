"""Exit with 0 if this container's server responds at /healthz, else print the reason and exit with 1.

The port is not fixed: ``--port 0`` and ``--auto-port`` choose it at run time, and on the host's network other programs
listen too. The kernel lists the sockets of this container's processes and which of them listen: proc_pid_fd(5),
proc_pid_net(5). Few modules are imported, because this runs every 30 seconds on small or emulated machines.
"""

# Importing pathlib takes longer than everything else here.
# ruff: noqa: PTH110, PTH115, PTH123, PTH208

from __future__ import annotations

import os
import socket
import sys
from contextlib import suppress

LISTENING = "0A"
SECONDS = 5


def main() -> int:
    """Query every address on which this container listens, until one responds."""
    reasons = []
    for address, port in listening():
        try:
            answer = ask(address, port)
        except OSError as error:
            answer = str(error)
        if answer.startswith("HTTP/") and answer.split()[1:2] == ["200"]:
            return 0
        reasons.append(f"{address} port {port} responds to /healthz with {answer!r}.")
    sys.stdout.write("\n".join(reasons or ["The server does not listen."]) + "\n")
    return 1


def ask(address: str, port: int) -> str:
    """Return the first line of the response, over HTTPS if HTTP fails or redirects to it."""
    with socket.create_connection((address, port), SECONDS) as connection:
        answer = exchange(connection)
    if answer.startswith("HTTP/") and answer.split()[1:2] != ["307"]:
        return answer
    import ssl

    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # the server's certificate is self-signed
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    with trusting.wrap_socket(socket.create_connection((address, port), SECONDS)) as connection:
        return exchange(connection)


def exchange(connection: socket.socket) -> str:
    """Send the request and return the first line of the response."""
    connection.sendall(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")
    received = b""
    with suppress(ConnectionResetError):  # the response of some HTTPS servers to HTTP
        while b"\n" not in received and (part := connection.recv(4096)):
            received += part
    return received.partition(b"\n")[0].decode("latin-1").strip()


def listening() -> list[tuple[str, int]]:
    """Return address and port of each socket on which this container listens."""
    own = open_files()
    found = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if not os.path.exists(table):
            continue
        with open(table, encoding="ascii") as lines:
            for _, local, _, state, *rest in map(str.split, lines):
                if state == LISTENING and f"socket:[{rest[5]}]" in own:
                    address, _, port = local.partition(":")
                    found.append((readable(address), int(port, 16)))
    return found


def open_files() -> set[str]:
    """Return the open files of all processes that this one may inspect."""
    found = set()
    for process in filter(str.isdecimal, os.listdir("/proc")):
        directory = f"/proc/{process}/fd"
        with suppress(OSError):
            for descriptor in os.listdir(directory):
                with suppress(OSError):  # closed in the meantime
                    found.add(os.readlink(f"{directory}/{descriptor}"))
    return found


def readable(words: str) -> str:
    """Parse an address in the kernel's format: 32-bit words in the machine's byte order. Map "any" to loopback."""
    numbers = [int(words[at : at + 8], 16) for at in range(0, len(words), 8)]
    if not any(numbers):
        return "127.0.0.1" if len(numbers) == 1 else "::1"
    packed = b"".join(number.to_bytes(4, sys.byteorder) for number in numbers)
    return socket.inet_ntop(socket.AF_INET if len(numbers) == 1 else socket.AF_INET6, packed)


if __name__ == "__main__":
    sys.exit(main())
