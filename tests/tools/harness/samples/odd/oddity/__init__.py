"""A tool that is built otherwise."""

from . import _version

__version__ = _version.VERSION
