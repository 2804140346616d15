"""A stand-in for a package index, with PyPI's rules."""
