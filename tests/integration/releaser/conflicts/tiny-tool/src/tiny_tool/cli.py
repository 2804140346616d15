"""The command."""

import sys

from tiny_tool import __version__


def main():
    """Answers --version, and anything else with how to ask."""
    sys.stdout.write(f"tiny-tool {__version__}\n" if "--version" in sys.argv else "usage: tiny-tool --version\n")
