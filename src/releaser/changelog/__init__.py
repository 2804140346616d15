"""CHANGELOG.md: read, checked, rotated, and turned into release notes."""
