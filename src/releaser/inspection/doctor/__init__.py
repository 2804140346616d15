"""Find what would go wrong in a release, before anything does."""
