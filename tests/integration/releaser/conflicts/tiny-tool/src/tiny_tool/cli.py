"""The command."""

import sys
import time

from tiny_tool import __version__


def main():
    """Answers --version, and anything else with how to ask; so slowly that who watches processes sees it."""
    time.sleep(0.2)
    sys.stdout.write(f"tiny-tool {__version__}\n" if "--version" in sys.argv else "usage: tiny-tool --version\n")
