"""Texts for people: the release's page and the report."""
