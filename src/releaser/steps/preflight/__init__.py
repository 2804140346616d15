"""Reasons not to release, found before anything changes."""
