"""Versions in SemVer and PEP 440, and the files that declare them."""
