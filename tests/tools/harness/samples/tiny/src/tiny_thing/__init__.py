"""A tiny thing."""

import argparse

__version__ = "0.1.0"


def main() -> None:
    parser = argparse.ArgumentParser(prog="tiny-thing")
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    parser.parse_args()
