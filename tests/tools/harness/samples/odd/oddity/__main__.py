"""odd --version."""

import argparse

from packaging.version import Version

from . import __version__


def main() -> None:
    parser = argparse.ArgumentParser(prog="odd")
    parser.add_argument("--version", action="version", version=str(Version(__version__)))
    parser.parse_args()
