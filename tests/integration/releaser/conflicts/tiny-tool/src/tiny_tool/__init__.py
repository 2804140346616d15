"""A tool that says its version."""

__version__ = "0.1.0"
