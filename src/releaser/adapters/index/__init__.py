"""A package index: its simple API, uploads by twine, trusted publishing."""
