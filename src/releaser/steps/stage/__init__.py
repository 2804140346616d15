"""The release commit, made in a working tree of its own."""
